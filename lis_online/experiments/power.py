"""How many users an experiment still needs."""

from __future__ import annotations

from math import ceil, exp, log, sqrt
from statistics import NormalDist
from typing import Final

from lis_online.experiments.numeric import bisect
from lis_online.experiments.sequence import POWER, Tuning

MOST: Final = 1e11
"""Users beyond which no answer is worth giving: more than there are people."""


def users_for_sequence(
    relative_variance: float, users: int, effect: float, tuning: Tuning, alpha: float = 0.05, power: float = POWER
) -> int | None:
    """Return with how many users, of both arms, the sequence excludes 0 with a probability, at a relative effect.

    None where it takes more than MOST.

    relative_variance: of the relative lift with `users`; it is taken to fall as 1 / users, as it does when the users to
    come are like those who came. The smallest n with effect >= (reach_n + z_power) sqrt(V_n).

    >>> from lis_online.experiments.sequence import ForEffect
    >>> users_for_sequence(0.0001, 10_000, 0.02, ForEffect(0.02)), users_for_fixed(0.0001, 10_000, 0.02)
    (41367, 19623)
    """
    z = NormalDist().inv_cdf(power)

    def is_enough(log_users: float) -> bool:
        n = exp(log_users)
        variance = relative_variance * users / n
        reach = float(tuning.mixture(variance, n, alpha).reach(alpha))
        return effect >= (reach + z) * sqrt(variance)

    if not is_enough(log(MOST)):
        return None
    return ceil(exp(bisect(is_enough, 0.0, log(MOST), 1e-12)))


def users_for_fixed(
    relative_variance: float, users: int, effect: float, alpha: float = 0.05, power: float = POWER
) -> int:
    """Return the users of a test at one time chosen before: n V_n = (effect / (z_alpha/2 + z_power))^2."""
    z = NormalDist().inv_cdf(1 - alpha / 2) + NormalDist().inv_cdf(power)
    return ceil(relative_variance * users * (z / effect) ** 2)
