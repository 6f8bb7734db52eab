"""Rows of users, by hash: numbered in the order of their first appearance, in 16 bytes each."""

from __future__ import annotations

from typing import Final

import numpy as np

LATELY: Final = 8
"""The newest users are kept apart until they are one in so many, so that adding a few does not move all."""
_FEW: Final = 10_000


class UserRows:
    """The row of each user: 0, 1, 2, ...

    >>> rows = UserRows()
    >>> rows.update(np.array([30, 50], np.uint64)); rows.update(np.array([20], np.uint64))
    >>> rows.get(np.array([20, 30, 40], np.uint64)).tolist()
    [2, 0, -1]
    """

    def __init__(self) -> None:
        self._settled = _Sorted()
        self._lately = _Sorted()

    def get(self, users: np.ndarray) -> np.ndarray:
        """Return the row of each user, -1 where unknown: int64, as users, uint64."""
        rows = self._settled.get(users)
        return np.where(rows < 0, self._lately.get(users), rows)

    def update(self, users: np.ndarray) -> None:
        """Give distinct users, all of them unknown, the next rows, in their order."""
        self._lately.update(users, np.arange(len(self), len(self) + len(users)))
        if len(self._lately) > _FEW + len(self._settled) // LATELY:
            self._settled.update(self._lately.users, self._lately.rows)
            self._lately = _Sorted()

    def __len__(self) -> int:
        return len(self._settled) + len(self._lately)


class _Sorted:
    """Users in order, and the row of each."""

    def __init__(self) -> None:
        self.users = np.zeros(0, np.uint64)
        self.rows = np.zeros(0, np.int64)

    def __len__(self) -> int:
        return len(self.users)

    def get(self, users: np.ndarray) -> np.ndarray:
        if not len(self):
            return np.full(len(users), -1, np.int64)
        at = np.minimum(np.searchsorted(self.users, users), len(self) - 1)
        return np.where(self.users[at] == users, self.rows[at], -1)

    def update(self, users: np.ndarray, rows: np.ndarray) -> None:
        order = np.argsort(np.concatenate([self.users, users]), kind="stable")
        self.users = np.concatenate([self.users, users])[order]
        self.rows = np.concatenate([self.rows, rows])[order]
