"""A number with its interval, or the reason why there is none."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Final

T_QUANTILE: Final = 2.04
"""Student's t at 97.5 % with 31 degrees of freedom: one less than the jackknife's groups."""
RESOLUTION: Final = 0.0005
"""The smallest gain of AUC that teams ship on (arXiv 2603.01590): what a number should resolve."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A value with its standard error and 95 % interval, all None where there is a reason for it.

    learning_noise: two unleaked rankers of different seeds differ by more than chance, and the interval has been
    widened for it. samples_to_resolve: of how many samples two standard errors would be 0.0005, None where that is
    not known.
    """

    value: float | None
    stderr: float | None = None
    lower: float | None = None
    upper: float | None = None
    reason: str | None = None
    learning_noise: bool = False
    samples_to_resolve: float | None = None

    @classmethod
    def of(cls, value: float, variance: float, learning_noise: bool = False, samples: int | None = None) -> Estimate:
        """Return the estimate with a variance; samples: what it was computed from.

        >>> Estimate.of(0.01, 1e-6).to_json()
        {'value': 0.01, 'stderr': 0.001, 'lower': 0.00796, 'upper': 0.01204}
        """
        stderr = math.sqrt(variance)
        needed = None if samples is None else samples * (2 * stderr / RESOLUTION) ** 2
        lower, upper = value - T_QUANTILE * stderr, value + T_QUANTILE * stderr
        return cls(value, stderr, lower, upper, None, learning_noise, needed)

    @classmethod
    def none(cls, reason: str) -> Estimate:
        """Return no number, and why.

        >>> Estimate.none("no samples").to_json()
        {'value': None, 'reason': 'no samples'}
        """
        return cls(None, reason=reason)

    def to_json(self) -> dict[str, Any]:
        """Return the published form of a level, a share or a ratio."""
        if self.value is None:
            return {"value": None, "reason": self.reason}
        table: dict[str, Any] = {"value": self.value, "stderr": self.stderr, "lower": self.lower, "upper": self.upper}
        return {**table, "learning_noise": True} if self.learning_noise else table

    def difference_json(self) -> dict[str, Any]:
        """Return the published form of a difference: with the samples that resolve it.

        >>> Estimate.of(0.01, 1e-6, samples=1_000).difference_json()["samples_to_resolve"]
        16000
        """
        table, needed = self.to_json(), rounded(self.samples_to_resolve)
        return table if needed is None or self.value is None else {**table, "samples_to_resolve": needed}


def rounded(count: float | None) -> int | None:
    """Return an estimated number of samples in two digits: a standard error from 32 groups knows no more.

    >>> rounded(1_234_567.8), rounded(0.3), rounded(None)
    (1200000, 0, None)
    """
    return None if count is None else int(float(f"{count:.1e}"))
