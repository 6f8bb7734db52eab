"""An arm's level of a metric, with its variance over users."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lis_online.events.windows_log import ArmMoments
from lis_online.experiments import missing
from lis_online.experiments.definitions import Metric
from lis_online.experiments.moments import UNIT


@dataclass(frozen=True, slots=True)
class Level:
    """A metric's value in one arm, or why there is none.

    variance: of the value, over users. effective: the number of users of equal weight that would be as sure about
    each total that the metric needs, (sum x)^2 / sum x^2, the smallest; a bot or a rare action makes it small.
    """

    value: float | None
    variance: float | None
    users: int
    effective: float
    reason: str | None = None

    @classmethod
    def none(cls, users: int, reason: str, effective: float = 0.0) -> Level:
        """Return no level, and why."""
        return cls(None, None, users, effective, reason)


@dataclass(frozen=True, slots=True)
class Means:
    """Means over users, float64 [k], of k columns, in units; and the means' covariance, float64 [k, k]."""

    mean: np.ndarray
    covariance: np.ndarray
    users: int
    effective: np.ndarray

    @classmethod
    def of(cls, moments: ArmMoments, names: tuple[str, ...] | list[str], columns: tuple[str, ...]) -> Means:
        """Return the means of some columns, over at least 2 users. names: of all columns of the moments.

        cov(mean_i, mean_j) = (n S_ij - S_i S_j) / (n^2 (n - 1)): whole numbers until the last division, so nothing
        cancels however large the totals are.
        """
        n, k = moments.users, len(names)
        at = [names.index(column) for column in columns]
        sums = [int(moments.sums[i]) for i in at]
        products = [[int(moments.products[i * k + j]) for j in at] for i in at]
        scale = n * n * (n - 1) * UNIT * UNIT
        covariance = [
            [(n * products[i][j] - sums[i] * sums[j]) / scale for j in range(len(at))] for i in range(len(at))
        ]
        effective = [s * s / products[i][i] if products[i][i] else 0.0 for i, s in enumerate(sums)]
        return cls(np.array([s / (n * UNIT) for s in sums]), np.array(covariance), n, np.array(effective))


def delta(mean: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the value [...] and gradient [..., k] of a metric at means [..., k]; k = 2 is a ratio, k = 1 a mean.

    Delta method over users (Deng, Knoblich and Lu, "Applying the Delta Method in Metric Analytics", KDD 2018,
    equation 3): R = x / y has the gradient (1, -R) / y.

    >>> [a.tolist() for a in delta(np.array([3.0, 10.0]))]
    [0.3, [0.1, -0.03]]
    """
    if mean.shape[-1] == 1:
        return mean[..., 0], np.ones_like(mean)
    x, y = mean[..., 0], mean[..., 1]
    ratio = x / y
    return ratio, np.stack([1 / y, -ratio / y], axis=-1)


def quadratic(left: np.ndarray, covariance: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Return left' C right: [..., k], [..., k, l] and [..., l] give [...]."""
    found: np.ndarray = np.einsum("...i,...ij,...j->...", left, covariance, right)
    return found


def level(moments: ArmMoments, names: tuple[str, ...] | list[str], metric: Metric) -> Level:
    """Return an arm's level of a metric. names: of the moments' columns.

    >>> from lis_online.experiments.moments import Moments
    >>> arm = Moments(2)
    >>> for totals in ([4 * UNIT, UNIT], [2 * UNIT, 0], [4 * UNIT, 3 * UNIT]): arm.add(totals)
    >>> ctr = level(arm.get("e", "a"), ["impression", "click"], Metric("ctr", "ratio", "click", "impression"))
    >>> ctr.value, round(ctr.variance ** 0.5, 4), ctr.users, ctr.effective
    (0.4, 0.2107, 3, 1.6)
    """
    reason = absent(moments, names, metric)
    if reason is not None:
        return Level.none(moments.users, reason)
    means = Means.of(moments, names, metric.columns)
    value, gradient = delta(means.mean)
    exact = float(value)
    if metric.denominator is not None:  # rounded once: 2 clicks of 5 impressions are 0.4
        top, bottom = (int(moments.sums[names.index(column)]) for column in metric.columns)
        exact = top / bottom
    variance = max(0.0, float(quadratic(gradient, means.covariance, gradient)))
    return Level(exact, variance, means.users, float(means.effective.min()))


def absent(moments: ArmMoments, names: tuple[str, ...] | list[str], metric: Metric) -> str | None:
    """Return why an arm has no level with a variance, None where it has one."""
    if moments.users == 0:
        return missing.NO_USERS
    if metric.denominator is not None and int(moments.sums[names.index(metric.columns[1])]) == 0:
        return missing.NO_DENOMINATOR.format(metric.denominator)
    return missing.ONE_USER if moments.users == 1 else None
