"""How durations are distributed: what a classic histogram of Prometheus counts."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate
from math import inf
from typing import Final

from lis_online.exporter.exemplars import Mark

BOUNDS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, inf)
"""Upper ends of the buckets, s. 0.5 is what a turn aims at (`streams.turns.LONGEST_TURN`)."""


@dataclass(frozen=True, slots=True)
class Durations:
    """Durations so far. counts: by bucket of `BOUNDS`, each in one; total: their sum, s; marks: each bucket's last.

    >>> durations = Durations().plus(0.005).plus(0.3)
    >>> durations.count, durations.total, [count for _, count, _ in durations.cumulative()]
    (2, 0.305, [1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2, 2])
    """

    counts: tuple[int, ...] = (0,) * len(BOUNDS)
    total: float = 0.0
    marks: tuple[Mark | None, ...] = (None,) * len(BOUNDS)

    @property
    def count(self) -> int:
        """How many durations there were."""
        return sum(self.counts)

    def plus(self, seconds: float, mark: Mark | None = None) -> Durations:
        """Return these durations and one more. A bucket holds its own upper end. mark: what it was seen with."""
        place = bisect_left(BOUNDS, seconds)
        counts, marks = list(self.counts), list(self.marks)
        counts[place] += 1
        marks[place] = mark or marks[place]
        return Durations(tuple(counts), self.total + seconds, tuple(marks))

    def cumulative(self) -> Iterator[tuple[str, int, Mark | None]]:
        """Yield each bucket's `le`, how many durations are at most as long, and its mark."""
        for bound, count, mark in zip(BOUNDS, accumulate(self.counts), self.marks, strict=True):
            yield "+Inf" if bound == inf else str(bound), count, mark


NONE: Final = Durations()
