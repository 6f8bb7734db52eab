"""The vectors of one variant in one numpy array, and a slate's cosines in one product."""

from __future__ import annotations

from heapq import heappop, heappush

import numpy as np

from lis_online.events.decode import vector_of
from lis_online.events.hashing import id_hash, salt_of
from lis_online.events.wire import Representation
from lis_online.representation.permutation import GrowingPermutation
from lis_online.representation.summaries import SCALE, TOP

Features = list[list[float]]
"""Of each candidate: mean, max, mean of the top 3; all 0 where it or the history has no vector."""


class Vectors:
    """The newest vector of each item, unit length, as of the time that was advanced to."""

    def __init__(self, name: str, dimension: int) -> None:
        self._dimension = dimension
        self._coming: list[tuple[int, int, str, np.ndarray]] = []
        self._row: dict[str, int] = {}
        self._vectors = np.zeros((1024, dimension), np.float32)
        self._permutation = GrowingPermutation(salt_of(name))
        self._permutation.grow(len(self._vectors))

    def update(self, event: Representation) -> None:
        """Take a vector; it counts from its own time on."""
        vector = vector_of(event, self._dimension).astype(np.float32)
        heappush(
            self._coming,
            (event.ts, id_hash(event.item_id), event.item_id, vector / max(float(np.linalg.norm(vector)), 1e-12)),
        )

    def advance(self, now: int) -> None:
        """Apply what has come up to a time, ms."""
        coming = self._coming
        while coming and coming[0][0] <= now:
            _, _, item, vector = heappop(coming)
            row = self._row.get(item)
            if row is None:
                row = self._row[item] = len(self._row)
                if row == len(self._vectors):
                    self._vectors = np.concatenate([self._vectors, np.zeros_like(self._vectors)])
                    self._permutation.grow(len(self._vectors))
                self._permutation.update(np.array([row]))
            self._vectors[row] = vector

    def get(self, items: list[str], history: list[str]) -> tuple[Features, Features]:
        """Return the similarities of a slate's candidates: aligned, and permuted."""
        row = self._row
        known = [row[item] for item in history if item in row]
        shown = [row.get(item, -1) for item in items]
        if not known:
            nothing = [[0.0, 0.0, 0.0]] * len(items)
            return nothing, nothing
        donor, vectors = self._permutation.donor, self._vectors
        both = np.array([shown, donor[shown]]), np.array([known, donor[known]])
        cosines = np.matmul(vectors[both[0]], vectors[both[1]].transpose(0, 2, 1))
        top = np.partition(cosines, -TOP, axis=2)[:, :, -TOP:] if len(known) > TOP else cosines
        found = SCALE * np.stack([cosines.mean(axis=2), top.max(axis=2), top.mean(axis=2)], axis=2)
        found[:, [k for k, at in enumerate(shown) if at < 0]] = 0
        aligned, permuted = found.tolist()
        return aligned, permuted
