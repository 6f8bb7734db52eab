"""A rolling window over buckets, such as the last hour."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from lis_online.metrics.blocks import Block, merge_block
from lis_online.metrics.layout import Layout
from lis_online.metrics.statistics import SAMPLES, Statistics
from lis_online.metrics.tiles import Tiles

TILES: Final = 96
"""Most stretches a rolling window is kept in: it loses its oldest data one tile at a time, about 1 % of it."""
BLOCKS: Final = 16
"""Blocks of equal time that a window is cut into for the jackknife."""


@dataclass(frozen=True, slots=True)
class Window:
    """The sum of the buckets in [start, end), ms since 1970, and the same by blocks of time, oldest first.

    A view: it holds until the window it came from is next updated or read.
    """

    start: int
    end: int
    total: Statistics
    blocks: list[Block]

    def take(self, slots: list[int]) -> Window:
        """Return the window of some slots of variants alone, and of all that is not a variant's."""
        layout = self.total.layout
        if len(slots) == len(layout.variants):
            return self
        places = layout.places(slots)
        return Window(self.start, self.end, self.total.take(slots), [block.take(places) for block in self.blocks])


class RollingWindow:
    """The buckets of the last `length` ms; memory does not grow with the data.

    A bucket is merged when it comes and subtracted, exactly, when it expires. Expiry happens on reading, so a silent
    stream empties the window. A window of more than 96 buckets keeps, and loses, several at a time (a tile): it then
    covers up to one tile less than its length. Tiles and blocks lie on multiples of their length since 1970,
    so the oldest and the newest block may be short.
    """

    def __init__(self, layout: Layout, length: int, bucket: int) -> None:
        if length < bucket or length % bucket:
            raise ValueError(f"length must be a whole number of buckets of {bucket} ms, got {length}")
        self.layout = layout
        self.length = length
        self.bucket = bucket
        self.tile = bucket * _quotient_up(length, bucket * TILES)
        self.width = self.tile * _quotient_up(length, self.tile * BLOCKS)
        self._clear()

    def update(self, start: int, statistics: Statistics, data: bytes | None = None) -> None:
        """Add the bucket that starts at `start`, ms. data: its bytes, where they are at hand."""
        self._merge(start, statistics)
        self._tiles.update(start - start % self.tile, statistics, data if self.tile == self.bucket else None)

    def get(self, end: int) -> Window:
        """Return the window that ends at `end`, ms, where no bucket may start; drop what is older for good."""
        oldest = end - self.length
        for tile in self._tiles.starts():
            if tile < oldest:
                self._expire(tile)
        blocks = [self._blocks[key] for key in sorted(self._blocks)]
        return Window(oldest + -oldest % self.tile, end, self._total, blocks)

    def snapshot(self) -> list[tuple[int, bytes]]:
        """Return the tiles: their starts and bytes."""
        return self._tiles.snapshot()

    def restore(self, tiles: list[tuple[int, bytes]]) -> None:
        """Replace everything by the tiles of `snapshot`."""
        self._clear()
        for start, data in tiles:
            statistics = Statistics.decode(self.layout, data)
            self._merge(start, statistics)
            self._tiles.update(start, statistics, data)

    def _clear(self) -> None:
        self._total = Statistics(self.layout)
        self._blocks: dict[int, Block] = {}
        self._tiles = Tiles(self.layout)

    def _merge(self, start: int, statistics: Statistics) -> None:
        self._total.merge(statistics)
        merge_block(self._blocks, start // self.width, Block.of(statistics))

    def _expire(self, tile: int) -> None:
        statistics = self._tiles.pop(tile)
        self._total.subtract(statistics)
        block = self._blocks[tile // self.width]
        block.subtract(Block.of(statistics))
        if not block.counts[0, SAMPLES]:
            del self._blocks[tile // self.width]


def _quotient_up(numerator: int, denominator: int) -> int:
    return -(-numerator // denominator)
