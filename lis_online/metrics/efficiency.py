"""Efficiency: the share of a source's adjusted LIS that a variant's adjusted AIS delivers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lis_online.metrics.estimate import Estimate
from lis_online.metrics.levels import Levels
from lis_online.metrics.ratio import Covariance, fieller, ratio_stderr

NO_LIS = "LIS interval includes 0"
NEGATIVE_LIS = "adjusted LIS is below 0"


@dataclass(frozen=True, slots=True)
class JointCovariances:
    """Covariances of numerators and denominators by user and by time: float64 [2, S, C] each.

    Learning noise is in the two variances: the rankers behind a numerator and a denominator are different ones.
    """

    numerator: np.ndarray
    denominator: np.ndarray
    joint: np.ndarray

    @classmethod
    def of(cls, numerator: Levels, denominator: Levels, noise: np.ndarray) -> JointCovariances:
        """Return those of two sets of columns, pair by pair. noise: variance [S] to add."""
        return cls(
            np.stack(numerator.variances()) + noise[:, None],
            np.stack(denominator.variances()) + noise[:, None],
            np.stack(numerator.covariances(denominator)),
        )

    def at(self, slice_index: int, column: int) -> list[Covariance]:
        """Return what there is for one pair, by user first."""
        rows = zip(
            *(a[:, slice_index, column].tolist() for a in (self.numerator, self.denominator, self.joint)), strict=True
        )
        return [Covariance(*row) for row in rows if not np.isnan(row).any()]


def efficiency(adjusted_ais: Estimate, adjusted_lis: Estimate, covariances: list[Covariance]) -> Estimate:
    """Return the ratio with the widest of the Fieller intervals, or why there is none."""
    for part in (adjusted_ais, adjusted_lis):
        if part.value is None:
            return Estimate.none(part.reason or "")
    assert adjusted_ais.value is not None and adjusted_lis.value is not None
    bounds = [fieller(adjusted_ais.value, adjusted_lis.value, one) for one in covariances]
    found = [pair for pair in bounds if pair is not None]
    if len(found) < len(bounds) or not found:
        return Estimate.none(NO_LIS)
    if adjusted_lis.value < 0:
        return Estimate.none(NEGATIVE_LIS)
    ratio = adjusted_ais.value / adjusted_lis.value
    lower, upper = max(found, key=lambda pair: pair[1] - pair[0])
    stderr = max(ratio_stderr(ratio, adjusted_lis.value, one) for one in covariances)
    return Estimate(ratio, stderr, lower, upper, learning_noise=adjusted_lis.learning_noise)
