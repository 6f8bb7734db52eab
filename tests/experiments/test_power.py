"""Users still needed."""

from __future__ import annotations

from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lis_online.experiments.power import users_for_fixed, users_for_sequence
from lis_online.experiments.sequence import AtUsers, ForEffect, best_odds


@given(st.floats(1e-7, 1e-2), st.integers(100, 10**6), st.floats(0.002, 0.2))
def test_it_is_the_first_number_that_is_enough(variance: float, users: int, effect: float) -> None:
    """There the effect is reach + z_power standard errors, and 1 % of the users before it is not; either clock."""
    for tuning in (ForEffect(effect), AtUsers(5000)):
        n = users_for_sequence(variance, users, effect, tuning)
        assert n is not None

        def distance(count: float, tuning: ForEffect | AtUsers = tuning) -> float:
            v = variance * users / count
            reach = float(tuning.mixture(v, count, 0.05).reach(0.05)) + NormalDist().inv_cdf(0.8)
            return effect - reach * v**0.5

        assert distance(n) >= -1e-12
        if n > 100:
            assert distance(n * 0.99) < 0


@pytest.mark.parametrize(("alpha", "power"), [(0.05, 0.8), (0.01, 0.8), (0.05, 0.95)])
def test_it_is_enough_at_the_alpha_and_power_that_were_asked_for(alpha: float, power: float) -> None:
    """What is kept for one question is not the answer to another: 80 % power of an effect of 2 % at 5 % is first."""
    n = users_for_sequence(1e-4, 10_000, 0.02, ForEffect(0.02), alpha, power)
    assert n is not None

    def seen(count: float) -> float:
        variance = 1.0 / count
        reach = float(ForEffect(0.02).mixture(variance, count, alpha).reach(alpha))
        return float(NormalDist().cdf(0.02 / variance**0.5 - reach))

    assert seen(n) == pytest.approx(power, abs=1e-4) and seen(0.99 * n) < power


def test_more_users_than_there_are_people_is_no_answer() -> None:
    """None, rather than a number that means never."""
    assert users_for_sequence(1e-2, 1000, 1e-7, ForEffect(1e-7)) is None


def test_that_many_users_find_the_effect_in_four_of_five_runs() -> None:
    """By simulation of the estimate at that size: the sequence excludes 0 there in 80 %; the fixed test at its own."""
    rng, effect = np.random.default_rng(0), 0.02
    n = users_for_sequence(1e-4, 10_000, effect, ForEffect(effect))
    assert n is not None
    variance = 1e-4 * 10_000 / n
    z_squared = rng.normal(effect, variance**0.5, 20_000) ** 2 / variance
    found = ForEffect(effect).mixture(variance, n, 0.05).log_e(z_squared) >= np.log(20)
    assert np.mean(found) == pytest.approx(0.8, abs=0.01)
    fixed = users_for_fixed(1e-4, 10_000, effect)
    variance = 1e-4 * 10_000 / fixed
    assert np.mean(rng.normal(effect, variance**0.5, 20_000) ** 2 > 1.96**2 * variance) == pytest.approx(0.8, abs=0.01)


def test_the_textbook_number_of_users() -> None:
    """Half of the users convert at 10 %; 80 % power for 10 % more: 14,313 per arm (variances of both at 10 %).

    16 sigma^2 / delta^2 = 14,400 is Lehr's rule of the same case; its 16 stands for 15.70.
    """
    needed = users_for_fixed(2 * 0.9 / 0.1 / 1000, 2000, 0.1)
    assert needed / 2 == pytest.approx(14_400 * 15.6978 / 16, rel=1e-3)


def test_what_watching_costs() -> None:
    """Tuned to the right number of users a sequence needs 1.9 times those of a test at one time; for an effect 2.2.

    The published sequence at its best reaches sqrt(1 + r) errors; mixing over larger effects adds at most log 2.
    """
    z, fixed = NormalDist().inv_cdf(0.8), users_for_fixed(1e-4, 10_000, 0.02)
    best = ((best_odds(0.05) + 1) ** 0.5 + z) ** 2 / 0.02**2
    needed = users_for_sequence(1e-4, 10_000, 0.02, AtUsers(round(best)))
    assert needed is not None and needed / fixed == pytest.approx(1.915, abs=0.01)
    for effect in (0.005, 0.05):
        fixed = users_for_fixed(1e-4, 10_000, effect)
        needed = users_for_sequence(1e-4, 10_000, effect, ForEffect(effect))
        assert needed is not None and needed / fixed == pytest.approx(2.14, abs=0.05)
