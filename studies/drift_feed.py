"""A feed's numbers by bucket of time, without its events: levels, cycles, wander, noise, and a change in them.

The size of the noise, how it falls with the samples, and how it is correlated are those of real runs
(`studies.drift_calibration`). Cycles are stronger than any real run of the simulator has: they are assumed.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np

from lis_online.drift import reading as names
from lis_online.drift.reading import INPUT, SOURCE, UNLEAKED, VARIANT, Parts, Reading, Series, share
from lis_online.drift.tuning import HOUR

START: Final = 1_767_571_200_000  # Monday, 2026-01-05
SLATE: Final = 10.0
"""Samples of a slate."""


@dataclass(frozen=True, slots=True)
class Noise:
    """How numbers vary. unit_*: standard error times the root of the samples (pairs for `unit_pairs`).

    joint: correlation of the errors of adjusted AIS and adjusted LIS. daily, weekly: amplitude of the cycles of
    levels, as shares of them; traffic_daily, traffic_weekly: of traffic; traffic_noise: sigma of its logarithm.
    wander: sigma of a slow change of a level as a share of it, cover_wander: of coverage; memory: its correlation from
    hour to hour.
    """

    unit_lis: float = 0.85
    unit_ais: float = 1.0
    unit_auc: float = 1.0
    unit_twin: float = 0.12
    unit_pairs: float = 0.3
    joint: float = 0.3
    daily: float = 0.15
    weekly: float = 0.10
    traffic_daily: float = 0.6
    traffic_weekly: float = 0.3
    traffic_noise: float = 0.08
    wander: float = 0.03
    cover_wander: float = 0.05
    memory: float = 0.8
    groups: int = 32


@dataclass(frozen=True, slots=True)
class Variant:
    """A variant of the feed: adjusted AIS, pair alignment, share of samples with vectors."""

    name: str
    source: str
    ais: float
    aligned: float
    covered: float = 0.966


@dataclass(frozen=True, slots=True)
class Feed:
    """Sources (adjusted LIS, coverage) and variants. samples: an hour, in the mean."""

    samples: float
    sources: dict[str, tuple[float, float]] = field(
        default_factory=lambda: {"coclick": (0.053, 0.31), "colike": (0.037, 0.2), "search": (0.023, 0.11)}
    )
    variants: tuple[Variant, ...] = (
        Variant("title", "coclick", 0.046, 0.80),
        Variant("image", "coclick", 0.035, 0.75),
        Variant("both", "colike", 0.034, 0.85),
        Variant("audio", "colike", 0.020, 0.70),
        Variant("text", "search", 0.021, 0.95),
        Variant("user", "search", 0.012, 0.65),
    )
    noise: Noise = Noise()
    bucket: int = HOUR

    @classmethod
    def small(cls, samples: float, bucket: int = HOUR) -> Feed:
        """Return a feed of one source and two variants."""
        whole = cls(samples, bucket=bucket)
        return replace(whole, sources={"coclick": whole.sources["coclick"]}, variants=whole.variants[:2])


@dataclass(slots=True)
class Levels:
    """The true levels of one bucket, which a change may alter: by source and by variant. hour: since the start."""

    at: int
    hour: float
    traffic: float
    lis: dict[str, float]
    source_cover: dict[str, float]
    ais: dict[str, float]
    aligned: dict[str, float | None]
    cover: dict[str, float]
    norm: dict[str, float]
    shift: dict[str, float]
    version: dict[str, str]
    learning: set[str] = field(default_factory=set)


Change = Callable[[Levels], None]
"""Alters a bucket's levels in place."""


class Course:
    """The readings of a feed, bucket by bucket: the same for a seed, in whatever order they are asked for."""

    def __init__(self, feed: Feed, count: int, seed: int) -> None:
        self._feed, self._seed = feed, seed
        self._levels = _Levels(feed, count, np.random.default_rng([seed, 0]))

    def get(self, at: int, change: Change | None = None) -> list[Reading]:
        """Return the readings of bucket `at`."""
        levels = self._levels.get(at)
        if change is not None:
            change(levels)
        return _readings(self._feed, levels, np.random.default_rng([self._seed, 1, at]))


class _Levels:
    """The true levels over time: phases of the cycles and the wander are drawn once."""

    def __init__(self, feed: Feed, count: int, rng: np.random.Generator) -> None:
        noise = feed.noise
        self._feed = feed
        hour, names_ = np.arange(count) * (feed.bucket / HOUR), [*feed.sources, *(v.name for v in feed.variants)]
        memory = noise.memory ** (feed.bucket / HOUR)
        weekend = (hour // 24 % 7 >= 5).astype(float)
        self._cycle = {
            name: noise.daily * np.sin(2 * np.pi * (hour / 24 + rng.random()))
            + noise.weekly * rng.choice([-1, 1]) * (weekend - 2 / 7)
            for name in names_
        }
        self._traffic = (
            (1 + noise.traffic_daily * np.sin(2 * np.pi * hour / 24))
            * (1 - noise.traffic_weekly * weekend)
            * np.exp(rng.normal(0, noise.traffic_noise, count))
        )
        self._wander = {name: _autoregressive(rng, count, memory) for name in [*names_, *(f"{n}*" for n in names_)]}

    def get(self, at: int) -> Levels:
        feed, noise = self._feed, self._feed.noise

        def moved(name: str, level: float) -> float:
            return level * (1 + self._cycle[name][at] + noise.wander * self._wander[name][at])

        def covered(name: str, level: float) -> float:
            off = self._cycle[name][at] + noise.cover_wander * self._wander[f"{name}*"][at]
            return level * (1 + off) if level < 0.5 else 1 - (1 - level) * math.exp(off)

        variants = feed.variants
        return Levels(
            at=at,
            hour=at * (feed.bucket / HOUR),
            traffic=feed.samples * (feed.bucket / HOUR) * float(self._traffic[at]),
            lis={s: moved(s, lis) for s, (lis, _) in feed.sources.items()},
            source_cover={s: covered(s, cover) for s, (_, cover) in feed.sources.items()},
            ais={v.name: moved(v.name, v.ais * (1 + float(self._cycle[v.source][at]))) for v in variants},
            aligned={v.name: 0.5 + moved(v.name, v.aligned - 0.5) for v in variants},
            cover={v.name: covered(v.name, v.covered) for v in variants},
            norm={v.name: 1 + 0.02 * float(self._cycle[v.name][at]) for v in variants},
            shift={v.name: moved(v.name, 0.1) for v in variants},
            version={v.name: "1" for v in variants},
        )


def _autoregressive(rng: np.random.Generator, count: int, memory: float) -> np.ndarray:
    """Return a stationary AR(1) series of variance 1."""
    steps = rng.normal(size=count) * math.sqrt(1 - memory * memory)
    steps[0] = rng.normal()
    for k in range(1, count):
        steps[k] += memory * steps[k - 1]
    return steps


def _readings(feed: Feed, hour: Levels, rng: np.random.Generator) -> list[Reading]:
    draw = _Draw(feed, hour, rng)
    time, n = draw.time, draw.samples
    found = [
        Reading.of(Series(INPUT, "", names.TRAFFIC), time, math.log(n), math.sqrt(SLATE / n), n),
        draw.plain(Series(UNLEAKED, "", names.AUC), 0.606, feed.noise.unit_auc),
        draw.plain(Series(UNLEAKED, "", names.TWIN), 0.0, feed.noise.unit_twin),
    ]
    lis: dict[str, Reading] = {}
    for source in feed.sources:
        lis[source] = draw.plain(Series(SOURCE, source, names.ADJUSTED_LIS), hour.lis[source], feed.noise.unit_lis)
        found += [lis[source], draw.share(Series(SOURCE, source, names.COVERAGE), hour.source_cover[source])]
    for variant in feed.variants:
        found += _of_variant(feed, hour, draw, variant, lis[variant.source])
    return found


def _of_variant(feed: Feed, hour: Levels, draw: _Draw, variant: Variant, lis: Reading) -> list[Reading]:
    v, version, noise = variant.name, hour.version[variant.name], feed.noise
    tags = {"version": version, "source": variant.source}
    ais = draw.beside(
        Series(VARIANT, v, names.ADJUSTED_AIS), hour.ais[v], noise.unit_ais, lis, hour.lis[variant.source]
    )
    parts, both = (None, None) if v in hour.learning else (ais, _both(ais, lis, noise.joint))
    n = draw.samples
    found = [
        Reading(Series(VARIANT, v, names.ADJUSTED_AIS), draw.time, parts, n, **tags),
        Reading(Series(VARIANT, v, names.EFFICIENCY), draw.time, both, n, **tags),
        replace(draw.share(Series(VARIANT, v, names.COVERAGE), hour.cover[v]), version=version),
        replace(draw.plain(Series(VARIANT, v, names.VECTOR_NORM), hour.norm[v], 0.1), version=version),
        replace(draw.plain(Series(VARIANT, v, names.VECTOR_SHIFT), hour.shift[v], 0.5), version=version),
    ]
    aligned, series = hour.aligned[v], Series(VARIANT, v, names.PAIR_ALIGNMENT)
    if aligned is None:
        return [*found, Reading(series, draw.time, None, 0, **tags)]
    return [*found, replace(draw.plain(series, aligned, noise.unit_pairs), **tags)]


def _both(ais: Parts, lis: Reading, joint: float) -> Parts:
    assert lis.parts is not None
    covariance = joint * math.sqrt(ais.numerator_variance * lis.parts.numerator_variance)
    return Parts(ais.numerator, lis.parts.numerator, ais.numerator_variance, lis.parts.numerator_variance, covariance)


class _Draw:
    """The noise of one hour. A standard error is itself uncertain, as a jackknife's over groups is."""

    def __init__(self, feed: Feed, hour: Levels, rng: np.random.Generator) -> None:
        self._noise, self._rng = feed.noise, rng
        self.time, self.samples = START + hour.at * feed.bucket, max(int(hour.traffic), 1)

    def plain(self, series: Series, level: float, unit: float) -> Reading:
        """Return a number around its level."""
        value, stderr = self._around(level, unit, float(self._rng.normal()))
        return Reading.of(series, self.time, value, stderr, self.samples)

    def beside(self, series: Series, level: float, unit: float, lis: Reading, lis_level: float) -> Parts:
        """Return a number whose error is correlated with that of adjusted LIS."""
        assert lis.parts is not None
        off = (lis.parts.numerator - lis_level) / (self._noise.unit_lis / math.sqrt(self.samples))
        own = math.sqrt(1 - self._noise.joint**2) * float(self._rng.normal())
        value, stderr = self._around(level, unit, self._noise.joint * off + own)
        return Parts(value, 1.0, stderr**2, 0.0, 0.0)

    def share(self, series: Series, level: float) -> Reading:
        """Return a share of samples around its level."""
        clusters = max(self.samples / SLATE, 1.0)
        value = self._rng.binomial(int(clusters), min(max(level, 0.0), 1.0)) / int(clusters)
        return share(series, self.time, float(value), self.samples, SLATE)

    def _around(self, level: float, unit: float, off: float) -> tuple[float, float]:
        stderr, free = unit / math.sqrt(self.samples), self._noise.groups - 1
        return level + stderr * off, stderr * math.sqrt(float(self._rng.chisquare(free)) / free)
