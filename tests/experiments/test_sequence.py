"""The always-valid interval and its p-value."""

from __future__ import annotations

from math import exp, log, sqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate, optimize, special

from lis_online.experiments.sequence import SCALES, AtUsers, ForEffect, Mixture, best_odds

odds = st.floats(1e-4, 1e6)
alphas = st.floats(1e-6, 0.5)
mixtures = st.one_of(
    odds.map(Mixture.single),
    odds.map(lambda r: ForEffect(1.0).mixture(best_odds(0.05) / r, 1, 0.05)),
)


@given(st.floats(0, 1000), mixtures, alphas)
def test_p_is_below_alpha_exactly_where_the_interval_excludes_the_null(z: float, of: Mixture, alpha: float) -> None:
    """One is the inversion of the other, for every alpha (rounding aside), also for a mixture of several scales."""
    reach = float(of.reach(alpha))
    if abs(z / reach - 1) > 1e-9:
        assert (of.p_value(z * z) < alpha) == (z > reach)


@given(st.floats(-6, 6), st.floats(0.01, 100))
def test_e_is_the_likelihood_ratio_of_the_mixture(z: float, r: float) -> None:
    """By numerical integration: the estimate's density under N(0, tau^2) effects over that under none."""
    tau = sqrt(r)  # at V = 1

    def joint(effect: float) -> float:
        return exp(-((z - effect) ** 2) / 2) * exp(-((effect / tau) ** 2) / 2) / (tau * sqrt(2 * np.pi))

    centre, width = z * r / (1 + r), sqrt(r / (1 + r))
    mixed = integrate.quad(joint, centre - 12 * width, centre + 12 * width)[0]
    assert float(Mixture.single(r).log_e(z * z)) == pytest.approx(log(mixed) + z * z / 2, abs=1e-6)


@given(st.floats(0, 20), st.floats(1e-6, 1.0))
def test_the_e_value_for_an_effect_is_the_weighted_mean_of_three(z: float, variance: float) -> None:
    """Each scale alone, averaged by hand."""
    of = ForEffect(0.02).mixture(variance, 1, 0.05)
    first = of.odds[0]
    parts = [w * exp(float(Mixture.single(first * k**2).log_e(z * z))) for k, w in SCALES]
    assert sum(w for _, w in SCALES) == 1
    assert float(of.log_e(z * z)) == pytest.approx(log(sum(parts)), rel=1e-9, abs=1e-9)


@given(st.lists(odds, min_size=1, max_size=5))
def test_many_at_once_are_each_alone(values: list[float]) -> None:
    """Arrays of odds, as a study has them, give what single numbers give."""
    many = ForEffect(0.1).mixture(np.array(values), 1, 0.05)
    for index, value in enumerate(values):
        one = ForEffect(0.1).mixture(value, 1, 0.05)
        assert many.reach(0.05)[index] == pytest.approx(float(one.reach(0.05)), rel=1e-9)
        assert many.log_e(np.full(len(values), 9.0))[index] == pytest.approx(float(one.log_e(9.0)), rel=1e-12)


@given(alphas)
def test_the_sequence_is_tightest_at_the_best_odds(alpha: float) -> None:
    """The minimum of m(r) by scipy's search, and the exact form -W(-alpha^2 / e) - 1 of Waudby-Smith et al."""
    best = best_odds(alpha)
    found = optimize.minimize_scalar(
        lambda s: float(Mixture.single(exp(s)).reach(alpha)), bounds=(-5, 8), method="bounded"
    )
    assert float(Mixture.single(best).reach(alpha)) <= found.fun * (1 + 1e-9)
    assert best == pytest.approx(-special.lambertw(-(alpha**2) / np.e, -1).real - 1, rel=1e-9)


def test_the_interval_is_waudby_smith_equation_9() -> None:
    """The printed form with n, sigma and rho, for n = 400, sigma = 2, rho = 0.1 at alpha = 0.05."""
    n, sigma, rho, alpha = 400, 2.0, 0.1, 0.05
    t = n * rho**2
    printed = sigma * sqrt(2 * (t + 1) / (n**2 * rho**2) * log(sqrt(t + 1) / alpha))
    assert sigma / sqrt(n) * float(Mixture.single(t).reach(alpha)) == pytest.approx(printed, rel=1e-12)


def test_both_clocks_are_tightest_where_they_are_told_to() -> None:
    """At its users; and, for the first scale, where the effect is m + z_power standard errors: 80 % power."""
    assert AtUsers(5000).mixture(1.0, 5000, 0.05).odds[0] == pytest.approx(best_odds(0.05))
    stderr = 0.02 / (sqrt(1 + best_odds(0.05)) + 0.8416212)
    assert ForEffect(0.02).mixture(stderr**2, 1, 0.05).odds[0] == pytest.approx(best_odds(0.05), rel=1e-6)
    assert ForEffect(0.02).mixture(stderr**2 / 3, 1, 0.05).odds[0] == pytest.approx(3 * best_odds(0.05), rel=1e-6)


def test_a_sequence_for_a_small_effect_sees_a_large_one() -> None:
    """50 % with 9 standard errors in it, watched for 1 %: the larger scales see it; the first alone does not."""
    variance = (0.5 / 9) ** 2
    of = ForEffect(0.01).mixture(variance, 1, 0.05)
    assert of.p_value(81.0) < 1e-9 < 0.05 < Mixture.single(of.odds[0]).p_value(81.0)


def test_a_sequence_of_brownian_motion_errs_less_than_alpha() -> None:
    """3,000 paths watched 300 times over three decades of information: under 5 %; the fixed interval far above it."""
    rng, times = np.random.default_rng(4), np.geomspace(1, 1000, 300)
    steps = rng.standard_normal((3000, 300)) * np.sqrt(np.diff(times, prepend=0))
    z_squared = steps.cumsum(axis=1) ** 2 / times
    for of in (Mixture.single(best_odds(0.05) * times / 100), ForEffect(0.5).mixture(1 / times, 1, 0.05)):
        crossed = (of.log_e(z_squared) >= log(20)).any(axis=1)
        assert 0.01 < crossed.mean() <= 0.05
    assert (z_squared > 1.96**2).any(axis=1).mean() > 0.3


def test_p_of_nothing_and_of_overwhelming_evidence() -> None:
    """1 without a difference, never above; as small as a float can be, never an error, with an enormous one."""
    assert Mixture.single(3.0).p_value(0.0) == 1.0
    assert Mixture.single(3.0).p_value(1e9) == 0.0
