"""Why a number is missing."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from lis_online.metrics.levels import Metric
from lis_online.metrics.statistics import MIXED, POSITIVES, SAMPLES, SLATES, Statistics

NO_SAMPLES = "no samples"
NO_POSITIVES = "no positives"
NO_NEGATIVES = "no negatives"
NO_MIXED_SLATE = "no slate with both labels"
DIVERGED = "diverged"
TOO_FEW = "too few positives for an interval"
NO_PAIR = "no sample has a pair"
NO_VECTOR = "no sample has vectors"


class Missing:
    """The reasons of a sum of buckets: for all numbers of a slice, and for those of single rankers.

    A ranker whose histogram misses samples was set aside, or not finite, for some of them: what is left is not the
    same samples as the others', so it has no number.
    """

    def __init__(
        self,
        statistics: Statistics,
        empty: str = NO_SAMPLES,
        absent: Mapping[str, str] | None = None,
        set_aside: Mapping[str, str] | None = None,
    ) -> None:
        """absent: rankers that have no number at all, and why; set_aside: why rankers were set aside, by name."""
        self._empty = empty
        self.absent = absent or {}
        self._set_aside = set_aside or {}
        self._names = statistics.layout.rankers
        counts = statistics.counts.sum(axis=1)
        self.samples = counts[:, SAMPLES].tolist()
        self.positives = counts[:, POSITIVES].tolist()
        self.slates = counts[:, SLATES].tolist()
        self._mixed = counts[:, MIXED].tolist()
        seen = statistics.fine.sum(axis=(2, 3), dtype=np.int64)
        self._incomplete = [set(np.flatnonzero(row).tolist()) for row in seen != counts[:, None, SAMPLES]]

    def get(self, slice_index: int, metric: Metric, *rankers: int) -> str | None:
        """Return why a metric of some rankers has no value, None where it has one."""
        if not self.samples[slice_index]:
            return self._empty
        for place in rankers:
            if self._names[place] in self.absent:
                return self.absent[self._names[place]]
        for place in rankers:
            if place in self._incomplete[slice_index]:
                return self._set_aside.get(self._names[place], DIVERGED)
        if not self.positives[slice_index]:
            return NO_POSITIVES
        if self.positives[slice_index] == self.samples[slice_index]:
            return NO_NEGATIVES
        if metric == "gauc" and not self._mixed[slice_index]:
            return NO_MIXED_SLATE
        return None
