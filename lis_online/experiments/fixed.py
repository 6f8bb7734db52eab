"""The fixed-horizon answer: right once, at a time chosen before looking; wrong for who watches."""

from __future__ import annotations

from lis_online.experiments.lift import Lift
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


def p_value(found: Lift) -> float:
    """Return Welch's two-sided p-value of no difference."""
    return two_sided_p(found.z_squared**0.5, degrees_of_freedom(found))
