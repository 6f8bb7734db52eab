"""Packed users, a few thousand at a time, in numbers that never change: a snapshot shares them."""

from __future__ import annotations

from array import array
from collections.abc import Sequence

import numpy as np

MOST_USERS = 2048
"""Users of a page: packing one takes a few ms, and ten million users are a few thousand arrays of a checkpoint."""


class PageDraft:
    """A page being filled. numbers: packed users, one after the other; ends: where each ends."""

    def __init__(self) -> None:
        self.keys: array[int] = array("q")
        self.last: array[int] = array("q")
        self.numbers: array[int] = array("q")
        self.ends: array[int] = array("q")

    def update(self, key: int, last: int) -> None:
        """End the user whose numbers were appended."""
        self.keys.append(key)
        self.last.append(last)
        self.ends.append(len(self.numbers))

    def __len__(self) -> int:
        return len(self.keys)


class UserPage:
    """Packed users in the order of their last activity.

    whole: int64, all that a checkpoint holds of it: the number of users; their keys, times of last activity and ends;
    packed users. keys, last: int64 [users].
    """

    __slots__ = ("_bytes", "_ends", "_numbers", "keys", "last", "whole")

    def __init__(self, whole: np.ndarray) -> None:
        count = int(whole[0])
        self.whole = whole
        self.keys, self.last, self._ends = whole[1 : 1 + 3 * count].reshape(3, count)
        self._numbers = whole[1 + 3 * count :]
        self._bytes = whole.data.cast("B")[8 * (1 + 3 * count) :]

    @classmethod
    def of(cls, draft: PageDraft) -> UserPage:
        """Return the page of a draft, sorted."""
        columns = (draft.keys, draft.last, draft.ends, draft.numbers)
        page = _page(*(np.frombuffer(column, np.int64) for column in columns))
        return page if bool((page.last[1:] >= page.last[:-1]).all()) else page.take(np.arange(len(page)))

    @classmethod
    def joined(cls, parts: Sequence[tuple[UserPage, np.ndarray]]) -> UserPage:
        """Return the page of some users of others. Of each: the places, int64."""
        taken = [page.take(places) for page, places in parts]
        starts = np.cumsum([0, *(len(page._numbers) for page in taken)])
        ends = [page._ends + start for page, start in zip(taken, starts, strict=False)]
        joined = _page(
            np.concatenate([page.keys for page in taken]),
            np.concatenate([page.last for page in taken]),
            np.concatenate(ends),
            np.concatenate([page._numbers for page in taken]),
        )
        return joined.take(np.arange(len(joined)))

    def __len__(self) -> int:
        return len(self.keys)

    def row(self, place: int) -> array[int]:
        """Return a copy of a user's numbers."""
        start, end = self._span(place)
        row = array("q")
        row.frombytes(self._bytes[8 * start : 8 * end])
        return row

    def take(self, places: np.ndarray) -> UserPage:
        """Return the page of these users, sorted."""
        places = places[np.argsort(self.last[places], kind="stable")]
        starts = np.concatenate([[0], self._ends[:-1]])[places]
        lengths = self._ends[places] - starts
        ends = np.cumsum(lengths)
        at = np.repeat(starts - ends + lengths, lengths) + np.arange(lengths.sum())
        return _page(self.keys[places], self.last[places], ends, self._numbers[at])

    def without(self, places: np.ndarray) -> UserPage:
        """Return the same page with nothing left of some users: zeros in the places, int64."""
        other = UserPage(self.whole.copy())
        for place in places.tolist():
            other.keys[place] = 0
            other._numbers[slice(*self._span(place))] = 0
        return other

    def _span(self, place: int) -> tuple[int, int]:
        """Return where the numbers of a user begin and end."""
        return self._ends.item(place - 1) if place else 0, self._ends.item(place)


def _page(keys: np.ndarray, last: np.ndarray, ends: np.ndarray, numbers: np.ndarray) -> UserPage:
    return UserPage(np.concatenate([[len(keys)], keys, last, ends, numbers]))
