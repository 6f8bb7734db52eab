"""How durations are distributed: what a classic histogram of Prometheus counts."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from math import inf
from typing import Final

BOUNDS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, inf)
"""Upper ends of the buckets, seconds. 0.5 is what a turn aims at (`streams.turns.LONGEST_TURN`)."""


@dataclass(frozen=True, slots=True)
class Durations:
    """Durations so far. counts: how many are in each bucket of `BOUNDS` and in none below; total: their sum, s.

    >>> durations = Durations().plus(0.005).plus(0.3)
    >>> durations.count, durations.total, list(durations.cumulative())[-1]
    (2, 0.305, ('+Inf', 2))
    """

    counts: tuple[int, ...] = (0,) * len(BOUNDS)
    total: float = 0.0

    @property
    def count(self) -> int:
        """How many durations there were."""
        return sum(self.counts)

    def plus(self, seconds: float) -> Durations:
        """Return these durations and one more. A bucket holds its own upper end."""
        counts = list(self.counts)
        counts[bisect_left(BOUNDS, seconds)] += 1
        return Durations(tuple(counts), self.total + seconds)

    def cumulative(self) -> Iterator[tuple[str, int]]:
        """Yield each bucket's upper end, as the label `le` spells it, and how many durations are at most as long."""
        below = 0
        for bound, count in zip(BOUNDS, self.counts, strict=True):
            below += count
            yield ("+Inf" if bound == inf else str(bound)), below
