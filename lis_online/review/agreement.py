"""Do the arms rank by lift as their variants rank by adjusted AIS?

A pair of arms is *resolved* where both differences are certain. AIS: the two 95 % intervals do not overlap; the
difference's own interval then excludes 0 whatever their correlation, since its standard error is at most the sum of
theirs. Lift: the always-valid interval of one arm against the other excludes 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from math import sqrt
from typing import Final

from lis_online.experiments.comparison import compare
from lis_online.experiments.definitions import Metric
from lis_online.review.arms import Arms
from lis_online.review.document import Agreement, Arm, Pair

NO_METRIC: Final = "every declared metric is a guardrail: no lift to rank by"
TOO_FEW: Final = "fewer than two arms have both an adjusted AIS and a lift"
UNRESOLVED: Final = "no two arms differ for sure in both adjusted AIS and lift yet"


@dataclass(frozen=True, slots=True)
class Score:
    """An arm by what its variant delivers, with the 95 % interval, and by its lift over control."""

    arm: str
    ais: float
    lower: float
    upper: float
    lift: float


def primary_metric(metrics: Sequence[Metric]) -> Metric | None:
    """Return the metric that the verdict is about: the first that is no guardrail."""
    return next((metric for metric in metrics if metric.guardrail is None), None)


def agreement(arms: Arms, shown: Sequence[Arm]) -> Agreement:
    """Return it. shown: the arms with their variants' numbers."""
    metric = primary_metric(arms.plan.metrics)
    if metric is None:
        return _none(None, NO_METRIC)
    scores = [found for arm in shown if (found := score(arm, metric.name)) is not None]
    pairs = tuple(
        _pair(arms, metric, *sorted(two, key=lambda one: -one.ais))
        for two in combinations(scores, 2)
        if two[0].ais != two[1].ais  # the same where they serve the same variant
    )
    if not pairs:
        return _none(metric.name, TOO_FEW)
    resolved = [pair for pair in pairs if pair.resolved]
    return Agreement(
        metric=metric.name,
        pairs=pairs,
        agrees=all(pair.agrees for pair in resolved) if resolved else None,
        rank_correlation=kendall([one.ais for one in scores], [one.lift for one in scores]),
        reason=None if resolved else UNRESOLVED,
    )


def score(arm: Arm, metric: str) -> Score | None:
    """Return an arm's score, None where one of the two is missing. Control without a variant is 0 in both."""
    lift = (
        0.0
        if arm.is_control
        else next(one.relative.value for one in arm.metrics if one.metric == metric and one.relative)
    )
    if lift is None:
        return None
    if arm.representation is None:
        return Score(arm.arm, 0.0, 0.0, 0.0, lift) if arm.is_control else None
    found = arm.representation.adjusted_ais
    if found.value is None or found.lower is None or found.upper is None:
        return None
    return Score(arm.arm, found.value, found.lower, found.upper, lift)


def kendall(x: Sequence[float], y: Sequence[float]) -> float | None:
    """Return Kendall's tau-b (Biometrika 33, 1945) of two orders of the same arms; None where one has no order.

    >>> kendall([0.0, 0.01, 0.02], [0.0, 0.03, 0.02]), kendall([0.0, 0.01], [0.5, 0.5])
    (0.3333333333333333, None)
    """
    signs = [(_sign(x[i] - x[j]), _sign(y[i] - y[j])) for i, j in combinations(range(len(x)), 2)]
    untied = sum(a != 0 for a, _ in signs) * sum(b != 0 for _, b in signs)
    return sum(a * b for a, b in signs) / sqrt(untied) if untied else None


def _pair(arms: Arms, metric: Metric, better: Score, other: Score) -> Pair:
    moments, names = arms.known.arms, arms.known.columns
    sequence = compare(moments[other.arm], moments[better.arm], names, metric, arms.plan.rules).absolute.sequence
    difference = better.lift - other.lift
    certain = (sequence.lower is not None and sequence.lower > 0 and difference > 0) or (
        sequence.upper is not None and sequence.upper < 0 and difference < 0
    )
    return Pair(
        better_by_ais=better.arm,
        other=other.arm,
        ais_difference=better.ais - other.ais,
        lift_difference=difference,
        agrees=difference > 0,
        resolved=certain and better.lower > other.upper,
    )


def _none(metric: str | None, reason: str) -> Agreement:
    return Agreement(metric=metric, pairs=(), agrees=None, rank_correlation=None, reason=reason)


def _sign(value: float) -> int:
    return (value > 0) - (value < 0)
