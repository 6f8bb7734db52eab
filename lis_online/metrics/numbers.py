"""The numbers of a window, for every slice at once."""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from lis_online.metrics.auc import divide
from lis_online.metrics.bins import FIXED
from lis_online.metrics.contrasts import Contrast, contrasts
from lis_online.metrics.effective import effective_users
from lis_online.metrics.efficiency import JointCovariances, efficiency
from lis_online.metrics.estimate import T_QUANTILE, Estimate
from lis_online.metrics.jackknife import wider
from lis_online.metrics.layout import UNLEAKED, Layout
from lis_online.metrics.levels import Levels, Metric, calibration_levels, entropy_levels, levels
from lis_online.metrics.missing import NO_PAIR, NO_SAMPLES, NO_VECTOR, TOO_FEW, Missing
from lis_online.metrics.presence import Presence
from lis_online.metrics.results import SliceNumbers, SourceNumbers, VariantNumbers
from lis_online.metrics.statistics import COVERED, FALSE_COVER, Statistics
from lis_online.metrics.windows import Window

_TWIN: Final = 0


def numbers(
    window: Window,
    layout: Layout,
    metric: Metric = "auc",
    empty: str = NO_SAMPLES,
    presence: Presence | None = None,
) -> dict[str, SliceNumbers]:
    """Return the numbers of each slice of a window, by the slice's name.

    metric: what LIS, AIS, the twin and their kin are differences of. empty: the reason given where
    there is no sample. presence: which versions and rankers there are; None: those a group begins with.
    """
    presence = presence or Presence.of(layout)
    slots = presence.slots(layout)
    build = _Builder(window.take(slots), layout.take(slots), metric, empty, presence)
    return {name: build.slice(index, name) for index, name in enumerate(layout.slices)}


def learning_noise(twin: np.ndarray, variance: np.ndarray) -> np.ndarray:
    """Return the variance that learning adds: half the twin's square where it is more than chance, else 0.

    twin: M(twin) - M(unleaked), float64 [...]; variance: its own. A twin difference is that of two
    draws of the learning, so its square is twice the variance of one.

    >>> learning_noise(np.array([0.01, 0.01]), np.array([1e-6, 1e-4])).tolist()
    [5e-05, 0.0]
    """
    loud = np.abs(twin) > T_QUANTILE * np.sqrt(variance)
    return np.where(loud, twin * twin / 2, 0.0)


class _Builder:
    """The arrays of a window, and the objects made of them."""

    def __init__(self, window: Window, layout: Layout, metric: Metric, empty: str, presence: Presence) -> None:
        self.layout, self.metric, self.presence, self.start = layout, metric, presence, window.start
        self.missing = Missing(window.total, empty, presence.absent(window.start), presence.set_aside)
        self.wanted = contrasts(layout)
        level = levels(window, metric)
        difference = level.minus([c.first for c in self.wanted], [c.second for c in self.wanted])
        variance = wider(*difference.variances())
        self.noise = learning_noise(difference.value[:, _TWIN], variance[:, _TWIN])
        self.value, self.variance = difference.value.tolist(), variance.tolist()
        self.level = level.value.tolist()
        self.unleaked = _unleaked(window, metric, level)
        self.joint = self._joint(difference)
        self.effective = effective_users(window.total.users).tolist()
        self.coverage, self.collisions = _coverage(window.total)
        self.covered = window.total.cover[..., COVERED].tolist()
        self.vectors = divide(window.total.vectors, np.array(self.missing.samples)[:, None]).tolist()

    def slice(self, index: int, name: str) -> SliceNumbers:
        """Return one slice's numbers."""
        found = {
            (c.kind, c.subject, c.number): self._difference(index, column, c) for column, c in enumerate(self.wanted)
        }
        return SliceNumbers(
            slice=name,
            samples=self.missing.samples[index],
            slates=self.missing.slates[index],
            positives=self.missing.positives[index],
            effective_users=_number(self.effective[index]),
            unleaked={number: self._unleaked(index, number) for number in self.unleaked},
            twin=found["unleaked", "", "twin"],
            sources={s: self._source(index, k, s, found) for k, s in enumerate(self.layout.sources)},
            variants={key: self._variant(index, k, found) for k, key in enumerate(self.presence.keys())},
            levels={
                self.presence.key(ranker): None
                if self.missing.get(index, self.metric, k)
                else _number(self.level[index][k])
                for k, ranker in enumerate(self.layout.rankers)
            },
            start=self.start,
        )

    def _difference(self, index: int, column: int, contrast: Contrast) -> Estimate:
        reason = self.missing.get(index, self.metric, contrast.first, contrast.second) or self._unseen(index, contrast)
        noise = 0.0 if column == _TWIN else float(self.noise[index])
        return self._estimate(index, self.value[index][column], self.variance[index][column], reason, noise)

    def _unseen(self, index: int, contrast: Contrast) -> str | None:
        """Return why a difference says nothing: its rankers saw no more than the unleaked one."""
        if contrast.kind == "source" and not self.covered[index][self.layout.sources.index(contrast.subject)]:
            return NO_PAIR
        if contrast.kind == "variant" and not self.vectors[index][self.layout.variants.index(contrast.subject)]:
            return NO_VECTOR
        return None

    def _unleaked(self, index: int, number: str) -> Estimate:
        value, variance = self.unleaked[number]
        reason = self.missing.get(index, "gauc" if number == "gauc" else "auc", UNLEAKED)
        return self._estimate(index, float(value[index]), float(variance[index]), reason, 0.0)

    def _estimate(self, index: int, value: float, variance: float, reason: str | None, noise: float) -> Estimate:
        if reason is None and (math.isnan(variance) or math.isnan(value)):
            reason = TOO_FEW
        if reason is not None:
            return Estimate.none(reason)
        return Estimate.of(value, variance + noise, noise > 0, self.missing.samples[index])

    def _source(self, index: int, k: int, name: str, found: dict[tuple[str, str, str], Estimate]) -> SourceNumbers:
        kinds = {n: e for (kind, subject, n), e in found.items() if (kind, subject) == ("source", name)}
        began_within = self.presence.sources.get(name, self.start) > self.start
        return SourceNumbers(
            **kinds,
            coverage=None if began_within else _number(self.coverage[index][k]),
            collision_share=_number(self.collisions[index][k]),
        )

    def _variant(self, index: int, k: int, found: dict[tuple[str, str, str], Estimate]) -> VariantNumbers:
        slot, source = self.layout.variants[k], self.layout.sources[self.layout.variant_source[k]]
        adjusted = found["variant", slot, "adjusted_ais"]
        share = efficiency(adjusted, found["source", source, "adjusted_lis"], self.joint.at(index, k))
        began_within = f"aligned:{slot}" in self.missing.absent
        return VariantNumbers(
            source=source,
            ais=found["variant", slot, "ais"],
            adjusted_ais=adjusted,
            efficiency=share,
            coverage=None if began_within else _number(self.vectors[index][k]),
            variant=self.layout.variant_of[k],
            version=self.presence.versions[k].version,
        )

    def _joint(self, difference: Levels) -> JointCovariances:
        column = {(c.kind, c.subject, c.number): k for k, c in enumerate(self.wanted)}
        sources = [self.layout.sources[k] for k in self.layout.variant_source]
        numerators = difference.take([column["variant", v, "adjusted_ais"] for v in self.layout.variants])
        denominators = difference.take([column["source", s, "adjusted_lis"] for s in sources])
        return JointCovariances.of(numerators, denominators, self.noise)


def _unleaked(window: Window, metric: Metric, level: Levels) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Return value and variance [S] of each number of the unleaked ranker alone."""
    only = slice(UNLEAKED, UNLEAKED + 1)
    by_number = {
        "auc": level.take([UNLEAKED]) if metric == "auc" else levels(window, "auc", only),
        "gauc": level.take([UNLEAKED]) if metric == "gauc" else levels(window, "gauc", only),
        "normalised_entropy": entropy_levels(window),
        "calibration": calibration_levels(window),
    }
    return {number: (found.value[:, 0], wider(*found.variances())[:, 0]) for number, found in by_number.items()}


def _coverage(statistics: Statistics) -> tuple[list[list[float]], list[list[float]]]:
    """Return the share of samples truly covered, and that of the cover seen which is collisions: [S][sources]."""
    samples = statistics.counts.sum(axis=1)[:, :1]
    seen = statistics.cover[..., COVERED].astype(np.float64)
    false = np.minimum(statistics.cover[..., FALSE_COVER] / FIXED, seen)
    return divide(seen - false, np.broadcast_to(samples, seen.shape)).tolist(), divide(false, seen).tolist()


def _number(value: float) -> float | None:
    return None if math.isnan(value) else value
