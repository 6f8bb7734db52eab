"""Student's t distribution: what a fixed-horizon interval needs of it, without a library behind it."""

from __future__ import annotations

from math import exp, lgamma, log, log1p, pi, sqrt
from statistics import NormalDist
from typing import Final

_TINY: Final = 1e-300
LARGE: Final = 1000.0
"""Degrees of freedom from which three terms of the series are right to nine digits, and steps are not needed."""


def two_sided_p(t: float, df: float) -> float:
    """Return P(|T| >= |t|) with df degrees of freedom, above 0: I_x(df/2, 1/2) at x = df / (df + t^2).

    >>> round(two_sided_p(2.0, 10), 4)
    0.0734
    """
    a, b, odds = df / 2, 0.5, t * t / df
    if odds == 0:
        return 1.0
    x, y = 1 / (1 + odds), odds / (1 + odds)  # y apart: 1 - x has no digit left at large df
    front = exp(_log_beta(a) - a * log1p(odds) + b * log(y))
    if x < (a + 1) / (a + b + 2):
        return front * _fraction(x, a, b) / a
    return 1 - front * _fraction(y, b, a) / b


def quantile(level: float, df: float) -> float:
    """Return t with P(|T| <= t) = level.

    >>> round(quantile(0.95, 31), 2), round(quantile(0.95, 1e9), 4)
    (2.04, 1.96)
    """
    if not 0 < level < 1:
        raise ValueError(f"level must be between 0 and 1, got {level}")
    low = NormalDist().inv_cdf(0.5 + level / 2)  # t has the heavier tails
    if df >= LARGE:
        return _expanded(low, df)
    t, step = low, low
    while step > 1e-14 * t:  # Newton's steps from below: P is convex there, so none goes too far
        step = (two_sided_p(t, df) - (1 - level)) / (2 * _density(t, df))
        t += step
    return t


def _density(t: float, df: float) -> float:
    return exp(_log_beta(df / 2) - (df + 1) / 2 * log1p(t * t / df)) / sqrt(df)


def _expanded(z: float, df: float) -> float:
    """Return the quantile of t from that of the normal (Abramowitz and Stegun 26.7.5), in powers of 1 / df."""
    terms = (
        (z**3 + z) / 4,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
    )
    return z + sum(term / df ** (k + 1) for k, term in enumerate(terms))


def _log_beta(a: float) -> float:
    """Return -log B(a, 1/2); from 1,000 on by its series, where lgamma's difference would cancel."""
    if a < 1000:
        return lgamma(a + 0.5) - lgamma(a) - log(pi) / 2
    return (log(a) - log(pi)) / 2 - 1 / (8 * a) + 1 / (192 * a**3)


def _fraction(x: float, a: float, b: float) -> float:
    """Return the continued fraction of I_x (DLMF 8.17.22) by Lentz's method."""
    c, d = 1.0, 1 / (1 - (a + b) * x / (a + 1) or _TINY)
    found = d
    for m in range(1, 10_000):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        for term in (even, odd):
            d = 1 / (1 + term * d or _TINY)
            c = 1 + term / c or _TINY
            found *= c * d
        if abs(c * d - 1) < 1e-15:
            break
    return found
