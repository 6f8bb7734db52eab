"""The sum of everything since the warm-up, by a bounded number of blocks of time."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any, Final

from lis_online.metrics.blocks import Block, merge_block
from lis_online.metrics.layout import Layout
from lis_online.metrics.statistics import Statistics
from lis_online.metrics.windows import Window

MOST_BLOCKS: Final = 32
"""At this many blocks their length is doubled, so that a long run has 16 to 31."""


class WholeRun:
    """Every bucket so far, in any order; memory does not grow with the run."""

    def __init__(self, layout: Layout, bucket: int) -> None:
        self.layout = layout
        self.bucket = bucket
        self._width = bucket
        self._start: int | None = None
        self._end = 0
        self._total = Statistics(layout)
        self._blocks: dict[int, Block] = {}

    def update(self, start: int, statistics: Statistics) -> None:
        """Add the bucket that starts at `start`, ms."""
        self._start = start if self._start is None else min(start, self._start)
        self._end = max(start + self.bucket, self._end)
        self._total.merge(statistics)
        merge_block(self._blocks, start // self._width, Block.of(statistics))
        while len(self._blocks) >= MOST_BLOCKS:
            self._double()

    def get(self) -> Window | None:
        """Return the window from the first bucket to the last, None while there is none."""
        if self._start is None:
            return None
        return Window(self._start, self._end, self._total, [self._blocks[key] for key in sorted(self._blocks)])

    def copying(self) -> Generator[None, None, dict[str, Any]]:
        """Return the state as msgpack-able data, yielding between sums: it must not change meanwhile."""
        state = {"width": self._width, "start": self._start, "end": self._end, "total": self._total.encode()}
        yield
        blocks = []
        for key in sorted(self._blocks):
            blocks.append([key, *self._blocks[key].snapshot()])
            yield
        return {**state, "blocks": blocks}

    def restore(self, state: dict[str, Any]) -> None:
        """Replace the state by that of `copying`."""
        self._width, self._start, self._end = state["width"], state["start"], state["end"]
        self._total = Statistics.decode(self.layout, state["total"])
        self._blocks = {key: Block.restore(self.layout, data) for key, *data in state["blocks"]}

    def _double(self) -> None:
        halves, self._blocks = self._blocks, {}
        self._width *= 2
        for key, block in halves.items():
            merge_block(self._blocks, key // 2, block)
