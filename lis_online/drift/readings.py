"""The readings of one detection bucket, from the statistics of its time: what the publish shard supplies."""

from __future__ import annotations

import math
from collections.abc import Container, Mapping

import numpy as np

from lis_online.drift import reading as names
from lis_online.drift.reading import INPUT, SOURCE, UNLEAKED, VARIANT, Parts, Reading, Series, share
from lis_online.metrics.alignment import PairAlignment
from lis_online.metrics.contrasts import contrasts
from lis_online.metrics.estimate import Estimate
from lis_online.metrics.jackknife import wider
from lis_online.metrics.layout import ALL, Layout
from lis_online.metrics.levels import Levels, Metric, levels
from lis_online.metrics.numbers import numbers
from lis_online.metrics.presence import Presence
from lis_online.metrics.results import SliceNumbers
from lis_online.metrics.windows import Window


def readings(
    window: Window,
    layout: Layout,
    metric: Metric,
    presence: Presence,
    alignment: Mapping[str, PairAlignment],
    learning: Container[str] = (),
) -> list[Reading]:
    """Return the readings of a window of non-overlapping time: those of its newest versions, over all samples.

    Standard errors are the jackknife's alone: that learning differs between runs does not move a number within one.
    alignment: by key, of the pairs of the same stretch of *pair* time. learning: keys of the versions whose rankers
    still learn what the vectors mean: what these give is no number of the vectors yet.
    """
    build = _Builder(window, layout, metric, presence, learning)
    found = [build.traffic(), build.auc(), build.difference(UNLEAKED, "", names.TWIN)]
    for source in layout.sources:
        found += [build.difference(SOURCE, source, names.ADJUSTED_LIS), build.covered(source)]
    for k, held in enumerate(presence.versions):
        if held.newest:
            found += build.variant(k, alignment)
    return found


class _Builder:
    def __init__(
        self, window: Window, layout: Layout, metric: Metric, presence: Presence, learning: Container[str]
    ) -> None:
        slots = presence.slots(layout)
        taken, self._layout = window.take(slots), layout.take(slots)
        self._start, self._keys, self._versions = window.start, presence.keys(), presence.versions
        self._learning = learning
        self._numbers: SliceNumbers = numbers(window, layout, metric, presence=presence)[ALL]
        wanted = contrasts(self._layout)
        level = levels(taken, metric)
        self._difference = level.minus([c.first for c in wanted], [c.second for c in wanted])
        self._variance = wider(*self._difference.variances())[0]
        self._column = {(c.kind, c.subject, c.number): k for k, c in enumerate(wanted)}
        self._samples = self._numbers.samples
        self._cluster = self._samples / max(self._numbers.slates, 1)

    def traffic(self) -> Reading:
        """Return the logarithm of the number of samples, as slates vary."""
        n, series = self._samples, Series(INPUT, "", names.TRAFFIC)
        if not n:
            return Reading(series, self._start, None, 0)
        return Reading.of(series, self._start, math.log(n), 1 / math.sqrt(n / self._cluster), n)

    def auc(self) -> Reading:
        """Return the unleaked ranker's AUC."""
        found = self._numbers.unleaked[names.AUC]
        return Reading.of(Series(UNLEAKED, "", names.AUC), self._start, found.value, found.stderr, self._samples)

    def difference(self, kind: str, subject: str, number: str) -> Reading:
        """Return a difference of rankers that is no variant's."""
        own = self._numbers.twin if kind == UNLEAKED else self._numbers.sources[subject].adjusted_lis
        return self._reading(Series(kind, subject, number), own, self._column[kind, subject, number])

    def covered(self, source: str) -> Reading:
        """Return the share of samples that a source has a pair for."""
        found, series = self._numbers.sources[source].coverage, Series(SOURCE, source, names.COVERAGE)
        return share(series, self._start, found, self._samples, self._cluster)

    def variant(self, k: int, alignment: Mapping[str, PairAlignment]) -> list[Reading]:
        """Return the readings of the version in the slot in use number k."""
        key, version, slot = self._keys[k], self._versions[k].version, self._layout.variants[k]
        found = self._numbers.variants[key]
        source = found.source
        ais, lis = self._column[VARIANT, slot, names.ADJUSTED_AIS], self._column[SOURCE, source, names.ADJUSTED_LIS]
        gain = Estimate.none("learning") if key in self._learning else found.adjusted_ais
        plain = self._reading(Series(VARIANT, key, names.ADJUSTED_AIS), gain, ais, version, source)
        parts = None if plain.parts is None else self._parts(plain.parts, lis, ais)
        ratio = Reading(Series(VARIANT, key, names.EFFICIENCY), self._start, parts, self._samples, version, source)
        cover = share(
            Series(VARIANT, key, names.COVERAGE), self._start, found.coverage, self._samples, self._cluster, version
        )
        return [plain, ratio, cover, *self._aligned(key, version, source, alignment.get(key))]

    def _aligned(self, key: str, version: str, source: str, found: PairAlignment | None) -> list[Reading]:
        if found is None:
            return []
        numbers = (
            (names.PAIR_ALIGNMENT, found.share, found.pairs),
            (names.VECTOR_NORM, found.length, found.vectors),
            (names.VECTOR_SHIFT, found.distance, found.vectors),
        )
        return [
            Reading.of(Series(VARIANT, key, number), self._start, own.value, own.stderr, count, version, source)
            for number, own, count in numbers
        ]

    def _reading(self, series: Series, own: Estimate, column: int, version: str = "", source: str = "") -> Reading:
        stderr = math.sqrt(self._variance[column]) if own.value is not None else None
        return Reading.of(series, self._start, own.value, stderr, self._samples, version, source)

    def _parts(self, ais: Parts, lis: int, column: int) -> Parts | None:
        value, variance = float(self._difference.value[0, lis]), float(self._variance[lis])
        if math.isnan(value) or math.isnan(variance):
            return None
        joint = _joint(self._difference, column, lis)
        return Parts(ais.numerator, value, ais.numerator_variance, variance, joint)


def _joint(difference: Levels, first: int, second: int) -> float:
    """Return the covariance of two differences, from the jackknife whose variance of their sum is the wider."""
    a, b = difference.take([first]), difference.take([second])
    both = [float(x[0, 0]) for x in a.covariances(b)]
    spread = [float(x[0, 0] + y[0, 0]) for x, y in zip(a.variances(), b.variances(), strict=True)]
    return both[int(np.nanargmax(spread))]
