"""Intervals over worlds: the worlds are independent, what is in one of them is not."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple

import numpy as np
from scipy.stats import t as student

DRAWS: Final = 1_000
SEED: Final = 1


class Interval(NamedTuple):
    """A value with its 95 % interval."""

    value: float
    lower: float
    upper: float

    def __str__(self) -> str:
        """Return the value and its interval as text, three digits; "none" where there is no value."""
        if np.isnan(self.value):
            return "none"
        return f"{self.value:.3g} ({self.lower:.3g} to {self.upper:.3g})"

    def facts(self) -> dict[str, float | None]:
        """Return them as JSON-able data, four digits; None where there is none."""
        return {name: None if np.isnan(value) else float(f"{value:.4g}") for name, value in self._asdict().items()}


def mean_interval(values: Sequence[float]) -> Interval:
    """Return the mean of independent values with Student's interval; of a single one, no width is known: NaN.

    >>> str(mean_interval([1.0, 2.0, 3.0]))
    '2 (-0.484 to 4.48)'
    """
    found = np.asarray(values, np.float64)
    half = student.ppf(0.975, len(found) - 1) * found.std(ddof=1) / np.sqrt(len(found)) if len(found) > 1 else np.nan
    return Interval(float(found.mean()), float(found.mean() - half), float(found.mean() + half))


def mean(values: Sequence[float]) -> float:
    """Return the mean of values, a statistic for `bootstrap`."""
    return float(np.mean(values))


def bootstrap(worlds: Sequence[Any], statistic: Callable[[list[Any]], float], draws: int = DRAWS) -> Interval:
    """Return a statistic of worlds with its percentile interval over draws of whole worlds (Efron 1979).

    Draws in which the statistic is NaN are left out.

    >>> bootstrap([1.0] * 5, mean)
    Interval(value=1.0, lower=1.0, upper=1.0)
    """
    rng = np.random.default_rng(SEED)
    found = [
        statistic([worlds[place] for place in rng.integers(0, len(worlds), len(worlds)).tolist()]) for _ in range(draws)
    ]
    lower, upper = np.nanpercentile(found, [2.5, 97.5]) if not np.all(np.isnan(found)) else (np.nan, np.nan)
    return Interval(float(statistic(list(worlds))), float(lower), float(upper))
