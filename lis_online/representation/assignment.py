"""Which version of a variant holds which slot: a function of the vectors' own times.

A variant's first version takes slot 0 at its first vector. A later one takes, at the next decision, an empty slot or
that of the version longest without new vectors. A version leaves when a newer one is there and none of its own
vectors came for a while. Newer is whose first vector is later, and stays so: a version that ended and comes back takes
an empty slot alone, so that three versions in two slots do not take turns.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

NONE: Final = 0
"""The version of a slot without one (`events.hashing.NO_ID`)."""

REMEMBERED: Final = 64
"""Versions whose order of appearance is remembered, those in slots aside."""


@dataclass(slots=True)
class Held:
    """What a slot holds. since, last: times of the version's first and newest vector, ms; began: when it took the slot,
    ms, 0 where the slot was there from the start. A slot that is not in use has no version and `in_use` False.
    """

    version: int = NONE
    since: int = -1
    last: int = -1
    began: int = 0
    in_use: bool = False


@dataclass(frozen=True, slots=True)
class Newcomer:
    """A version that has no slot, and the times of its first and newest vector, ms."""

    version: int
    since: int
    last: int


class Assignment:
    """The slots of one variant, and in which order its versions appeared."""

    def __init__(self, slots: int, memory: int) -> None:
        """memory: ms without vectors after which a version leaves for a newer one."""
        self.memory = memory
        self.slots = [Held(in_use=place == 0) for place in range(slots)]
        self._order: list[int] = []

    def get(self, version: int) -> int | None:
        """Return the slot that holds a version, None where none does."""
        return next((k for k, held in enumerate(self.slots) if held.in_use and held.version == version), None)

    @property
    def is_new(self) -> bool:
        """Say whether no version has come yet."""
        return not self._order

    @property
    def newest(self) -> int:
        """The slot of the newest version that holds one; slot 0 while no version has come."""
        used = [k for k, held in enumerate(self.slots) if held.in_use]
        return max(used, key=lambda k: self._rank(self.slots[k].version))

    def knows(self, version: int) -> bool:
        """Say whether a version has held a slot, as far back as is remembered."""
        return version in self._order

    def begin(self, newcomer: Newcomer) -> None:
        """Put a version into slot 0 as it stands: the variant's first one, or the next where there is one slot."""
        self._note(newcomer.version)
        held = self.slots[0]
        held.version, held.since, held.last = newcomer.version, newcomer.since, newcomer.last

    def decide(self, t: int, newcomers: Iterable[Newcomer]) -> list[tuple[int, bool]]:
        """Retire and take in versions as of t, ms; return each slot that changed and whether it is in use now.

        newcomers: versions without a slot that had a vector by t, in the order of their first ones.
        """
        before = [(held.version, held.began, held.in_use) for held in self.slots]
        for place, held in enumerate(self.slots):
            if held.in_use and self._is_over(held, t):
                self.slots[place] = Held()
        for newcomer in newcomers:
            self._take_in(newcomer, t)
        after = [(held.version, held.began, held.in_use) for held in self.slots]
        return [(k, after[k][2]) for k in range(len(self.slots)) if before[k] != after[k]]

    def _is_over(self, held: Held, t: int) -> bool:
        mine = self._rank(held.version)
        newer = any(other.in_use and self._rank(other.version) > mine for other in self.slots)
        return newer and t - held.last >= self.memory

    def _take_in(self, newcomer: Newcomer, t: int) -> None:
        empty = [k for k, held in enumerate(self.slots) if not held.in_use]
        if newcomer.version in self._order and not empty:
            return
        place = empty[0] if empty else min(range(len(self.slots)), key=self._staleness)
        self.slots[place] = Held(newcomer.version, newcomer.since, newcomer.last, t, in_use=True)
        self._note(newcomer.version)

    def _note(self, version: int) -> None:
        if version not in self._order:
            self._order.append(version)
        living = {held.version for held in self.slots} | {version}
        ended = [known for known in self._order if known not in living]
        for known in ended[: max(0, len(ended) - REMEMBERED)]:
            self._order.remove(known)

    def _staleness(self, place: int) -> tuple[int, int]:
        held = self.slots[place]
        return held.last, self._rank(held.version)

    def _rank(self, version: int) -> int:
        return self._order.index(version) if version in self._order else -1

    def snapshot(self) -> list[Any]:
        """Return the state as msgpack-able data."""
        return [
            list(self._order),
            [[held.version, held.since, held.last, held.began, held.in_use] for held in self.slots],
        ]

    def restore(self, state: list[Any]) -> None:
        """Replace the state by that of `snapshot`."""
        order, slots = state
        self._order = list(order)
        self.slots = [Held(*fields) for fields in slots]
