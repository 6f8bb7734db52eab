"""The experiments of the live page: who is in which arm, and what each does better than control."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from lis_online.experiments.comparison import Change
from lis_online.experiments.levels import Level
from lis_online.shards.view import ExperimentNumbers


def experiment_table(found: ExperimentNumbers) -> dict[str, Any]:
    """Return sample ratio and arms, control first; its level stands with each metric.

    A lift is relative to control and has the interval that may be watched at any time.
    """
    settings, ratio = found.settings, found.analysis.sample_ratio
    return {
        "name": settings.name,
        "control": settings.control,
        "reason": found.reason,
        "sample_ratio": {"p_value": ratio.p_value, "mismatch": ratio.mismatch, "reason": ratio.reason},
        "arms": sorted(_arms(found), key=lambda arm: arm["arm"] != settings.control),
    }


def _arms(found: ExperimentNumbers) -> Iterator[dict[str, Any]]:
    for arm in found.settings.arm:
        moments = found.moments.get(arm.name)
        is_control = arm.name == found.settings.control
        yield {
            "arm": arm.name,
            "variant": arm.variant,
            "share": arm.share,
            "users": None if moments is None else moments.users,
            "crossed": found.analysis.crossed.get(arm.name),
            "metrics": list(_control(found) if is_control else _compared(found, arm.name)),
        }


def _control(found: ExperimentNumbers) -> Iterator[dict[str, Any]]:
    """Yield control's levels; every comparison of a metric has the same."""
    for metric, one in {one.metric: one for one in found.analysis.comparisons}.items():
        yield {"metric": metric, "level": _level(one.control), "lift": None, "guardrail": None}


def _compared(found: ExperimentNumbers, arm: str) -> Iterator[dict[str, Any]]:
    for one in found.analysis.comparisons:
        if one.name == arm:
            lift = _lift(one.relative)
            yield {"metric": one.metric, "level": _level(one.arm), "lift": lift, "guardrail": one.guardrail}


def _level(found: Level) -> dict[str, Any]:
    return {"value": None, "reason": found.reason} if found.value is None else {"value": found.value}


def _lift(found: Change) -> dict[str, Any]:
    if found.value is None:
        return {"value": None, "reason": found.reason}
    ends = found.sequence
    return {"value": found.value, "lower": ends.lower, "upper": ends.upper, "reason": ends.reason}
