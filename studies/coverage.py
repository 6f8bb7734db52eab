"""Coverage: how often a 95 % interval holds the estimand, over the worlds of a cell."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np
from scipy.stats import binomtest

OF_SOURCE: Final = ("lis", "adjusted_lis", "past", "placebo", "bound")
OF_VARIANT: Final = ("ais", "adjusted_ais")
RATIO: Final = "efficiency"
NUMBERS: Final = (*OF_SOURCE, *OF_VARIANT, RATIO)
MOST_LENIENT: Final = 200
"""Effective users, positives, and positives with a pair, under which a diagnosis is `insufficient_data`."""


@dataclass(frozen=True)
class Coverage:
    """How a number's intervals did in some worlds.

    worlds: those with an interval that was not refused; refused: the others, with too few users or positives.
    covered: intervals that hold the estimand; below, above: those that end under it or begin over it; excluding_zero:
    those that do not hold 0. estimand: mean of the values over all worlds with one (of a ratio, the ratio of the
    means). spread: standard deviation over the worlds; stderr: root mean square of the standard errors.
    """

    worlds: int
    refused: int
    covered: int
    below: int
    above: int
    excluding_zero: int
    estimand: float
    spread: float
    stderr: float

    @property
    def share(self) -> float:
        """Share of the intervals that hold the estimand, NaN without worlds."""
        return self.covered / self.worlds if self.worlds else float("nan")

    def to_json(self) -> dict[str, Any]:
        """Return the figures and the share."""
        return {**asdict(self), "share": self.share}


def coverage(results: list[dict[str, Any]], number: str) -> Coverage:
    """Return how a number's intervals did over the results of one cell."""
    found = [estimate(result, number) for result in results]
    values = np.array([e["value"] for e in found if e["value"] is not None], np.float64)
    target = estimand(results, number)
    kept = [e for e, r in zip(found, results, strict=True) if e.get("lower") is not None and not refused(r, number)]
    errors = np.array([e["stderr"] for e in kept], np.float64)
    return Coverage(
        worlds=len(kept),
        refused=len(found) - len(kept),
        covered=sum(e["lower"] <= target <= e["upper"] for e in kept),
        below=sum(e["upper"] < target for e in kept),
        above=sum(e["lower"] > target for e in kept),
        excluding_zero=sum(not e["lower"] <= 0 <= e["upper"] for e in kept),
        estimand=target,
        spread=float(values.std(ddof=1)) if len(values) > 1 else float("nan"),
        stderr=float(np.sqrt((errors**2).mean())) if len(errors) else float("nan"),
    )


def interval_of_share(hits: int, of: int) -> tuple[float, float]:
    """Return the 95 % interval of a share (Clopper and Pearson 1934).

    >>> tuple(round(bound, 2) for bound in interval_of_share(95, 100))
    (0.89, 0.98)
    """
    found = binomtest(hits, of).proportion_ci(0.95)
    return float(found.low), float(found.high)


def estimate(result: dict[str, Any], number: str) -> dict[str, Any]:
    """Return a number's estimate from the result of a world with one source and one variant."""
    (table,) = result["summary"]["sources" if number in OF_SOURCE else "variants"].values()
    found: dict[str, Any] = table[number]
    return found


def refused(result: dict[str, Any], number: str) -> bool:
    """Return whether a number is refused: too few users or positives, or, where pairs matter, positives with a pair."""
    summary, levels = result["summary"], result["levels"]
    if levels is None:
        return True
    positives = levels["positives"]
    if summary["effective_users"] < MOST_LENIENT or positives < MOST_LENIENT:
        return True
    (source,) = summary["sources"].values()
    return number not in OF_VARIANT and positives * source["coverage"] < MOST_LENIENT


def estimand(results: list[dict[str, Any]], number: str) -> float:
    """Return the mean over the worlds; of a ratio, the ratio of the means. NaN without values."""
    if number == RATIO:
        return estimand(results, "adjusted_ais") / estimand(results, "adjusted_lis")
    values = [estimate(result, number)["value"] for result in results]
    kept = [value for value in values if value is not None]
    return float(np.mean(kept)) if kept else float("nan")
