"""Parts of reviews that are made by hand."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from math import exp
from typing import Any, Final

from lis_online.review.document import (
    AlignmentPoint,
    Arm,
    Change,
    Interval,
    Level,
    MetricResult,
    Number,
    Point,
    Representation,
)

START: Final = datetime(2026, 11, 17, 8, tzinfo=UTC)
END: Final = datetime(2026, 11, 20, 17, tzinfo=UTC)
POINTS: Final = 40
HOSTILE: Final = "</script><script>alert(1)</script><img src=x onerror=alert(2)>&quot;'\u2028"
"""A name that would break out of a tag, an attribute, a script or a JSON text that is written without care."""
TOO_FEW: Final = "too few users for a sequence: 40 of 100 effective ones"


def change(value: float, stderr: float) -> Change:
    """Return a lift: the sequence reaches 3.04 standard errors, the fixed interval 1.96."""
    return Change(
        value=value,
        stderr=stderr,
        sequence=Interval(lower=value - 3.04 * stderr, upper=value + 3.04 * stderr),
        fixed=Interval(lower=value - 1.96 * stderr, upper=value + 1.96 * stderr),
    )


def no_change(reason: str) -> Change:
    """Return a lift that does not exist."""
    nothing = Interval(lower=None, upper=None, reason=reason)
    return Change(value=None, stderr=None, sequence=nothing, fixed=nothing, reason=reason)


def metric(name: str, lift: float | None, stderr: float = 0.004, kind: Any = "ratio", level: float = 0.081) -> Any:
    """Return a metric's result; lift None: the control arm."""
    treated = lift is not None
    return MetricResult(
        metric=name,
        kind=kind,
        level=Level(value=level * (1 + (lift or 0.0)), stderr=level * stderr, users=48_210, effective_users=31_007.4),
        relative=change(lift, stderr) if lift is not None else None,
        absolute=change(level * lift, level * stderr) if lift is not None else None,
        p_value=0.0007 if treated else None,
        p_fixed=0.00002 if treated else None,
        p_adjusted=0.0021 if treated else None,
        minimum_effect=0.01,
        effect="undecided" if treated else None,
        users_needed=142_000 if treated else None,
        variance_reduction=0.31 if treated else None,
        cuped_reason=None,
    )


def number(value: float, half: float = 0.004) -> Number:
    """Return a number with a symmetric interval."""
    return Number(value=value, stderr=half / 1.96, lower=value - half, upper=value + half)


def representation(variant: str, ais: float, diagnosis: str = "aligned") -> Representation:
    """Return what a variant delivers of a LIS of 0.041."""
    return Representation(
        variant=variant,
        version="2026-11-10",
        source="coclick",
        samples=1_204_551,
        effective_users=18_230.0,
        lis=number(0.0432),
        adjusted_lis=number(0.0410),
        ais=number(ais + 0.001),
        adjusted_ais=number(ais),
        efficiency=number(ais / 0.041, 0.07),
        coverage=0.83,
        diagnosis=diagnosis,
        sentence=f"{variant} delivers {ais / 0.041:.0%} of what coclick could bring; better data comes next.",
    )


def arm(name: str, share: float, metrics: tuple[Any, ...], served: Representation | None, **more: Any) -> Arm:
    """Return an arm."""
    return Arm(
        arm=name,
        is_control=metrics[0].relative is None if metrics else name == "control",
        share=share,
        users=48_210,
        assigned=48_307,
        crossed=97,
        metrics=metrics,
        representation=served,
        representation_reason=None if served else "the arm serves no variant",
        **more,
    )


def over_time(arms: tuple[str, ...], metrics: tuple[str, ...], lift: float = 0.026) -> tuple[Point, ...]:
    """Return lifts that settle as users come; the first two have no interval yet."""
    found = []
    for k in range(POINTS):
        time = START + (END - START) * (k + 1) / POINTS
        for a, name in enumerate(arms):
            for m, one in enumerate(metrics):
                stderr = 0.03 / (k + 1) ** 0.6
                value = lift / (1 + a + m) + 0.02 * exp(-k / 6) * (-1) ** k
                early = k < 2
                found.append(
                    Point(
                        time=time,
                        arm=name,
                        metric=one,
                        value=value,
                        lower=None if early else value - 3.04 * stderr,
                        upper=None if early else value + 3.04 * stderr,
                        fixed_lower=None if early else value - 1.96 * stderr,
                        fixed_upper=None if early else value + 1.96 * stderr,
                    )
                )
    return tuple(found)


def alignment_over_time(variants: tuple[str, ...]) -> tuple[AlignmentPoint, ...]:
    """Return LIS and AIS by the hour; one hour has no number."""
    none = Number(value=None, reason="no samples")
    return tuple(
        AlignmentPoint(
            time=START + timedelta(hours=2 * k),
            variant=variant,
            adjusted_lis=none if k == 7 else number(0.041 + 0.002 * (k % 3)),
            adjusted_ais=none if k == 7 else number(0.012 + 0.012 * v + 0.001 * (k % 4)),
            diagnosis=None if k == 7 else "aligned",
        )
        for k in range(40)
        for v, variant in enumerate(variants)
    )
