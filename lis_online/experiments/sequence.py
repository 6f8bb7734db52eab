"""The always-valid interval of a lift: an asymptotic confidence sequence, and its p-value.

One formula, in two clocks. Let V be the variance of an estimated difference, Z^2 = difference^2 / V and r the *odds*
of information: r = tau^2 / V, what has been learnt relative to a mixture N(0, tau^2) over differences. Mixing the
likelihood ratio of Brownian motion over it gives Robbins' e-value (1970)

    e = exp(Z^2 r / (2 (1 + r))) / sqrt(1 + r),      p = min(1, 1 / e)

and with Ville's inequality, P(exists t: e_t >= 1 / alpha) <= alpha, the sequence

    difference +- sqrt(V) * m(r),      m(r)^2 = (1 + 1/r) log((1 + r) / alpha^2).

With r = n rho^2 this is Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas, "Time-uniform central limit theory and
asymptotic confidence sequences" (arXiv 2103.06476), equation 9, where V = sigma^2 / n; with fixed tau it is the mixture
SPRT of Johari, Koomen, Pekelis and Walsh, "Always valid inference" (arXiv 1512.04922). The interval excludes 0 exactly
where p < alpha. Valid from a number of users on: `burn_in`.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import exp, log, sqrt
from statistics import NormalDist

import numpy as np

Numbers = float | np.ndarray

POWER = 0.8
"""With which probability an effect is seen where the sequence for it is tightest."""


def multiplier(odds: Numbers, alpha: float) -> Numbers:
    """Return m(r): how many standard errors an interval reaches. odds: above 0.

    >>> round(float(multiplier(8.212, 0.05)), 3)
    3.035
    """
    found: Numbers = np.sqrt((1 + 1 / odds) * np.log((1 + odds) / alpha**2))
    return found


def log_e(z_squared: Numbers, odds: Numbers) -> Numbers:
    """Return the logarithm of the e-value against no difference."""
    found: Numbers = z_squared * odds / (2 * (1 + odds)) - np.log1p(odds) / 2
    return found


def p_value(z_squared: float, odds: float) -> float:
    """Return the sequential p-value, valid at any stopping time: below alpha exactly where m(r)^2 < Z^2.

    It is that of the data as it is now, not the smallest so far. 1 / p is an e-value.

    >>> round(p_value(3.1**2, 8.212), 3), p_value(0.0, 1.0)
    (0.042, 1.0)
    """
    return exp(min(0.0, -float(log_e(z_squared, odds))))


def best_odds(alpha: float) -> float:
    """Return the r at which m(r) is smallest: r = log((1 + r) / alpha^2), and there m(r)^2 = 1 + r.

    Waudby-Smith et al. approximate it (appendix B.2) by log(1 - 2 log alpha) - 2 log alpha.

    >>> round(best_odds(0.05), 3)
    8.212
    """
    odds = -2 * log(alpha)
    for _ in range(100):  # contracts by 1 / (1 + r) a step
        odds = log((1 + odds) / alpha**2)
    return odds


@dataclass(frozen=True, slots=True)
class ForEffect:
    """The clock of information: tightest when a relative effect is seen with 80 % power.

    r = tau^2 / V with V relative to control, so that users who come back count as what they add.
    """

    effect: float

    def odds(self, relative_variance: Numbers, users: Numbers, alpha: float) -> Numbers:
        """Return r. relative_variance: of the relative lift; users: not used."""
        best = best_odds(alpha)
        at_best = (self.effect / (sqrt(1 + best) + NormalDist().inv_cdf(POWER))) ** 2
        return best * at_best / relative_variance


@dataclass(frozen=True, slots=True)
class AtUsers:
    """The clock of users: tightest at a number of users, of both arms together: r = n rho^2."""

    users: int

    def odds(self, relative_variance: Numbers, users: Numbers, alpha: float) -> Numbers:
        """Return r. relative_variance: not used; users: of both arms so far."""
        return best_odds(alpha) * users / self.users


Tuning = ForEffect | AtUsers
