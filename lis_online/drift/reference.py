"""What a series is expected to be at a time of the week, and how many standard errors it is off.

The reference is a level plus effects of the hour of the day, of the day of the week and of the hour of the week. Each
set of effects is shrunk by what its own spread says is real (James and Stein 1961; Efron and Morris 1973), so that a
week without cycles has none, and the hour of the week counts only where enough weeks are there. Outliers weigh less
(Huber 1964). A bucket's variance is its own standard error's, plus what buckets vary beyond it, plus the reference's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from lis_online.drift.tuning import HOUR

HOURS: Final = 168
"""Of a week."""
ROUNDS: Final = 3
"""Of reweighting: the fourth changes no level by more than a hundredth of its standard error (measured)."""
HUBER: Final = 2.5
"""Standard errors from which on an outlier's weight falls."""
NORMAL: Final = 1.4826
"""Standard deviation of a normal distribution over its median absolute deviation."""
MEMORY: Final = 12 * HOUR
"""How far apart buckets are still taken to be correlated."""
YOUNG: Final = 0.75
"""By how much a reference that spans the learning time alone is widened; of one k times as long, by that over k * k.
Cycles that were fitted to one week take part of its noise with them: without this, nearly all false alarms of the study
were in the week after the first."""
CLEAR: Final = 5.0
"""Standard errors that a mean denominator must be above 0: it is looked at again and again until it is."""
TINY: Final = 1e-18
"""Variance of a number that never moves, so that a move of it is finite."""

TIME, NUMERATOR, DENOMINATOR, NUMERATOR_VARIANCE, DENOMINATOR_VARIANCE, JOINT = range(6)
COLUMNS: Final = 6
"""Of a row: its time, ms, and the parts of the number."""


@dataclass(frozen=True, slots=True)
class Reference:
    """A series' expectation by hour of the week.

    ratio, scale: numbers are made linear around this ratio and this mean denominator (1 for plain numbers).
    expected, doubt: float64 [168], the value by hour of the week and its variance. between: variance of buckets beyond
    their standard errors. inflation: by what their correlation widens a sum, >= 1.
    """

    ratio: float
    scale: float
    expected: np.ndarray
    doubt: np.ndarray
    between: float
    inflation: float

    def get(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return value, expectation and variance of rows, float64 [n] each."""
        value, own = linear(rows, self.ratio, self.scale)
        hour = hour_of_week(rows[:, TIME])
        return value, self.expected[hour], own + self.between + self.doubt[hour]

    def standardise(self, rows: np.ndarray) -> np.ndarray:
        """Return by how many standard errors rows are off, float64 [n], as a detector of independent ones needs it."""
        value, expected, variance = self.get(rows)
        return np.asarray((value - expected) / (np.sqrt(variance) * self.inflation))

    def snapshot(self) -> list[Any]:
        """Return the state as plain data."""
        numbers = [self.ratio, self.scale, self.between, self.inflation]
        return [*numbers, self.expected.tolist(), self.doubt.tolist()]

    @classmethod
    def restore(cls, state: list[Any]) -> Reference:
        """Return the reference of `snapshot`."""
        ratio, scale, between, inflation, expected, doubt = state
        return cls(ratio, scale, np.array(expected), np.array(doubt), between, inflation)


def hour_of_week(time: np.ndarray) -> np.ndarray:
    """Return the hour of the week, 0 to 167, UTC, from Thursday on, of times in ms since 1970."""
    return time.astype(np.int64) // HOUR % HOURS


def linear(rows: np.ndarray, ratio: float, scale: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the numbers and their variances, float64 [n] each, made linear around a ratio.

    A ratio of two noisy numbers has heavy tails where the denominator comes near 0. Its first-order form,
    ratio + (numerator - ratio * denominator) / scale, has not, and is a plain number itself where denominators are 1.
    """
    n, d, vn, vd, joint = rows[:, NUMERATOR:].T
    value = ratio + (n - ratio * d) / scale
    variance = (vn - 2 * ratio * joint + ratio * ratio * vd) / (scale * scale)
    return value, np.maximum(variance, TINY)


def fit(rows: np.ndarray, bucket: int, learning: int) -> Reference | None:
    """Return the reference of rows, oldest first; None where their denominators are not clearly above 0.

    bucket, learning: ms, as in `Tuning`.
    """
    around = _ratio(rows)
    if around is None:
        return None
    value, own = linear(rows, *around)
    hour = hour_of_week(rows[:, TIME])
    trust, between, inflation = np.ones(len(rows)), 0.0, 1.0
    for _ in range(ROUNDS):
        expected, doubt = _expected(value, (own + between) / trust, hour, inflation)
        off = value - expected[hour]
        between = max((NORMAL * float(np.median(np.abs(off)))) ** 2 - float(np.median(own)), 0.0)
        standard = off / np.sqrt(own + between)
        trust = np.minimum(1.0, HUBER / np.maximum(np.abs(standard), TINY))
        inflation = long_run(np.clip(standard, -HUBER, HUBER), MEMORY // bucket)
    spans = float(rows[-1, TIME] - rows[0, TIME] + bucket) / learning
    return Reference(*around, expected, doubt, between, inflation * (1 + YOUNG / (spans * spans)))


def shrunk(value: np.ndarray, variance: np.ndarray, group: np.ndarray, groups: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the effect of each group on values around 0, shrunk to 0 by its doubt, and what doubt remains.

    value, variance: float64 [n]; group: int [n]. Effects of random groups (one-way analysis of variance): their true
    variance is that of the groups' means beyond what the scatter within groups explains. Where no group has two
    values there is nothing to tell it by, and no effect.
    """
    weight = 1 / variance
    total = np.bincount(group, weight, groups)
    seen = total > 0
    free = len(value) - int(seen.sum())
    if free <= 0:
        return np.zeros(groups), np.zeros(groups)
    mean = np.divide(np.bincount(group, weight * value, groups), total, out=np.zeros(groups), where=seen)
    scatter = float(weight @ (value - mean[group]) ** 2) / free
    doubt = np.divide(max(scatter, 1.0), total, out=np.zeros(groups), where=seen)
    true = max(float(np.mean(mean[seen] ** 2 - doubt[seen])), 0.0)
    if true == 0:
        return np.zeros(groups), np.zeros(groups)
    share = np.where(seen, true / (true + doubt), 0.0)
    return share * mean, np.where(seen, share * doubt, true)


def long_run(standard: np.ndarray, lags: int) -> float:
    """Return by what a sum of correlated standard values is wider than one of independent ones, at least 1.

    The square root of the long-run variance (Newey and West 1987) of values that are 0 in the mean.
    """
    n = len(standard)
    power = float(standard @ standard)
    if power == 0:
        return 1.0
    lags = min(lags, n - 1)
    sums = [(1 - lag / (lags + 1)) * float(standard[lag:] @ standard[:-lag]) for lag in range(1, lags + 1)]
    return float(np.sqrt(max(1.0, 1 + 2 * sum(sums) / power)))


def _ratio(rows: np.ndarray) -> tuple[float, float] | None:
    """Return the ratio of sums and the mean denominator; None where that is not five standard errors above 0."""
    denominator = rows[:, DENOMINATOR]
    scale, doubt = float(denominator.mean()), float(np.sqrt(rows[:, DENOMINATOR_VARIANCE].sum())) / len(rows)
    if scale <= CLEAR * doubt:
        return None
    return float(rows[:, NUMERATOR].sum() / denominator.sum()), scale


def _expected(
    value: np.ndarray, variance: np.ndarray, hour: np.ndarray, inflation: float
) -> tuple[np.ndarray, np.ndarray]:
    """Return expectation and doubt by hour of the week, float64 [168] each.

    Neighbouring buckets are correlated, so a day's mean, and the level, are less sure than of independent ones.
    """
    weight, wide = 1 / variance, inflation * inflation
    level = float(weight @ value / weight.sum())
    week = np.arange(HOURS)
    expected, doubt = np.full(HOURS, level), np.full(HOURS, wide / float(weight.sum()))
    for cell, cells, wider in ((week % 24, 24, 1.0), (week // 24, 7, wide), (week, HOURS, 1.0)):
        effect, remains = shrunk(value - expected[hour], variance * wider, cell[hour], cells)
        expected, doubt = expected + effect[cell], doubt + remains[cell]
    return expected, doubt
