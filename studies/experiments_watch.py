"""What somebody would have seen who looked at simulated experiments after every bucket."""

from __future__ import annotations

from dataclasses import dataclass
from math import log
from statistics import NormalDist

import numpy as np

from lis_online.experiments.levels import delta, quadratic
from lis_online.experiments.sequence import ForEffect, Mixture
from studies.experiments_worlds import BEFORE_CLICK, BEFORE_IMPRESSION, CLICK, CLICKED, DWELL, IMPRESSION, Moments

ALPHA = 0.05
METRICS: dict[str, tuple[int, ...]] = {
    "click rate": (CLICK, IMPRESSION),
    "dwell per user": (DWELL,),
    "share who clicked": (CLICKED,),
}
"""Metric to the columns that it is made of: (numerator, denominator) or (numerator,)."""
BEFORE = (BEFORE_CLICK, BEFORE_IMPRESSION)
"""The click rate's columns of the pre-period."""


@dataclass(frozen=True)
class Levels:
    """A metric's level in each run, arm and bucket, float64 [runs, 2, buckets]; NaN where it has none."""

    value: np.ndarray
    variance: np.ndarray
    effective: np.ndarray


@dataclass(frozen=True)
class Watched:
    """What each look gives, [runs, buckets].

    effective: users, of the smaller arm; z_squared: squared distance of the estimate from the true lift in standard
    errors; mixture: of the sequence; stderr: of the relative lift.
    """

    effective: np.ndarray
    z_squared: np.ndarray
    mixture: Mixture
    stderr: np.ndarray

    def missed(self, burn_in: float) -> np.ndarray:
        """Return where the sequence excludes the truth: bool [runs, buckets], never before the burn-in."""
        found: np.ndarray = (self.mixture.log_e(self.z_squared) >= -log(ALPHA)) & self.ready(burn_in)
        return found

    def missed_fixed(self, burn_in: float) -> np.ndarray:
        """Return where the fixed-horizon interval of that look excludes the truth."""
        found: np.ndarray = (self.z_squared > NormalDist().inv_cdf(1 - ALPHA / 2) ** 2) & self.ready(burn_in)
        return found

    def ready(self, burn_in: float) -> np.ndarray:
        """Return where both arms have the effective users."""
        found: np.ndarray = self.effective >= burn_in
        return found


def levels(of: Moments, columns: tuple[int, ...], before: tuple[int, ...] = ()) -> Levels:
    """Return a metric's levels by the library's formulas, in floats; before: columns of a pre-period, for CUPED."""
    with np.errstate(divide="ignore", invalid="ignore"):
        mean, covariance, effective = _means(of, columns + before)
        k = len(columns)
        value, gradient = delta(mean[..., :k])
        if not before:
            return Levels(value, quadratic(gradient, covariance, gradient), effective.min(axis=-1))
        pre, pre_gradient = delta(mean[..., k:])
        own = np.concatenate([gradient, np.zeros_like(pre_gradient)], axis=-1)
        other = np.concatenate([np.zeros_like(gradient), pre_gradient], axis=-1)
        cov, var = quadratic(own, covariance, other), quadratic(other, covariance, other)
        theta = (cov.sum(axis=1) / var.sum(axis=1))[:, None]
        reference = (pre * of.users).sum(axis=1) / of.users.sum(axis=1)
        variance = quadratic(own, covariance, own) - 2 * theta * cov + theta**2 * var
        return Levels(value - theta * (pre - reference[:, None]), variance, effective[..., :k].min(axis=-1))


def watch(found: Levels, effect: float, lift: float = 0.0) -> Watched:
    """Return what is seen of the relative lift. effect: the sequence is for; lift: the true one.

    A ratio of 1 + lift is in Fieller's interval exactly where |arm - (1 + lift) control| is within reach.
    """
    value, variance, true = found.value, found.variance, 1 + lift
    with np.errstate(divide="ignore", invalid="ignore"):
        z_squared = (value[:, 1] - true * value[:, 0]) ** 2 / (variance[:, 1] + true**2 * variance[:, 0])
        relative = variance.sum(axis=1) / value[:, 0] ** 2
        users = np.zeros_like(relative)
        effective = np.nan_to_num(found.effective.min(axis=1))
        mixture = ForEffect(effect).mixture(np.where(relative > 0, relative, np.inf), users, ALPHA)
    mixture = Mixture(np.maximum(mixture.odds, np.finfo(float).tiny), mixture.weights)
    return Watched(effective, np.nan_to_num(z_squared, nan=0.0, posinf=0.0), mixture, np.sqrt(relative))


def ever(at_a_look: np.ndarray) -> np.ndarray:
    """Return in which runs something holds at any look: bool [runs] of [runs, buckets]."""
    return np.asarray(at_a_look.any(axis=1))


def share_of(runs: np.ndarray) -> float:
    """Return the share of runs in which something holds."""
    return float(np.mean(runs))


def _means(of: Moments, columns: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return means, their covariance and the effective users, as `levels.Means` does in whole numbers."""
    n = of.users[..., None]
    sums = of.sums[..., columns]
    products = of.products[..., columns, :][..., columns]
    crossed = n[..., None] * products - sums[..., :, None] * sums[..., None, :]
    squares = np.diagonal(products, axis1=-2, axis2=-1)
    return sums / n, crossed / (n * n * (n - 1))[..., None], sums**2 / squares
