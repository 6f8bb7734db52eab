"""Blocks of time: what a time jackknife deletes, one at a time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from lis_online.metrics.bins import COARSE, FINE, FINE_PLACES
from lis_online.metrics.layout import Layout
from lis_online.metrics.sparse import decode_counts, encode_counts
from lis_online.metrics.statistics import Statistics


@dataclass(slots=True)
class Block:
    """Counts of one stretch of time, summed over users.

    coarse, coarse_places: int64 [S, R, 2, COARSE]; sums: int64 [S, R, 3]; counts: int64 [S, 4]; as in `Statistics`.
    """

    coarse: np.ndarray
    coarse_places: np.ndarray
    sums: np.ndarray
    counts: np.ndarray

    @classmethod
    def empty(cls, layout: Layout) -> Block:
        """Return a block of nothing."""
        slices, rankers = len(layout.slices), len(layout.rankers)
        histogram = slices, rankers, 2, COARSE
        shapes = histogram, histogram, (slices, rankers, 3), (slices, 4)
        return cls(*(np.zeros(shape, np.int64) for shape in shapes))

    @classmethod
    def of(cls, statistics: Statistics) -> Block:
        """Return the block of a bucket."""
        slices, rankers = statistics.fine.shape[:2]
        folded = slices, rankers, 2, COARSE, FINE // COARSE
        fine, places = statistics.fine.reshape(folded), statistics.fine_places.reshape(folded)
        coarse = fine.sum(axis=-1, dtype=np.int64)
        offset = FINE_PLACES * np.arange(FINE // COARSE, dtype=np.int64)
        coarse_places = places.sum(axis=-1, dtype=np.int64) + fine @ offset
        return cls(coarse, coarse_places, statistics.sums.sum(axis=2), statistics.counts.sum(axis=1))

    def take(self, places: list[int]) -> Block:
        """Return the counts of some rankers alone."""
        return Block(self.coarse[:, places], self.coarse_places[:, places], self.sums[:, places], self.counts)

    def merge(self, other: Block) -> None:
        """Add another's counts."""
        self.coarse += other.coarse
        self.coarse_places += other.coarse_places
        self.sums += other.sums
        self.counts += other.counts

    def subtract(self, other: Block) -> None:
        """Take back counts that were merged before."""
        self.coarse -= other.coarse
        self.coarse_places -= other.coarse_places
        self.sums -= other.sums
        self.counts -= other.counts

    def snapshot(self) -> list[bytes]:
        """Return the counts as bytes for `restore`."""
        return [encode_counts(array) for array in self._arrays()]

    @classmethod
    def restore(cls, layout: Layout, data: list[Any]) -> Block:
        """Return the block of `snapshot`."""
        block = cls.empty(layout)
        for array, encoded in zip(block._arrays(), data, strict=True):
            array[...] = decode_counts(encoded, array.size).reshape(array.shape)
        return block

    def _arrays(self) -> tuple[np.ndarray, ...]:
        return self.coarse, self.coarse_places, self.sums, self.counts


def merge_block(blocks: dict[int, Block], key: int, block: Block) -> None:
    """Add a block to those of a key."""
    if key in blocks:
        blocks[key].merge(block)
    else:
        blocks[key] = block
