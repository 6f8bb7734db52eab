"""An exact index from item hashes to rows: an open hash table, for one look-up must not cost a sort."""

from __future__ import annotations

from typing import Final

import numpy as np

from lis_online.compiled import compiled

MISSING: Final = -1
"""The row of an item that is not there."""

FACTOR: Final = -7046029254386353131
"""2**64 / golden ratio, odd, as a signed 64-bit number (Fibonacci hashing, Knuth 6.4)."""

FIRST_BITS: Final = 8


class ItemIndex:
    """Item hashes and the row each one owns.

    Linear probing in a table of [2**bits, 2] items and rows, at most half full; a row of MISSING is a free place.
    """

    def __init__(self) -> None:
        self._table = _empty(FIRST_BITS)
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def get(self, items: np.ndarray) -> np.ndarray:
        """Return the row of each item: int64, same shape, MISSING where there is none."""
        return _get(self._table, np.array(items, np.int64).ravel()).reshape(items.shape)

    def update(self, items: np.ndarray, rows: np.ndarray) -> None:
        """Add distinct items that are not there yet."""
        need = self._count + len(items)
        bits = len(self._table).bit_length() - 1
        if 2 * need > 1 << bits:
            held = self.content()
            self._table = _empty(max(bits + 1, (2 * need - 1).bit_length()))
            _put(self._table, *held)
        _put(self._table, np.array(items, np.int64), np.array(rows, np.int64))
        self._count = need

    def remove(self, rows: np.ndarray) -> None:
        """Forget the items that own some rows. Costs a pass over the table."""
        items, held = self.content()
        kept = ~np.isin(held, rows)
        self.replace(items[kept], held[kept])

    def content(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the items, ascending, and their rows: int64."""
        used = self._table[self._table[:, 1] != MISSING]
        order = np.argsort(used[:, 0])
        return used[order, 0], used[order, 1]

    def replace(self, items: np.ndarray, rows: np.ndarray) -> None:
        """Hold these items and no others."""
        self._table, self._count = _empty(FIRST_BITS), 0
        self.update(items, rows)


def _empty(bits: int) -> np.ndarray:
    return np.full((1 << bits, 2), MISSING, np.int64)


@compiled
def _place(table: np.ndarray, item: int) -> int:
    """Return where an item is, or would be."""
    last = len(table) - 1
    at = (item * FACTOR >> 20) & last
    while table[at, 1] != MISSING and table[at, 0] != item:
        at = (at + 1) & last
    return at


@compiled
def _get(table: np.ndarray, items: np.ndarray) -> np.ndarray:
    rows = np.empty(len(items), np.int64)
    for n in range(len(items)):
        rows[n] = table[_place(table, items[n]), 1]
    return rows


@compiled
def _put(table: np.ndarray, items: np.ndarray, rows: np.ndarray) -> None:
    for n in range(len(items)):
        at = _place(table, items[n])
        table[at, 0], table[at, 1] = items[n], rows[n]
