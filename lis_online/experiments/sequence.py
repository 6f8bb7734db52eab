"""The always-valid interval of a lift: an asymptotic confidence sequence, and its p-value.

Let V be the variance of an estimated difference, Z^2 = difference^2 / V and r = tau^2 / V the *odds* of information:
what has been learnt relative to a mixture N(0, tau^2) over differences. Mixing the likelihood ratio of Brownian motion
over it gives Robbins' e-value (1970)

    e(r) = exp(Z^2 r / (2 (1 + r))) / sqrt(1 + r),      p = min(1, 1 / e),

and with Ville's inequality, P(exists t: e_t >= 1 / alpha) <= alpha, the sequence

    difference +- sqrt(V) m(r),      m(r)^2 = (1 + 1/r) log((1 + r) / alpha^2).

With r = n rho^2 this is Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas, "Time-uniform central limit theory and
asymptotic confidence sequences" (arXiv 2103.06476), equation 9, where V = sigma^2 / n; with fixed tau it is the mixture
SPRT of Johari, Koomen, Pekelis and Walsh, "Always valid inference" (arXiv 1512.04922). A weighted mean of e(r) over
several tau is an e-value too. The interval excludes 0 exactly where p < alpha. Valid from `burn_in` users on.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from math import exp, log, sqrt
from statistics import NormalDist
from typing import Final

import numpy as np

Numbers = float | np.ndarray

POWER: Final = 0.8
"""With which probability an effect is seen where the sequence for it is tightest."""
SCALES: Final = ((1.0, 0.5), (6.0, 0.25), (36.0, 0.25))
"""What ForEffect mixes over: (multiple of the effect, weight). One scale alone, tuned to 1 %, does not see a lift of
50 % with 9 standard errors in it. The two larger ones see it, and cost the first one 10 % more users."""


@dataclass(frozen=True, slots=True)
class Mixture:
    """What an e-value is mixed over. odds: float64 [..., K], above 0; weights: [K], of sum 1."""

    odds: np.ndarray
    weights: np.ndarray

    @classmethod
    def single(cls, odds: Numbers) -> Mixture:
        """Return the mixture over one tau."""
        return cls(np.asarray(odds, float)[..., None], np.ones(1))

    def log_e(self, z_squared: Numbers) -> np.ndarray:
        """Return the logarithm of the e-value against no difference, [...]."""
        found: np.ndarray = np.logaddexp.reduce(self._parts(np.asarray(z_squared, float)), axis=-1)
        return found

    def p_value(self, z_squared: float) -> float:
        """Return the sequential p-value, valid at any stopping time: under alpha exactly where Z^2 > reach(alpha)^2.

        It is that of the data as it is now, not the smallest so far. 1 / p is an e-value.

        >>> one = Mixture.single(8.212)
        >>> round(one.p_value(3.1**2), 3), one.p_value(0.0)
        (0.042, 1.0)
        """
        return exp(min(0.0, -float(self.log_e(z_squared))))

    def reach(self, alpha: float) -> np.ndarray:
        """Return how many standard errors the interval reaches, [...]: where e = 1 / alpha.

        log e is convex and rises in Z^2. Newton's steps from above, where one part alone is enough, stay above.

        >>> round(float(Mixture.single(8.212).reach(0.05)), 3)
        3.035
        """
        slope = self.odds / (2 * (1 + self.odds))
        x = ((np.log1p(self.odds) / 2 - np.log(alpha * self.weights)) / slope).min(axis=-1)
        for _ in range(50 if len(self.weights) > 1 else 0):
            parts = self._parts(x)
            height = np.logaddexp.reduce(parts, axis=-1)
            step = (height + log(alpha)) / (np.exp(parts - height[..., None]) * slope).sum(axis=-1)
            x = x - step
            if np.all(np.abs(step) <= 1e-14 * x):
                break
        found: np.ndarray = np.sqrt(x)
        return found

    def _parts(self, z_squared: np.ndarray) -> np.ndarray:
        slope = self.odds / (2 * (1 + self.odds))
        found: np.ndarray = np.log(self.weights) + z_squared[..., None] * slope - np.log1p(self.odds) / 2
        return found


@cache
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
    """The clock of information: r = tau^2 / V with V relative to control. For a relative effect, above 0.

    tau is such that the sequence is tightest when the effect is seen with 80 % power; with SCALES it also sees much
    larger ones early. Users who come back count as what they add, so a sequence stays valid when no new users come.
    """

    effect: float

    def mixture(self, relative_variance: Numbers, users: Numbers, alpha: float) -> Mixture:
        """Return the mixture. relative_variance: of the relative lift; users: not used."""
        best = best_odds(alpha)
        at_best = (self.effect / (sqrt(1 + best) + NormalDist().inv_cdf(POWER))) ** 2
        multiples, weights = np.array(SCALES).T
        return Mixture(best * at_best * multiples**2 / np.asarray(relative_variance)[..., None], weights)


@dataclass(frozen=True, slots=True)
class AtUsers:
    """The clock of users, as published: r = n rho^2, tightest at a number of users of both arms together."""

    users: int

    def mixture(self, relative_variance: Numbers, users: Numbers, alpha: float) -> Mixture:
        """Return the mixture. relative_variance: not used; users: of both arms so far."""
        return Mixture.single(best_odds(alpha) * np.asarray(users) / self.users)


Tuning = ForEffect | AtUsers
