"""An exact index from item hashes to rows, sorted, so that look-ups are vectorised."""

from __future__ import annotations

import numpy as np

MISSING = -1
"""The row of an item that is not there."""


class ItemIndex:
    """Item hashes and the row each one owns."""

    def __init__(self) -> None:
        self.items = np.zeros(0, np.int64)
        self.rows = np.zeros(0, np.int64)

    def get(self, items: np.ndarray) -> np.ndarray:
        """Return the row of each item: int64, same shape, MISSING where there is none."""
        if not len(self.items):
            return np.full(items.shape, MISSING, np.int64)
        at = np.minimum(np.searchsorted(self.items, items), len(self.items) - 1)
        return np.where(self.items[at] == items, self.rows[at], MISSING)

    def update(self, items: np.ndarray, rows: np.ndarray) -> None:
        """Add distinct items that are not there yet."""
        merged = np.concatenate([self.items, items])
        order = np.argsort(merged, kind="stable")
        self.items, self.rows = merged[order], np.concatenate([self.rows, rows])[order]

    def remove(self, rows: np.ndarray) -> None:
        """Forget the items that own some rows."""
        kept = ~np.isin(self.rows, rows)
        self.items, self.rows = self.items[kept], self.rows[kept]
