"""Fieller's interval of a ratio of two estimates."""

from __future__ import annotations

import math
from dataclasses import dataclass

from lis_online.metrics.estimate import T_QUANTILE


@dataclass(frozen=True, slots=True)
class Covariance:
    """The joint covariance of a numerator and a denominator."""

    numerator: float
    denominator: float
    joint: float


def fieller(numerator: float, denominator: float, covariance: Covariance) -> tuple[float, float] | None:
    """Return the bounds of numerator / denominator, None where they are unbounded.

    The ratios r that a t-test of `numerator - r * denominator = 0` does not refuse (Fieller 1954). They are
    an interval exactly where the denominator itself differs from 0.

    >>> fieller(1.0, 2.0, Covariance(0.0, 0.0, 0.0))
    (0.5, 0.5)
    >>> fieller(1.0, 2.0, Covariance(0.0, 1.0, 0.0)) is None
    True
    """
    t2 = T_QUANTILE * T_QUANTILE
    square = denominator * denominator - t2 * covariance.denominator
    if not square > 0:
        return None
    middle = numerator * denominator - t2 * covariance.joint
    constant = numerator * numerator - t2 * covariance.numerator
    half = math.sqrt(max(middle * middle - square * constant, 0.0))
    return (middle - half) / square, (middle + half) / square


def ratio_stderr(ratio: float, denominator: float, covariance: Covariance) -> float:
    """Return the delta-method standard error of a ratio."""
    variance = covariance.numerator - 2 * ratio * covariance.joint + ratio * ratio * covariance.denominator
    return math.sqrt(max(variance, 0.0)) / abs(denominator)
