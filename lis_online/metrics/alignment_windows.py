"""Pair alignment over windows of pair time: rolling ones, the whole run, the overlap of versions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

import numpy as np

from lis_online.metrics.alignment import (
    LEFT_OUT,
    PAIRS,
    ROWS,
    VECTORS,
    Key,
    PairAlignment,
    Tallies,
    decode,
    distance,
    encode,
    length,
    merge,
    share,
)
from lis_online.metrics.bins import GROUPS
from lis_online.metrics.whole_run import MOST_BLOCKS
from lis_online.metrics.windows import BLOCKS

_SHAPE: Final = (ROWS, GROUPS)


class AlignmentWindows:
    """The tallies of the last buckets, each alone, and of everything, in 16 to 31 blocks of time."""

    def __init__(self, bucket: int, lengths: Iterable[int], kept: int) -> None:
        """bucket, lengths of rolling windows: ms; kept: how much more is remembered for `since`, ms."""
        self.bucket = bucket
        self.lengths = list(lengths)
        self._kept = max([kept, *self.lengths])
        self._recent: dict[int, Tallies] = {}
        self._whole = TimeBlocks(bucket)
        self._later: TimeBlocks | None = None
        self._since = 0
        self.end = 0

    def update(self, buckets: Iterable[tuple[int, bytes]], end: int) -> None:
        """Add buckets of pair time, (start, bytes of `alignment.encode`). end: what has been reached, ms."""
        for start, data in buckets:
            tallies = decode(data)
            merge(self._recent.setdefault(start, {}), tallies)
            self._whole.update(start, tallies)
            if self._later is not None and start >= self._since:
                self._later.update(start, tallies)
            end = max(end, start + self.bucket)
        self.end = max(self.end, end // self.bucket * self.bucket)
        for start in [start for start in self._recent if start < self.end - self._kept]:
            del self._recent[start]

    def begin(self, since: int) -> None:
        """Begin the overlap anew at a pair time, ms: what is remembered from then on is in it."""
        self._since, self._later = since, TimeBlocks(self.bucket)
        for start, tallies in sorted(self._recent.items()):
            if start >= since:
                self._later.update(start, tallies)

    def rolling(self, length: int) -> dict[Key, PairAlignment]:
        """Return the alignment of each version in the last `length` ms of pair time."""
        return self.between(self.end - length, self.end)

    def between(self, start: int, end: int) -> dict[Key, PairAlignment]:
        """Return the alignment of each version over the buckets that begin in [start, end), ms of pair time.

        It must be among what is remembered.
        """
        width = self.bucket * -(-(end - start) // (self.bucket * BLOCKS))
        blocks: dict[int, Tallies] = {}
        for begin, tallies in self._recent.items():
            if start <= begin < end:
                merge(blocks.setdefault(begin // width, {}), tallies)
        return self._numbers(blocks)

    def whole(self) -> dict[Key, PairAlignment]:
        """Return the alignment of each version over everything."""
        return self._numbers(self._whole.blocks)

    def overlap(self) -> dict[Key, PairAlignment]:
        """Return the alignment of each version since `begin`."""
        return {} if self._later is None else self._numbers(self._later.blocks)

    def _numbers(self, blocks: Mapping[int, Tallies]) -> dict[Key, PairAlignment]:
        keys = dict.fromkeys(key for start in sorted(blocks) for key in blocks[start])
        found = {}
        for key in keys:
            stack = np.stack([blocks[b].get(key, np.zeros(_SHAPE, np.int64)) for b in sorted(blocks)])
            total = stack.sum(axis=(0, 2)).tolist()
            found[key] = PairAlignment(
                *key,
                share(stack),
                total[PAIRS],
                total[LEFT_OUT],
                self.end,
                total[VECTORS],
                length(stack),
                distance(stack),
            )
        return found

    def snapshot(self) -> dict[str, Any]:
        """Return the state as msgpack-able data."""
        return {
            "recent": [[start, encode(tallies)] for start, tallies in sorted(self._recent.items())],
            "whole": self._whole.snapshot(),
            "later": None if self._later is None else self._later.snapshot(),
            "since": self._since,
            "end": self.end,
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Replace the state by that of `snapshot`."""
        self._recent = {start: decode(data) for start, data in state["recent"]}
        self._whole.restore(state["whole"])
        self._later = None
        if state["later"] is not None:
            self._later = TimeBlocks(self.bucket)
            self._later.restore(state["later"])
        self._since, self.end = state["since"], state["end"]


class TimeBlocks:
    """Tallies in a bounded number of blocks of time: at `MOST_BLOCKS` their length is doubled."""

    def __init__(self, width: int) -> None:
        self._width = width
        self.blocks: dict[int, Tallies] = {}

    def update(self, start: int, tallies: Tallies) -> None:
        """Add the bucket that starts at `start`, ms."""
        merge(self.blocks.setdefault(start // self._width, {}), tallies)
        while len(self.blocks) >= MOST_BLOCKS:
            halves, self.blocks = self.blocks, {}
            self._width *= 2
            for key, half in halves.items():
                merge(self.blocks.setdefault(key // 2, {}), half)

    def snapshot(self) -> list[Any]:
        """Return the state as msgpack-able data."""
        return [self._width, [[key, encode(tallies)] for key, tallies in sorted(self.blocks.items())]]

    def restore(self, state: list[Any]) -> None:
        """Replace the state by that of `snapshot`."""
        self._width, blocks = state
        self.blocks = {key: decode(data) for key, data in blocks}
