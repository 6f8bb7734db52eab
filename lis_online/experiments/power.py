"""How many users an experiment still needs."""

from __future__ import annotations

from functools import lru_cache
from math import ceil, exp, log, sqrt
from statistics import NormalDist
from typing import Final

from lis_online.experiments.numeric import bisect
from lis_online.experiments.sequence import POWER, ForEffect, Tuning

MOST: Final = 1e11
"""Users beyond which no answer is worth giving: more than there are people."""
FAR: Final = 60.0
"""How far from effect^2 the variance is looked for, in powers of e: a reach of 10^13 standard errors."""


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
    if isinstance(tuning, ForEffect):  # what is enough is a variance, whatever it took to get there
        needed = relative_variance * users / _largest_variance(effect, tuning, alpha, power)
        return None if needed > MOST else ceil(needed)

    def is_enough(log_users: float) -> bool:
        n = exp(log_users)
        return _is_seen(effect, relative_variance * users / n, n, tuning, alpha, power)

    if not is_enough(log(MOST)):
        return None
    return ceil(exp(bisect(is_enough, 0.0, log(MOST), 1e-12)))


def _is_seen(effect: float, variance: float, users: float, tuning: Tuning, alpha: float, power: float) -> bool:
    """Whether the sequence excludes 0 with the probability at a relative effect and a variance of the lift."""
    reach = float(tuning.mixture(variance, users, alpha).reach(alpha))
    return effect >= (reach + NormalDist().inv_cdf(power)) * sqrt(variance)


@lru_cache(256)
def _largest_variance(effect: float, tuning: ForEffect, alpha: float, power: float) -> float:
    """Return the variance of the relative lift from which on down the effect is seen. Costs a millisecond; kept."""
    start = 2 * log(effect)
    found = bisect(lambda x: _is_seen(effect, exp(start - x), 0.0, tuning, alpha, power), -FAR, FAR, 1e-12)
    return exp(start - found)


def users_for_fixed(
    relative_variance: float, users: int, effect: float, alpha: float = 0.05, power: float = POWER
) -> int:
    """Return the users of a test at one time chosen before: n V_n = (effect / (z_alpha/2 + z_power))^2."""
    z = NormalDist().inv_cdf(1 - alpha / 2) + NormalDist().inv_cdf(power)
    return ceil(relative_variance * users * (z / effect) ** 2)
