"""The newest rows of a series, oldest first, in bounded memory."""

from __future__ import annotations

from typing import Any

import numpy as np

from lis_online.drift.reading import Parts
from lis_online.drift.reference import COLUMNS, TIME


class Rows:
    """At most `most` rows of time, ms, and parts; one more drops the oldest."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._data = np.zeros((0, COLUMNS))
        self._first = self._next = 0

    def __len__(self) -> int:
        return self._next - self._first

    def update(self, time: int, parts: Parts) -> None:
        """Add a row that is later than all others."""
        if self._next == len(self._data):
            self._move()
        self._data[self._next] = (time, *parts)
        self._next += 1
        self._first = max(self._first, self._next - self._most)

    def get(self) -> np.ndarray:
        """Return the rows, float64 [n, 6]: a view that holds until the next change."""
        return self._data[self._first : self._next]

    def since(self, time: int) -> np.ndarray:
        """Return the rows from a time on."""
        rows = self.get()
        return rows[int(np.searchsorted(rows[:, TIME], time)) :]

    def before(self, time: int) -> np.ndarray:
        """Return the rows before a time."""
        rows = self.get()
        return rows[: int(np.searchsorted(rows[:, TIME], time))]

    def drop(self, start: int, end: int) -> None:
        """Forget the rows in [start, end)."""
        rows = self.get()
        self._replace(rows[(rows[:, TIME] < start) | (rows[:, TIME] >= end)])

    def snapshot(self) -> list[list[float]]:
        """Return the rows as plain data."""
        found: list[list[float]] = self.get().tolist()
        return found

    def restore(self, state: list[Any]) -> None:
        """Replace the rows by those of `snapshot`."""
        self._replace(np.array(state, np.float64).reshape(-1, COLUMNS))

    def _move(self) -> None:
        """Make room for as many rows again as there are."""
        rows = self.get()
        self._data = np.concatenate([rows, np.zeros((max(len(rows), 64), COLUMNS))])
        self._first, self._next = 0, len(rows)

    def _replace(self, rows: np.ndarray) -> None:
        self._data = rows.copy()
        self._first, self._next = 0, len(rows)
