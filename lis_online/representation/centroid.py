"""Where the vectors of a version lie: the centroid of those seen, as unit vectors."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

MOST: Final = 1_000_000
"""Vectors that weigh in: at more the older ones' weight is halved, so that the centroid goes on following."""


class Centroid:
    """The mean direction of unit vectors; a function of them and their order.

    >>> one = Centroid(2)
    >>> one.distances(np.array([[1.0, 0.0]])).tolist()
    [nan]
    >>> one.update(np.array([[1.0, 0.0]]))
    >>> one.distances(np.array([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0]])).tolist()
    [0.0, 1.0, 2.0]
    """

    def __init__(self, dimension: int) -> None:
        self._sum = np.zeros(dimension)
        self._count = 0.0

    def update(self, vectors: np.ndarray) -> None:
        """Add unit vectors, float [n, dimension]."""
        self._sum += vectors.sum(axis=0, dtype=np.float64)
        self._count += len(vectors)
        if self._count > MOST:
            self._sum /= 2
            self._count /= 2

    def distances(self, vectors: np.ndarray) -> np.ndarray:
        """Return 1 - cosine of each unit vector to the centroid so far, float64 [n], 0 to 2; NaN while it has none."""
        size = float(np.sqrt(self._sum @ self._sum))
        if not size:
            return np.full(len(vectors), np.nan)
        return np.clip(1 - vectors.astype(np.float64) @ (self._sum / size), 0, 2)

    def snapshot(self) -> list[Any]:
        """Return the state as msgpack-able data."""
        return [self._sum.tobytes(), self._count]

    def restore(self, state: list[Any]) -> None:
        """Replace the state by that of `snapshot`."""
        data, self._count = state
        self._sum = np.frombuffer(data, np.float64).copy()
