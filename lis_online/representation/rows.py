"""Which row of a table belongs to which item, in bounded memory."""

from __future__ import annotations

import weakref
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from lis_online.representation.index import MISSING, ItemIndex
from lis_online.snapshots.held_rows import HeldRows
from lis_online.snapshots.steps import Steps

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
        self._items = np.zeros(0, np.int64)  # of each row; any in a free one
        self._free = np.zeros(0, np.int64)  # never changed in place: a snapshot has it too
        self._held: weakref.ref[HeldRows] | None = None

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
        self._keep(rows[~new])
        self._published[rows[~new]] = ts[~new]
        evicted = self._make_room(int(new.sum()), rows[~new])
        taken, self._free = self._free[: int(new.sum())], self._free[int(new.sum()) :]
        rows[new] = taken
        if new.any():
            self._keep(taken)
            self._index.update(items[new], taken)
            self._items[taken], self._published[taken] = items[new], ts[new]
        return Placed(rows, new, evicted)

    def _make_room(self, count: int, kept: np.ndarray) -> np.ndarray:
        while len(self._free) < count and self.size < self.capacity:
            rows = min(self.capacity, max(FIRST_ROWS, 2 * self.size))
            more = np.zeros(rows - self.size, np.int64)
            self._free = np.concatenate([self._free, np.arange(self.size, rows)])
            self._items = np.concatenate([self._items, more])
            self._published = np.concatenate([self._published, more])
        if len(self._free) >= count:
            return np.zeros(0, np.int64)
        owned = np.setdiff1d(self._index.content()[1], kept)
        oldest = owned[np.lexsort((owned, self._published[owned]))]
        evicted = oldest[: max(count - len(self._free), self.capacity // 10)]
        self._index.remove(evicted)
        self._free = np.concatenate([self._free, np.sort(evicted)])
        return evicted

    def _keep(self, rows: np.ndarray) -> None:
        held = None if self._held is None else self._held()
        if held is not None:
            held.keep(rows)

    def begin_snapshot(self) -> Steps[tuple[list[int], dict[str, np.ndarray]]]:
        """Take hold of the state; return the copying of it: the free rows and arrays."""
        held = HeldRows(self._items, self._published)
        self._held = weakref.ref(held)  # it lives as long as the copying does: then nothing needs to be kept
        return _copying(held, self._free)

    def restore(self, free: list[Any], arrays: dict[str, np.ndarray]) -> None:
        """Replace the state with that of a snapshot; arrays may hold others."""
        self._free = np.array(free, np.int64)
        self._index.replace(arrays["items"], arrays["rows"])
        self._published = arrays["published"]
        self._items = np.zeros(len(self._published), np.int64)
        self._items[arrays["rows"]] = arrays["items"]


def _copying(held: HeldRows, free: np.ndarray) -> Steps[tuple[list[int], dict[str, np.ndarray]]]:
    items, published = yield from held.copying()
    owned = np.ones(len(items), bool)
    owned[free] = False
    rows = np.flatnonzero(owned)
    yield
    items = items[rows]
    yield
    return free.tolist(), {"items": items, "rows": rows, "published": published}


def newest_of_each(items: np.ndarray, ts: np.ndarray, version: np.ndarray, most: int) -> np.ndarray:
    """Return each item's newest row by (ts, version), ascending in (ts, item); of more than `most`, the newest.

    >>> newest_of_each(np.array([7, 8, 7]), np.array([1, 2, 3]), np.array([1, 1, 1]), 10).tolist()
    [1, 2]
    """
    order = np.lexsort((version, items, ts))
    _, last = np.unique(items[order][::-1], return_index=True)
    newest: np.ndarray = order[np.sort(len(order) - 1 - last)][-most:]
    return newest
