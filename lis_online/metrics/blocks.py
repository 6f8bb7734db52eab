"""Blocks of time: what a time jackknife deletes, one at a time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from lis_online.metrics.layout import Layout
from lis_online.metrics.sparse import decode_counts, encode_counts
from lis_online.metrics.statistics import COARSE, FINE, Statistics


@dataclass(slots=True)
class Block:
    """Counts of one stretch of time, summed over users.

    coarse: int64 [S, R, 2, COARSE]; sums: int64 [S, R, 3]; counts: int64 [S, 4]; as in `Statistics`.
    """

    coarse: np.ndarray
    sums: np.ndarray
    counts: np.ndarray

    @classmethod
    def empty(cls, layout: Layout) -> Block:
        """Return a block of nothing."""
        slices, rankers = len(layout.slices), len(layout.rankers)
        shapes = (slices, rankers, 2, COARSE), (slices, rankers, 3), (slices, 4)
        return cls(*(np.zeros(shape, np.int64) for shape in shapes))

    @classmethod
    def of(cls, statistics: Statistics) -> Block:
        """Return the block of a bucket."""
        slices, rankers = statistics.fine.shape[:2]
        coarse = statistics.fine.reshape(slices, rankers, 2, COARSE, FINE // COARSE).sum(axis=-1, dtype=np.int64)
        return cls(coarse, statistics.sums.sum(axis=2), statistics.counts.sum(axis=1))

    def take(self, places: list[int]) -> Block:
        """Return the counts of some rankers alone."""
        return Block(self.coarse[:, places], self.sums[:, places], self.counts)

    def merge(self, other: Block) -> None:
        """Add another's counts."""
        self.coarse += other.coarse
        self.sums += other.sums
        self.counts += other.counts

    def subtract(self, other: Block) -> None:
        """Take back counts that were merged before."""
        self.coarse -= other.coarse
        self.sums -= other.sums
        self.counts -= other.counts

    def snapshot(self) -> list[bytes]:
        """Return the counts as bytes for `restore`."""
        return [encode_counts(array) for array in (self.coarse, self.sums, self.counts)]

    @classmethod
    def restore(cls, layout: Layout, data: list[Any]) -> Block:
        """Return the block of `snapshot`."""
        block = cls.empty(layout)
        for array, encoded in zip((block.coarse, block.sums, block.counts), data, strict=True):
            array[...] = decode_counts(encoded, array.size).reshape(array.shape)
        return block


def merge_block(blocks: dict[int, Block], key: int, block: Block) -> None:
    """Add a block to those of a key."""
    if key in blocks:
        blocks[key].merge(block)
    else:
        blocks[key] = block
