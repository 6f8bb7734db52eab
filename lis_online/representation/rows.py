"""Which row of a table belongs to which item, in bounded memory."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from lis_online.representation.index import MISSING, ItemIndex

CAPACITY: Final = 1 << 20
"""Items held at most; the tenth that was published longest ago makes room."""

FIRST_ROWS: Final = 1024


@dataclass(frozen=True, slots=True)
class Placed:
    """rows: int64, of each item; new: bool, whether the item had none before; evicted: int64, rows that made room."""

    rows: np.ndarray
    new: np.ndarray
    evicted: np.ndarray


class Rows:
    """Rows 0 to `size` - 1 of a table that its owner keeps; `size` doubles as it fills, up to the capacity."""

    def __init__(self, capacity: int = CAPACITY) -> None:
        self.capacity = capacity
        self._index = ItemIndex()
        self._published = np.zeros(0, np.int64)
        self._free: list[int] = []

    @property
    def size(self) -> int:
        """How many rows the owner's table must have."""
        return len(self._published)

    def get(self, items: np.ndarray) -> np.ndarray:
        """Return the row of each item: int64, same shape, MISSING where there is none."""
        return self._index.get(items)

    def update(self, items: np.ndarray, ts: np.ndarray) -> Placed:
        """Give distinct items, at most as many as the capacity, their rows. ts: when each was published, ms."""
        rows = self._index.get(items)
        new = rows == MISSING
        self._published[rows[~new]] = ts[~new]
        evicted = self._make_room(int(new.sum()), rows[~new])
        taken, self._free = self._free[: int(new.sum())], self._free[int(new.sum()) :]
        rows[new] = taken
        if new.any():
            self._index.update(items[new], rows[new])
            self._published[rows[new]] = ts[new]
        return Placed(rows, new, evicted)

    def _make_room(self, count: int, kept: np.ndarray) -> np.ndarray:
        while len(self._free) < count and self.size < self.capacity:
            rows = min(self.capacity, max(FIRST_ROWS, 2 * self.size))
            self._free += range(self.size, rows)
            self._published = np.concatenate([self._published, np.zeros(rows - self.size, np.int64)])
        if len(self._free) >= count:
            return np.zeros(0, np.int64)
        owned = np.setdiff1d(self._index.content()[1], kept)
        oldest = owned[np.lexsort((owned, self._published[owned]))]
        evicted = oldest[: max(count - len(self._free), self.capacity // 10)]
        self._index.remove(evicted)
        self._free += sorted(evicted.tolist())
        return evicted

    def snapshot(self) -> tuple[list[int], dict[str, np.ndarray]]:
        """Return the state: the free rows and arrays."""
        items, rows = self._index.content()
        return list(self._free), {"items": items, "rows": rows, "published": self._published.copy()}

    def restore(self, free: list[Any], arrays: dict[str, np.ndarray]) -> None:
        """Replace the state with that of `snapshot`; arrays may hold others."""
        self._free = list(free)
        self._index.replace(arrays["items"], arrays["rows"])
        self._published = arrays["published"].copy()


def newest_of_each(items: np.ndarray, ts: np.ndarray, version: np.ndarray, most: int) -> np.ndarray:
    """Return each item's newest row by (ts, version), ascending in (ts, item); of more than `most`, the newest.

    >>> newest_of_each(np.array([7, 8, 7]), np.array([1, 2, 3]), np.array([1, 1, 1]), 10).tolist()
    [1, 2]
    """
    order = np.lexsort((version, items, ts))
    _, last = np.unique(items[order][::-1], return_index=True)
    newest: np.ndarray = order[np.sort(len(order) - 1 - last)][-most:]
    return newest
