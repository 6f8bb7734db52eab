"""The series of an experiment: sample ratio, lifts, guardrails."""

from __future__ import annotations

from typing import get_args

from lis_online.experiments.comparison import Comparison
from lis_online.experiments.guardrail import Holding
from lis_online.exporter import names
from lis_online.exporter.families import Families
from lis_online.shards.view import ExperimentNumbers


def add_experiment(families: Families, found: ExperimentNumbers) -> None:
    """Add what is known about an experiment and its arms."""
    of = {"experiment": found.settings.name}
    ratio = found.analysis.sample_ratio
    families.add(names.SAMPLE_RATIO_P, ratio.p_value, **of)
    families.add(names.SAMPLE_RATIO_MISMATCH, float(ratio.mismatch), **of)
    _add_arms(families, found, of)
    _add_guardrails(families, found, of)
    for one in found.analysis.comparisons:
        _add_comparison(families, one, {**of, "arm": one.name, "metric": one.metric})
    _add_control_levels(families, found, of)


def _add_arms(families: Families, found: ExperimentNumbers, of: dict[str, str]) -> None:
    for arm in found.settings.arm:
        control = str(arm.name == found.settings.control).lower()
        families.add(names.ARM_INFO, 1, arm=arm.name, variant=arm.variant or "", control=control, **of)
    for name, moments in found.moments.items():
        families.add(names.ARM_ASSIGNED, moments.assigned, arm=name, **of)


def _add_guardrails(families: Families, found: ExperimentNumbers, of: dict[str, str]) -> None:
    """Add every status, also those that are 0, so that an alert sees the change."""
    for (arm, metric), holding in found.guardrails.items():
        for status in get_args(Holding):
            families.add(names.GUARDRAIL, float(status == holding), arm=arm, metric=metric, status=status, **of)


def _add_comparison(families: Families, one: Comparison, at: dict[str, str]) -> None:
    families.add(names.ARM_METRIC, one.arm.value, **at)
    families.add(names.LIFT, one.relative.value, **at)
    families.add_bounds(names.LIFT, one.relative.sequence.lower, one.relative.sequence.upper, **at)
    families.add(names.LIFT_P, one.p_adjusted, **at)
    families.add(names.ARM_USERS_NEEDED, one.users_needed, **at)


def _add_control_levels(families: Families, found: ExperimentNumbers, of: dict[str, str]) -> None:
    """Add control's level of each metric: every comparison holds the same."""
    levels = {one.metric: one.control.value for one in found.analysis.comparisons}
    for metric, value in levels.items():
        families.add(names.ARM_METRIC, value, arm=found.settings.control, metric=metric, **of)
