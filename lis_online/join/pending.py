"""An impression on its way to a slate: from its arrival until its attribution window has passed."""

from __future__ import annotations

from array import array
from typing import Final

import msgspec

EMPTY = array("q")

NOWHERE: Final = -1
"""The place of an impression that is in no bucket of users' totals."""


class Pending(msgspec.Struct, gc=False, eq=False):
    """One impression in integers, and the labels found for it so far.

    items, authors, categories: id hashes; ages: ms, -1 unknown; positions, authors, categories and ages are None
    where the record gave none. arms: the arm's index for each experiment, -1 for none; counted: the same, -1 also where
    the impression did not count for the arm; place: its number in its bucket of users' totals. history, times: the
    user's history as of ts, oldest first (until applied: the record's own), times in ms, ts + 1 where
    unknown. delays: index of a clicked item -> ms from ts to the click; log: where that is noted as well, None for
    nowhere, as three numbers that begin with `row`.

    Hundreds of thousands are there at a time and none can be in a cycle: the garbage collector passes them over.
    """

    ts: int
    request: int
    user: int
    surface: int
    items: array[int]
    positions: array[int] | None = None
    authors: array[int] | None = None
    categories: array[int] | None = None
    ages: array[int] | None = None
    arms: tuple[int, ...] = ()
    counted: tuple[int, ...] = ()
    place: int = NOWHERE
    odd_arm: bool = False
    odd_surface: bool = False
    history: array[int] = EMPTY
    times: array[int] = EMPTY
    delays: dict[int, int] | None = None
    log: array[int] | None = None
    row: int = 0

    def shows(self, user: int, item: int) -> bool:
        """Say whether this impression showed an item to a user."""
        return self.user == user and item in self.items

    def click(self, item: int, ts: int) -> None:
        """Note the label action on an item of the slate; the first one counts."""
        if self.delays is None:
            self.delays = {}
        index = self.items.index(item)
        if index not in self.delays:
            self.delays[index] = ts - self.ts
            if self.log is not None:
                self.log.extend((self.row, index, ts - self.ts))
