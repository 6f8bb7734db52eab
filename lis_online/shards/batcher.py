"""Steps of a fixed size, cut by the events alone: never by how they arrived."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from lis_online.events.batches import SlateBatch


class Batcher:
    """Slates waiting for their step: whole slates of one metric bucket, at most `size` samples (or one larger slate).

    A step never spans two buckets, so a bucket can be closed without waiting for a later sample.
    """

    def __init__(self, size: int, bucket: int, experiments: int, width: int) -> None:
        self.size = size
        self.bucket = bucket
        self._slates = SlateBatch.empty(experiments)
        self._counts = np.zeros((0, width), np.float32)

    def update(self, slates: SlateBatch, counts: np.ndarray) -> None:
        """Add slates that follow those already here."""
        self._slates = SlateBatch.concatenate([self._slates, slates])
        self._counts = np.concatenate([self._counts, counts])

    def take(self, complete_until: int) -> Iterator[tuple[SlateBatch, np.ndarray]]:
        """Yield and remove the steps that no later slate can join.

        complete_until: every slate with a time before it has been given to `update`.
        """
        slates = self._slates
        if not len(slates):
            return
        ends = np.cumsum(slates.n_items, dtype=np.int64)
        buckets = slates.ts // self.bucket
        first = 0
        steps = []
        while first < len(slates):
            before = int(ends[first - 1]) if first else 0
            full = max(int(np.searchsorted(ends, before + self.size, side="right")), first + 1)
            last = min(full, int(np.searchsorted(buckets, buckets[first], side="right")))
            if last == len(slates) and (int(buckets[first]) + 1) * self.bucket > complete_until:
                break
            steps.append((first, last, before, int(ends[last - 1])))
            first = last
        done = steps[-1][3] if steps else 0
        counts = self._counts
        self._slates, self._counts = slates.take(np.arange(first, len(slates))), counts[done:]
        for a, b, low, high in steps:
            yield slates.take(np.arange(a, b)), counts[low:high]

    def snapshot(self) -> tuple[bytes, np.ndarray]:
        """Return the waiting slates and their count features."""
        return self._slates.encode(), self._counts.copy()

    def restore(self, slates: bytes, counts: np.ndarray) -> None:
        """Replace the state with that of `snapshot`."""
        self._slates, self._counts = SlateBatch.decode(slates), counts
