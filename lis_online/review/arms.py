"""The arms of a review: levels, lifts and guardrails from their moments."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from lis_online.events.windows_log import ArmMoments
from lis_online.experiments import comparison, levels, lift
from lis_online.experiments.analysis import Analysis, Plan, analyse, empty
from lis_online.experiments.definitions import Metric
from lis_online.experiments.known import Known
from lis_online.review.document import (
    Arm,
    Change,
    GuardrailResult,
    Interval,
    Level,
    MetricResult,
    Point,
    Representation,
    SampleRatio,
)
from lis_online.review.request import ReviewRequest

NO_VARIANT = "serves no variant"


@dataclass(frozen=True, slots=True)
class Arms:
    """An experiment's plan, its arms' moments (every arm of the plan has some) and what they show."""

    plan: Plan
    known: Known
    analysis: Analysis

    @classmethod
    def of(cls, plan: Plan, known: Known) -> Arms:
        """Return the analysis. An arm without moments has no users."""
        columns = len(known.columns)
        moments = {
            name: known.arms[name] if name in known.arms else empty(plan.name, name, columns) for name in plan.shares
        }
        found = analyse(plan, moments, known.columns, assigned(moments))
        return cls(plan, Known(known.time, known.columns, moments), found)

    def sample_ratio(self, reason: str | None) -> SampleRatio:
        """Return it. reason: why there is no user, where that is known."""
        found = self.analysis.sample_ratio
        return SampleRatio(
            p_value=found.p_value,
            mismatch=found.mismatch,
            assigned=dict(zip(self.plan.shares, found.counts, strict=True)),
            shares=dict(self.plan.shares),
            reason=found.reason and (reason or found.reason),
        )

    def guardrails(self) -> tuple[GuardrailResult, ...]:
        """Return every guardrail of every arm but control, by arm, then in the metrics' order."""
        rails = {metric.name: metric.guardrail for metric in self.plan.metrics}
        return tuple(
            GuardrailResult(
                arm=one.name,
                metric=one.metric,
                direction=rail.direction,
                margin=rail.margin,
                status=one.guardrail,
                relative=change(one.relative),
            )
            for one in self.analysis.comparisons
            if (rail := rails[one.metric]) is not None and one.guardrail is not None
        )

    def get(self, representations: Mapping[str, Representation | str]) -> tuple[Arm, ...]:
        """Return the arms. representations: by arm, that of the variant it serves, or why there is none."""
        counts = assigned(self.known.arms) or {}
        return tuple(
            Arm(
                arm=name,
                is_control=name == self.plan.control,
                share=share,
                users=self.known.arms[name].users,
                assigned=counts.get(name, self.known.arms[name].users),
                crossed=self.known.arms[name].crossed,
                metrics=tuple(self._metric(name, metric) for metric in self.plan.metrics),
                representation=None if isinstance(one := representations[name], str) else one,
                representation_reason=one if isinstance(one, str) else None,
            )
            for name, share in self.plan.shares.items()
        )

    def _metric(self, arm: str, metric: Metric) -> MetricResult:
        level = _level(levels.level(self.known.arms[arm], self.known.columns, metric))
        if arm == self.plan.control:
            return MetricResult(
                metric=metric.name, kind=metric.kind, level=level, relative=None, absolute=None, p_value=None,
                p_fixed=None, p_adjusted=None, minimum_effect=metric.minimum_effect, effect=None, users_needed=None,
                variance_reduction=None, cuped_reason=None,
            )  # fmt: skip
        found = self.analysis.get(arm, metric.name)
        return MetricResult(
            metric=metric.name,
            kind=metric.kind,
            level=level,
            relative=change(found.relative),
            absolute=change(found.absolute),
            p_value=found.p_sequential,
            p_fixed=found.p_fixed,
            p_adjusted=found.p_adjusted,
            minimum_effect=metric.minimum_effect,
            effect=found.minimum_effect,
            users_needed=found.users_needed,
            variance_reduction=found.variance_reduction,
            cuped_reason=found.cuped_reason,
        )


def assigned(moments: Mapping[str, ArmMoments]) -> dict[str, int] | None:
    """Return users by the first arm they were seen in; None of reports from before that was counted."""
    found = {name: one.assigned for name, one in moments.items()}
    return found if any(found.values()) else None


def points(plan: Plan, known: Known, request: ReviewRequest) -> list[Point]:
    """Return the lifts as they were known at a time."""
    return [
        Point(
            time=request.time(known.time),
            arm=one.name,
            metric=one.metric,
            value=one.relative.value,
            lower=one.relative.sequence.lower,
            upper=one.relative.sequence.upper,
            fixed_lower=one.relative.fixed.lower,
            fixed_upper=one.relative.fixed.upper,
        )
        for one in Arms.of(plan, known).analysis.comparisons
    ]


def change(found: comparison.Change) -> Change:
    """Return a lift as a part of the document."""
    return Change(
        value=found.value,
        stderr=found.stderr,
        sequence=_interval(found.sequence),
        fixed=_interval(found.fixed),
        reason=found.reason,
    )


def _interval(found: lift.Interval) -> Interval:
    return Interval(lower=found.lower, upper=found.upper, reason=found.reason)


def _level(found: levels.Level) -> Level:
    return Level(
        value=found.value,
        stderr=None if found.variance is None else found.variance**0.5,
        users=found.users,
        effective_users=found.effective,
        reason=found.reason,
    )
