"""One arm against control in one metric: everything that is said about it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from lis_online.events.windows_log import ArmMoments
from lis_online.experiments import fixed, missing
from lis_online.experiments.burn_in import BURN_IN, too_few
from lis_online.experiments.cuped import Names, adjust
from lis_online.experiments.definitions import Metric
from lis_online.experiments.guardrail import Holding, Reached, judge, reached
from lis_online.experiments.levels import Level, level
from lis_online.experiments.lift import (
    Interval,
    Lift,
    absolute_interval,
    lift,
    relative_interval,
    relative_stderr,
)
from lis_online.experiments.power import users_for_sequence
from lis_online.experiments.sequence import AtUsers, ForEffect, Mixture, Tuning


@dataclass(frozen=True, slots=True)
class Rules:
    """What was decided before looking. alpha: error of each interval and test.

    tuning: what sequences are tightest at; None for each metric's minimum effect. burn_in: effective users of an arm.
    cuped: the pre-period is used wherever it can be.
    """

    alpha: float = 0.05
    tuning: Tuning | None = None
    burn_in: int = BURN_IN
    cuped: bool = False

    def __post_init__(self) -> None:
        if not 0 < self.alpha < 1:
            raise ValueError(f"alpha must be between 0 and 1, got {self.alpha}")

    def tuning_of(self, metric: Metric) -> Tuning:
        """Return what a metric's sequence is tightest at."""
        return self.tuning or ForEffect(metric.minimum_effect)


@dataclass(frozen=True, slots=True)
class Change:
    """A lift in one scale. sequence: safe to watch at any time; fixed: right at one time chosen before."""

    value: float | None
    stderr: float | None
    sequence: Interval
    fixed: Interval
    reason: str | None = None

    @classmethod
    def none(cls, reason: str) -> Change:
        """Return no lift, and why."""
        return cls(None, None, Interval.none(reason), Interval.none(reason), reason)


@dataclass(frozen=True, slots=True)
class Comparison:
    """An arm against control in a metric.

    control, arm: levels as observed. absolute, relative: lift, after CUPED where that was possible: then
    variance_reduction is the share of variance it took out, else None and cuped_reason.
    p_sequential is below alpha exactly where the sequences exclude 0, p_fixed where the fixed intervals do.
    p_adjusted: p_sequential over the family. guardrail: None where none is declared.
    users_needed: in all, of both arms, to see the minimum effect with 80 % power; those who are there count.
    """

    metric: str
    name: str
    control: Level
    arm: Level
    absolute: Change
    relative: Change
    p_sequential: float | None
    p_fixed: float | None
    p_adjusted: float | None
    guardrail: Holding | None
    minimum_effect: Reached
    users_needed: int | None
    variance_reduction: float | None
    cuped_reason: str | None

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return asdict(self)


def compare(
    control: ArmMoments, arm: ArmMoments, names: Names, metric: Metric, rules: Rules | None = None
) -> Comparison:
    """Return an arm against control. names: of the moments' columns, `Columns.names`."""
    rules = rules or Rules()
    levels = level(control, names, metric), level(arm, names, metric)
    found, reduction, cuped_reason = _lift(control, arm, names, metric, levels, rules.cuped)
    if isinstance(found, str):
        return _nothing(metric, arm.arm, levels, found, cuped_reason)
    reason = too_few(found.control, found.arm, rules.burn_in)
    mixture = _mixture(found, metric, rules)
    absolute, relative = _changes(found, mixture, reason, rules.alpha)
    return Comparison(
        metric.name,
        arm.arm,
        *levels,
        absolute,
        relative,
        None if reason or mixture is None else mixture.p_value(found.z_squared),
        fixed.p_value(found),
        None,
        None if metric.guardrail is None else judge(metric.guardrail, relative.sequence),
        reached(metric.minimum_effect, relative.sequence),
        None if reason else _users_needed(found, metric, rules),
        reduction,
        cuped_reason,
    )


def _lift(
    control: ArmMoments,
    arm: ArmMoments,
    names: Names,
    metric: Metric,
    levels: tuple[Level, Level],
    cuped: bool,
) -> tuple[Lift | str, float | None, str | None]:
    """Return the lift, CUPED's reduction of variance, and why there was no CUPED."""
    if not cuped:
        return lift(*levels), None, None
    adjusted = adjust(control, arm, names, metric)
    if adjusted.reason is not None:
        return lift(*levels), None, adjusted.reason
    return lift(adjusted.control, adjusted.arm), adjusted.reduction, None


def _mixture(found: Lift, metric: Metric, rules: Rules) -> Mixture | None:
    tuning, users = rules.tuning_of(metric), found.control.users + found.arm.users
    if isinstance(tuning, AtUsers):
        return tuning.mixture(0.0, users, rules.alpha)
    if found.relative_variance is None:
        return None
    return tuning.mixture(found.relative_variance, users, rules.alpha)


def _changes(found: Lift, mixture: Mixture | None, reason: str | None, alpha: float) -> tuple[Change, Change]:
    """Return the absolute and the relative lift. reason: why there is no sequence."""
    once = fixed.reach(found, alpha)
    fixed_absolute, fixed_relative = absolute_interval(found, once), relative_interval(found, once)
    if mixture is None or reason is not None:
        why = reason or missing.NOT_POSITIVE
        sequences = Interval.none(why), Interval.none(why)
    else:
        always = float(mixture.reach(alpha))
        sequences = absolute_interval(found, always), relative_interval(found, always)
    absolute = Change(found.difference, found.variance**0.5, sequences[0], fixed_absolute)
    if found.relative is None:
        return absolute, Change.none(missing.NOT_POSITIVE)
    return absolute, Change(found.relative, relative_stderr(found), sequences[1], fixed_relative)


def _users_needed(found: Lift, metric: Metric, rules: Rules) -> int | None:
    if found.relative_variance is None:
        return None
    users = found.control.users + found.arm.users
    return users_for_sequence(
        found.relative_variance, users, metric.minimum_effect, rules.tuning_of(metric), rules.alpha
    )


def _nothing(
    metric: Metric, name: str, levels: tuple[Level, Level], reason: str, cuped_reason: str | None
) -> Comparison:
    nothing = Change.none(reason)
    guarded: Holding | None = None if metric.guardrail is None else "undecided"
    return Comparison(
        metric.name, name, *levels, nothing, nothing, None, None, None, guarded, "undecided", None, None, cuped_reason
    )
