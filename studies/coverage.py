"""Coverage: how often a 95 % interval holds the estimand, over the worlds of a cell."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np
from scipy.stats import binomtest

NUMBERS: Final = {
    "lis": ("source", "lis"),
    "adjusted_lis": ("source", "adjusted_lis"),
    "past": ("source", "past"),
    "placebo": ("source", "placebo"),
    "bound": ("source", "bound"),
    "ais": ("variant", "ais"),
    "adjusted_ais": ("variant", "adjusted_ais"),
    "efficiency": ("variant", "efficiency"),
}
"""Where each number stands in a summary."""

REFUSED: Final = "insufficient_data"


@dataclass(frozen=True)
class Coverage:
    """How a number's intervals did in some worlds.

    worlds: those with an interval that was not refused; refused: without a value, an interval, or enough users and
    positives. covered: intervals that hold the estimand; excluding_zero: those that do not hold 0. estimand: mean of the
    values over all worlds with one (of a ratio, the ratio of the means). spread: standard deviation over the worlds;
    stderr: root mean square of the standard errors that were published.
    """

    worlds: int
    refused: int
    covered: int
    excluding_zero: int
    estimand: float
    spread: float
    stderr: float

    @property
    def share(self) -> float:
        """Share of the intervals that hold the estimand, NaN without worlds."""
        return self.covered / self.worlds if self.worlds else float("nan")

    def bounds(self) -> tuple[float, float]:
        """Return the 95 % interval of the share (Clopper and Pearson 1934)."""
        found = binomtest(self.covered, self.worlds, 0.95).proportion_ci(0.95)
        return float(found.low), float(found.high)

    def to_json(self) -> dict[str, Any]:
        """Return the figures and the share."""
        return {**asdict(self), "share": self.share}


def coverage(results: list[dict[str, Any]], number: str) -> Coverage:
    """Return how a number's intervals did over the results of one cell."""
    found = [estimate(result, number) for result in results]
    values = np.array([e["value"] for e in found if e["value"] is not None], np.float64)
    target = _estimand(results, number)
    kept = [e for e, r in zip(found, results, strict=True) if e.get("lower") is not None and not refused(r)]
    errors = np.array([e["stderr"] for e in kept], np.float64)
    return Coverage(
        worlds=len(kept),
        refused=len(found) - len(kept),
        covered=sum(e["lower"] <= target <= e["upper"] for e in kept),
        excluding_zero=sum(not e["lower"] <= 0 <= e["upper"] for e in kept),
        estimand=target,
        spread=float(values.std(ddof=1)) if len(values) > 1 else float("nan"),
        stderr=float(np.sqrt((errors**2).mean())) if len(errors) else float("nan"),
    )


def estimate(result: dict[str, Any], number: str) -> dict[str, Any]:
    """Return a number's estimate from a result."""
    kind, name = NUMBERS[number]
    (table,) = result["summary"][f"{kind}s"].values()
    found: dict[str, Any] = table[name]
    return found


def refused(result: dict[str, Any]) -> bool:
    """Return whether the run had too few users or positives to be answered at all."""
    (variant,) = result["summary"]["variants"].values()
    return variant["diagnosis"] == REFUSED and not variant["sentence"].startswith(UNDECIDED)


UNDECIDED: Final = ("Adjusted LIS of", "v delivers")
"""How the sentences begin that refuse a verdict, not the interval it rests on."""


def _estimand(results: list[dict[str, Any]], number: str) -> float:
    if number == "efficiency":
        return _estimand(results, "adjusted_ais") / _estimand(results, "adjusted_lis")
    values = [estimate(result, number)["value"] for result in results]
    return float(np.mean([value for value in values if value is not None]))
