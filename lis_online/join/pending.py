"""Impressions on their way to a slate: from their arrival until their attribution window has passed."""

from __future__ import annotations

from array import array
from collections import deque
from collections.abc import Iterator
from typing import Final

EMPTY = array("q")

NOWHERE: Final = -1
"""The place of an impression that is in no bucket of users' totals."""


class Pending:
    """One impression in integers, and the labels found for it so far.

    items, authors, categories: id hashes; ages: ms, -1 unknown; positions, authors, categories and ages are None
    where the record gave none. arms: the arm's index for each experiment, -1 for none; counted: the same, -1 also where
    the impression did not count for the arm; place: its number in its bucket of users' totals. history, times: the
    user's history as of ts, oldest first (until applied: the record's own), times in ms, ts + 1 where
    unknown. delays: index of a clicked item -> ms from ts to the click.
    """

    __slots__ = (
        "ages",
        "arms",
        "authors",
        "categories",
        "counted",
        "delays",
        "history",
        "items",
        "odd_arm",
        "odd_surface",
        "place",
        "positions",
        "request",
        "surface",
        "times",
        "ts",
        "user",
    )

    def __init__(self, ts: int, request: int, user: int, surface: int, items: array[int]) -> None:
        self.ts = ts
        self.request = request
        self.user = user
        self.surface = surface
        self.items = items
        self.positions: array[int] | None = None
        self.authors: array[int] | None = None
        self.categories: array[int] | None = None
        self.ages: array[int] | None = None
        self.arms: tuple[int, ...] = ()
        self.counted: tuple[int, ...] = ()
        self.place = NOWHERE
        self.odd_arm = False
        self.odd_surface = False
        self.history = EMPTY
        self.times = EMPTY
        self.delays: dict[int, int] | None = None

    def shows(self, user: int, item: int) -> bool:
        """Say whether this impression showed an item to a user."""
        return self.user == user and item in self.items

    def click(self, item: int, ts: int) -> None:
        """Note the label action on an item of the slate; the first one counts."""
        if self.delays is None:
            self.delays = {}
        self.delays.setdefault(self.items.index(item), ts - self.ts)


class PendingImpressions:
    """Applied impressions whose attribution window is open, by request, in order of time."""

    def __init__(self, window: int) -> None:
        self._window = window
        self._order: deque[Pending] = deque()
        self._by_request: dict[int, Pending] = {}

    def update(self, pending: Pending) -> None:
        """Add an impression, not earlier than those before."""
        self._order.append(pending)
        self._by_request[pending.request] = pending

    def get(self, request: int) -> Pending | None:
        """Return the open impression of a request."""
        return self._by_request.get(request)

    def close(self, watermark: int) -> Iterator[Pending]:
        """Remove and yield those whose window ends at or before the watermark, in order of (time, request)."""
        order, last = self._order, watermark - self._window
        while order and order[0].ts <= last:
            pending = order.popleft()
            if self._by_request.get(pending.request) is pending:
                del self._by_request[pending.request]
            yield pending

    def __len__(self) -> int:
        return len(self._order)

    def snapshot(self) -> list[Pending]:
        """Return the impressions in order; they are not copied."""
        return list(self._order)

    def restore(self, impressions: list[Pending]) -> None:
        """Replace the impressions."""
        self._order = deque(impressions)
        self._by_request = {pending.request: pending for pending in self._order}
