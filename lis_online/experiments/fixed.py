"""The fixed-horizon answer: right once, at a time chosen before looking; wrong for who watches."""

from __future__ import annotations

from lis_online.experiments import missing
from lis_online.experiments.levels import Level
from lis_online.experiments.lift import Interval, Lift
from lis_online.experiments.student import quantile, two_sided_p


def degrees_of_freedom(found: Lift) -> float:
    """Return Welch and Satterthwaite's degrees of freedom (Welch, Biometrika 34, 1947).

    V^2 / (V_a^2 / (n_a - 1) + V_c^2 / (n_c - 1)), with the variances of the two levels.
    """
    parts = 0.0
    for level in (found.control, found.arm):
        assert level.variance is not None
        parts += level.variance**2 / (level.users - 1)
    return found.variance**2 / parts


def reach(found: Lift, alpha: float) -> float:
    """Return how many standard errors Welch's interval reaches."""
    return quantile(1 - alpha, degrees_of_freedom(found))


def level_interval(found: Level, alpha: float) -> Interval:
    """Return the t interval of one arm's level, right at one time chosen before.

    >>> interval = level_interval(Level(0.4, 0.01, 101, 60.0), 0.05)
    >>> round(interval.lower, 4), round(interval.upper, 4)
    (0.2016, 0.5984)
    """
    if found.value is None or found.variance is None:
        return Interval.none(found.reason or missing.NO_USERS)
    half = quantile(1 - alpha, found.users - 1) * found.variance**0.5
    return Interval(found.value - half, found.value + half)


def p_value(found: Lift) -> float:
    """Return Welch's two-sided p-value of no difference."""
    return two_sided_p(found.z_squared**0.5, degrees_of_freedom(found))
