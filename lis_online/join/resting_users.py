"""Users who are packed: found by their key, woken one by one, forgotten by the time of their last activity."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from heapq import heappop, heappush, heapreplace

import numpy as np

from lis_online.join.user_page import MOST_USERS, UserPage

_PARTS = 256
"""Dictionaries that the keys are spread over, so that none takes long to grow."""

_BITS = MOST_USERS.bit_length() - 1


class _Held:
    """A page here. living: for each place whether the user rests there; first: no living one before it."""

    __slots__ = ("first", "living", "page")

    def __init__(self, page: UserPage, living: bytearray) -> None:
        self.page = page
        self.living = living
        self.first = 0


Kept = tuple[int, UserPage, bytes]
"""A page as it was: its number here, the page, and who of it was living."""


class RestingUsers:
    """The pages of one shard.

    A user's place is free once woken or forgotten. What is left of pages with few users is brought together when a
    snapshot is made (`merge`), so that the pages take at most about twice what their users need.
    """

    def __init__(self) -> None:
        self._pages: dict[int, _Held] = {}
        self._next = 0
        self._places: list[dict[int, int]] = [{} for _ in range(_PARTS)]
        self._oldest: list[tuple[int, int]] = []

    def __len__(self) -> int:
        return sum(map(len, self._places))

    def get(self, key: int) -> tuple[array[int], int] | None:
        """Return a user's numbers and the time of the last activity; None where the user does not rest here."""
        place = self._places[key % _PARTS].get(key)
        if place is None:
            return None
        page = self._pages[place >> _BITS].page
        return page.row(place % MOST_USERS), int(page.last[place % MOST_USERS])

    def pop(self, key: int) -> array[int] | None:
        """Remove a user; return the numbers."""
        place = self._places[key % _PARTS].pop(key, None)
        if place is None:
            return None
        held = self._pages[place >> _BITS]
        held.living[place % MOST_USERS] = 0
        return held.page.row(place % MOST_USERS)

    def add(self, page: UserPage, living: bytes | None = None) -> None:
        """Take a page, of whose users those rest here that are living: all, unless said."""
        self._hold(page, bytearray(b"\1" * len(page) if living is None else living))
        base = (self._next - 1) << _BITS
        for place, (key, is_living) in enumerate(
            zip(page.keys.tolist(), self._pages[self._next - 1].living, strict=True)
        ):
            if is_living:
                self._places[key % _PARTS][key] = base | place

    def forget(self, oldest: int) -> int | None:
        """Remove those whose last activity is before a time, ms; return that of the oldest one then, or one before."""
        heap = self._oldest
        while heap and heap[0][0] < oldest:
            held = self._pages.get(heap[0][1])
            following = None if held is None else self._forget_of(held, oldest)
            if following is None:
                heappop(heap)
            else:
                heapreplace(heap, (following, heap[0][1]))
        return heap[0][0] if heap else None

    def kept(self) -> list[Kept]:
        """Return the pages as they are."""
        return [(number, held.page, bytes(held.living)) for number, held in self._pages.items()]

    def merge(self, kept: Sequence[Kept]) -> Iterator[tuple[UserPage, bytes]]:
        """Yield the pages of `kept`, those with few users brought together: here as well, in between.

        kept: as it was at one time, since when users were woken and forgotten, but none was added.
        """
        few: list[tuple[Kept, np.ndarray]] = []
        for entry in kept:
            _, page, living = entry
            places = np.flatnonzero(np.frombuffer(living, np.uint8))
            if 2 * len(places) >= MOST_USERS:
                yield page, living
            else:
                few.append((entry, places))
        for group in _groups(few):
            yield from self._merge(group)

    def scrub(self, keys: Sequence[int]) -> None:
        """Leave no trace of users who do not rest here any more."""
        gone = np.array(keys, np.int64)
        for held in self._pages.values():
            places = np.flatnonzero(np.isin(held.page.keys, gone))
            if len(places):
                held.page = held.page.without(places)

    def _merge(self, group: list[tuple[Kept, np.ndarray]]) -> Iterator[tuple[UserPage, bytes]]:
        numbers = {number for (number, _, _), _ in group}
        unchanged = all(self._pages[number].page is page for (number, page, _), _ in group)  # else: scrubbed
        ((_, only, _), places), *others = group
        if not unchanged or (not others and len(places) == len(only)):
            for (number, page, was), _ in group:
                self._pages[number] = self._pages.pop(number)  # the order of the snapshot
                yield page, was
            return
        page = UserPage.joined([(page, places) for (_, page, _), places in group])
        living = bytearray(len(page))
        base = self._next << _BITS
        for place, key in enumerate(page.keys.tolist()):
            part = self._places[key % _PARTS]
            if part.get(key, -1) >> _BITS in numbers:
                part[key] = base | place
                living[place] = 1
        for number in numbers:
            del self._pages[number]
        if len(page):
            self._hold(page, living)
            yield page, b"\1" * len(page)

    def _hold(self, page: UserPage, living: bytearray) -> None:
        self._pages[self._next] = _Held(page, living)
        heappush(self._oldest, (int(page.last[0]), self._next))
        self._next += 1

    def _forget_of(self, held: _Held, oldest: int) -> int | None:
        """Forget of one page; return the last activity of its oldest one then, None where nobody is left."""
        living, last, keys = held.living, held.page.last, held.page.keys
        while held.first < len(living):
            place = held.first
            if living[place]:
                then = int(last[place])
                if then >= oldest:
                    return then
                living[place] = 0
                key = int(keys[place])
                del self._places[key % _PARTS][key]
            held.first += 1
        return None


def _groups(few: list[tuple[Kept, np.ndarray]]) -> Iterator[list[tuple[Kept, np.ndarray]]]:
    """Cut pages into groups that make one page each."""
    group: list[tuple[Kept, np.ndarray]] = []
    for entry in few:
        if group and sum(len(places) for _, places in group) + len(entry[1]) > MOST_USERS:
            yield group
            group = []
        group.append(entry)
    if group:
        yield group
