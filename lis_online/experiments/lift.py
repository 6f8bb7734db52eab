"""Lift: what an arm does better than control, absolute and relative, for any number of standard errors."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lis_online.experiments import missing
from lis_online.experiments.levels import Level

Numbers = float | np.ndarray


@dataclass(frozen=True, slots=True)
class Interval:
    """Lower and upper end, or why there are none."""

    lower: float | None
    upper: float | None
    reason: str | None = None

    @classmethod
    def none(cls, reason: str) -> Interval:
        """Return no interval, and why."""
        return cls(None, None, reason)

    def excludes(self, value: float) -> bool:
        """Whether there is an interval and the value lies outside it."""
        return self.lower is not None and self.upper is not None and not self.lower <= value <= self.upper


@dataclass(frozen=True, slots=True)
class Lift:
    """An arm's difference from control and its variance; the arms' users are different ones, so variances add.

    relative_variance: of the relative lift where there is none: (V_arm + V_control) / control^2.
    """

    control: Level
    arm: Level
    difference: float
    variance: float
    relative: float | None
    relative_variance: float | None

    @property
    def z_squared(self) -> float:
        """Squared difference in standard errors: of the absolute and of the relative lift."""
        return self.difference**2 / self.variance


def lift(control: Level, arm: Level) -> Lift | str:
    """Return the lift of an arm over control, or why there is none.

    relative is None where control's level is not above 0.
    """
    for level in (control, arm):
        if level.value is None or level.variance is None:
            return level.reason or missing.NO_USERS
        if level.variance == 0:
            return missing.NO_VARIANCE
    assert control.value is not None and control.variance is not None
    assert arm.value is not None and arm.variance is not None
    difference, variance = arm.value - control.value, arm.variance + control.variance
    if control.value <= 0:
        return Lift(control, arm, difference, variance, None, None)
    return Lift(control, arm, difference, variance, arm.value / control.value - 1, variance / control.value**2)


def absolute_interval(found: Lift, reach: float) -> Interval:
    """Return difference +- reach standard errors."""
    half = reach * found.variance**0.5
    return Interval(found.difference - half, found.difference + half)


def relative_interval(found: Lift, reach: float) -> Interval:
    """Return Fieller's interval of the relative lift: it excludes 0 exactly where the absolute one does.

    Both are the same test, |arm - R control| <= reach sqrt(V_arm + R^2 V_control), at R = 1. The delta method's
    interval is not: its standard error is taken at the estimated R, so the two could disagree.
    """
    if found.relative is None:
        return Interval.none(missing.NOT_POSITIVE)
    c, a = found.control, found.arm
    assert c.value is not None and c.variance is not None and a.value is not None and a.variance is not None
    lower, upper = fieller(a.value, a.variance, c.value, c.variance, reach)
    if np.isnan(lower):
        return Interval.none(missing.UNBOUNDED)
    return Interval(float(lower) - 1, float(upper) - 1)


def relative_stderr(found: Lift) -> float | None:
    """Return the delta method's standard error of the relative lift: sqrt(V_arm + R^2 V_control) / control."""
    c, a = found.control, found.arm
    if found.relative is None or c.value is None or c.variance is None or a.variance is None:
        return None
    return float((a.variance + (1 + found.relative) ** 2 * c.variance) ** 0.5 / c.value)


def fieller(
    top: Numbers, top_variance: Numbers, bottom: Numbers, bottom_variance: Numbers, reach: Numbers
) -> tuple[np.ndarray, np.ndarray]:
    """Return the ends of the ratios R of two independent estimates with |top - R bottom| <= reach standard errors.

    Fieller, "Some problems in interval estimation" (JRSS B 16, 1954): the roots of
    (b^2 - k^2 V_b) R^2 - 2 t b R + t^2 - k^2 V_t. NaN where the set has no bounds (bottom within reach of 0).

    >>> [round(float(end), 4) for end in fieller(11.0, 0.25, 10.0, 0.16, 1.96)]
    [0.9757, 1.2379]
    """
    top, bottom = np.asarray(top, float), np.asarray(bottom, float)
    k2 = np.square(reach)
    a = np.square(bottom) - k2 * bottom_variance
    # The discriminant with its squares multiplied out: t^2 b^2 would cancel to nothing where the variances are small.
    spread = np.square(bottom) * top_variance + np.square(top) * bottom_variance - k2 * top_variance * bottom_variance
    middle, root = top * bottom, np.sqrt(np.maximum(k2 * spread, 0))
    a = np.where(a > 0, a, np.nan)
    return (middle - root) / a, (middle + root) / a
