"""Vectors whose time has not come."""

from __future__ import annotations

import numpy as np

from lis_online.events.batches import VectorBatch
from lis_online.representation.rows import newest_of_each


class VectorQueue:
    """Vectors that wait for their time; `update` in any order, `take` at times that never fall back.

    >>> one, both = np.array([7]), np.ones((1, 2), np.float16)
    >>> queue = VectorQueue(2)
    >>> queue.update(VectorBatch(np.array([5]), one, one, both))
    >>> queue.take(4, most=10) is None, len(queue.take(5, most=10)), len(queue.get())
    (True, 1, 0)
    """

    def __init__(self, dimension: int) -> None:
        empty = np.zeros(0, np.int64)
        self._batches = [VectorBatch(empty, empty, empty, np.zeros((0, dimension), np.float16))]

    def update(self, batch: VectorBatch) -> None:
        """Add vectors."""
        if len(batch):
            self._batches.append(batch)

    def get(self) -> VectorBatch:
        """Return all that wait, in the order they came."""
        if len(self._batches) > 1:
            self._batches = [VectorBatch.concatenate(self._batches)]
        return self._batches[0]

    def take(self, t: int, most: int) -> VectorBatch | None:
        """Take out what has ts <= t, ms; return each item's newest of it, ascending in (ts, item).

        Of more than `most` items, the newest; None where nothing is due.
        """
        queued = self.get()
        due = queued.ts <= t
        if not due.any():
            return None
        self._batches = [queued.take(~due)]
        batch = queued.take(due)
        return batch.take(newest_of_each(batch.item, batch.ts, batch.version, most))

    def restore(self, packed: bytes) -> None:
        """Replace what waits with that of an encoded batch."""
        self._batches = [VectorBatch.decode(packed)]
