"""The summary of an experiment, as the commands write it in JSON."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from lis_online.experiments.comparison import Comparison
from lis_online.experiments.levels import Level
from lis_online.shards.view import ExperimentNumbers


def experiment_summary(found: ExperimentNumbers) -> dict[str, Any]:
    """Return sample ratio, arms, comparisons and guardrails; what does not exist is None, and a reason says why.

    Lifts are relative to control where they stand under "relative": 0.02 is 2 %. "sequence" is the interval that may
    be watched at any time, "fixed" the one that is right for one look.
    """
    settings, ratio = found.settings, found.analysis.sample_ratio
    return {
        "control": settings.control,
        "alpha": settings.alpha,
        "correction": settings.correction,
        "sample_ratio": {"p_value": ratio.p_value, "mismatch": ratio.mismatch, "reason": ratio.reason},
        "arms": _arms(found),
        "comparisons": _comparisons(found),
        "guardrails": _guardrails(found),
        "reason": found.reason,
    }


def _arms(found: ExperimentNumbers) -> dict[str, dict[str, Any]]:
    """Return who is in each arm. users, assigned: None where the join shards' reports are of no use."""
    table = {}
    for arm in found.settings.arm:
        moments = found.moments.get(arm.name)
        table[arm.name] = {
            "variant": arm.variant,
            "share": arm.share,
            "users": None if moments is None else moments.users,
            "assigned": None if moments is None else moments.assigned,
            "crossed": found.analysis.crossed[arm.name],
        }
    return table


def _comparisons(found: ExperimentNumbers) -> dict[str, dict[str, Any]]:
    minimum = {metric.name: metric.minimum_effect for metric in found.settings.metric}
    table: dict[str, dict[str, Any]] = {}
    for one in found.analysis.comparisons:
        table.setdefault(one.name, {})[one.metric] = _comparison(one, minimum[one.metric])
    return table


def _comparison(one: Comparison, minimum_effect: float) -> dict[str, Any]:
    return {
        "level": _level(one.arm),
        "control_level": _level(one.control),
        "relative": asdict(one.relative),
        "absolute": asdict(one.absolute),
        "p_value": one.p_sequential,
        "p_fixed": one.p_fixed,
        "p_adjusted": one.p_adjusted,
        "minimum_effect": minimum_effect,
        "effect": one.minimum_effect,
        "users_needed": one.users_needed,
        "variance_reduction": one.variance_reduction,
        "cuped_reason": one.cuped_reason,
    }


def _level(level: Level) -> dict[str, Any]:
    return {
        "value": level.value,
        "stderr": None if level.variance is None else level.variance**0.5,
        "users": level.users,
        "effective_users": level.effective,
        "reason": level.reason,
    }


def _guardrails(found: ExperimentNumbers) -> dict[str, dict[str, Any]]:
    declared = {metric.name: metric.guardrail for metric in found.settings.metric if metric.guardrail is not None}
    table: dict[str, dict[str, Any]] = {}
    for (arm, metric), status in found.guardrails.items():
        table.setdefault(arm, {})[metric] = {**declared[metric].model_dump(), "status": status}
    return table
