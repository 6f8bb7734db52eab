"""Readings of constructed series: a level, seeded noise, a change."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from lis_online.drift.reading import ADJUSTED_LIS, SOURCE, Parts, Reading, Series
from lis_online.drift.tuning import HOUR

START = 1_767_571_200_000
LIS = Series(SOURCE, "coclick", ADJUSTED_LIS)
STDERR = 0.002


def at(hour: float) -> int:
    """Return the time of an hour since the start, ms."""
    return START + int(hour * HOUR)


def noisy(
    hours: int, level: Callable[[int], float | None], seed: int = 0, series: Series = LIS, version: str = ""
) -> Iterator[Reading]:
    """Yield a reading an hour around a level, with its standard error; none where the level is None."""
    noise = np.random.default_rng(seed).normal(size=hours) * STDERR
    for hour in range(hours):
        now = level(hour)
        value = None if now is None else now + float(noise[hour])
        yield Reading.of(series, at(hour), value, STDERR, 1_000, version)


def rows_of(readings: list[Reading]) -> np.ndarray:
    """Return the rows of readings that have a number."""
    return np.array([(r.time, *r.parts) for r in readings if r.parts is not None])


def ratio(hour: float, numerator: float, denominator: float, stderr: float, series: Series, source: str) -> Reading:
    """Return the reading of a ratio of independent parts."""
    parts = Parts(numerator, denominator, stderr**2, stderr**2, 0.0)
    return Reading(series, at(hour), parts, 1_000, "1", source)
