"""Reviews made by hand, for what is computed from a review alone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from lis_online.review.compose import NOT_YET
from lis_online.review.document import (
    Agreement,
    Arm,
    Change,
    GuardrailResult,
    Interval,
    Level,
    MetricResult,
    Number,
    Quality,
    Representation,
    Review,
    SampleRatio,
    Span,
)

AT = datetime(2026, 11, 17, 9, tzinfo=UTC)
USERS = 10_000


def make_change(lower: float | None, upper: float | None) -> Change:
    """Return a lift in the middle of its sequence; one without an interval where an end is None."""
    if lower is None or upper is None:
        nothing = Interval(lower=None, upper=None, reason="no users")
        return Change(value=None, stderr=None, sequence=nothing, fixed=nothing, reason="no users")
    middle, half = (lower + upper) / 2, (upper - lower) / 4
    inner = Interval(lower=middle - half, upper=middle + half)
    return Change(value=middle, stderr=half / 2, sequence=Interval(lower=lower, upper=upper), fixed=inner)


def make_metric(
    lower: float | None = 0.015,
    upper: float | None = 0.03,
    *,
    name: str = "ctr",
    p_adjusted: float | None = 0.001,
    users_needed: int | None = 30_000,
) -> MetricResult:
    """Return a metric of a treatment arm by the ends of its sequence."""
    change = make_change(lower, upper)
    effect = (
        "undecided"
        if lower is None or upper is None
        else "above"
        if lower > 0.01
        else "below"
        if upper < 0.01
        else "undecided"
    )
    return MetricResult(
        metric=name,
        kind="ratio",
        level=Level(value=0.1, stderr=0.001, users=USERS, effective_users=4_000.0),
        relative=change,
        absolute=change,
        p_value=p_adjusted,
        p_fixed=p_adjusted,
        p_adjusted=p_adjusted,
        minimum_effect=0.01,
        effect=effect,  # type: ignore[arg-type]
        users_needed=users_needed,
        variance_reduction=None,
        cuped_reason=None,
    )


def make_control(*names: str) -> Arm:
    """Return the control arm, with metrics of these names."""
    nothing = {"relative": None, "absolute": None, "p_value": None, "p_fixed": None, "p_adjusted": None}
    metrics = tuple(
        make_metric(name=name).model_copy(update={**nothing, "effect": None, "users_needed": None}) for name in names
    )
    return make_arm("control", *metrics, is_control=True)


def make_arm(name: str, *metrics: MetricResult, is_control: bool = False, **changes: Any) -> Arm:
    """Return an arm of `USERS` users."""
    known = {"share": 0.5, "users": USERS, "assigned": USERS, "crossed": 0, "representation": None}
    return Arm(arm=name, is_control=is_control, metrics=metrics, **{**known, **changes})


def make_number(value: float | None, half: float = 0.001) -> Number:
    """Return a number with an interval of twice a half-width."""
    if value is None:
        return Number(value=None, reason="no samples")
    return Number(value=value, stderr=half / 2.04, lower=value - half, upper=value + half)


def make_representation(ais: float | None = 0.02, half: float = 0.001, diagnosis: str = "aligned") -> Representation:
    """Return what a variant delivers."""
    return Representation(
        variant="title",
        version="1",
        source="coclick",
        samples=50_000,
        effective_users=900.0,
        lis=make_number(0.035),
        adjusted_lis=make_number(0.0325, half),
        ais=make_number(ais, half),
        adjusted_ais=make_number(ais, half),
        efficiency=make_number(0.6154, 0.05),
        coverage=0.9,
        diagnosis=diagnosis,
        sentence="Keep it.",
    )


def make_rail(arm: str, status: str, metric: str = "dwell") -> GuardrailResult:
    """Return a guardrail against a decrease of 1 %."""
    ends = {"breached": (-0.05, -0.02), "holds": (-0.005, 0.02), "undecided": (-0.03, 0.02)}[status]
    return GuardrailResult(
        arm=arm,
        metric=metric,
        direction="decrease",
        margin=0.01,
        status=status,
        relative=make_change(*ends),  # type: ignore[arg-type]
    )


def make_review(*treatments: Arm, **changes: Any) -> Review:
    """Return a review of these arms and control, without a verdict."""
    arms = (make_control("ctr"), *(treatments or (make_arm("treatment", make_metric()),)))
    known: dict[str, Any] = {
        "experiment": "mllm-q4",
        "control": "control",
        "made_at": AT + timedelta(days=4),
        "zone": "UTC",
        "configuration": 1,
        "slice": "all",
        "scope": "experiment",
        "asked": None,
        "covered": Span(start=AT, end=AT + timedelta(days=2)),
        "alignment_covered": None,
        "alpha": 0.05,
        "correction": "holm",
        "primary_metric": "ctr",
        "verdict": NOT_YET,
        "sample_ratio": SampleRatio(
            p_value=1.0,
            mismatch=False,
            assigned={arm.arm: arm.assigned for arm in arms},
            shares={arm.arm: 1 / len(arms) for arm in arms},
        ),
        "guardrails": (),
        "arms": arms,
        "agreement": Agreement(metric="ctr", pairs=(), agrees=None, rank_correlation=None, reason="one arm"),
        "over_time": (),
        "alignment_over_time": (),
        "drift": (),
        "quality": Quality(accepted=99_000, late=500, duplicate=9, dead_letters=1, left_out=0, gaps=(), set_aside={}),
    }
    return Review(**{**known, **changes})
