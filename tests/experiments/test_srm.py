"""Sequential sample-ratio mismatch."""

from __future__ import annotations

from math import exp, log

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lis_online.experiments.srm import CONCENTRATIONS, log_dirichlet, log_e, sample_ratio

SHARES = [0.4, 0.4, 0.2]
REFERENCE = [
    ([1, 0, 0], -1.0986122886681096, -0.916290731874155),
    ([1, 1, 0], -2.4849066497880004, -1.83258146374831),
    ([2, 2, 1], -6.4457198193855785, -5.27460083993072),
    ([20, 17, 9], -7.028201432058012, -4.0776406466061985),
]
"""Counts, and log marginal likelihoods under the mixture and under the shares, as the tests of Optimizely's ssrm print
them (github.com/optimizely/ssrm, test_ssrm_test.py: the paper's authors' code), with a Dirichlet(1, 1, 1) prior."""


@pytest.mark.parametrize(("counts", "mixture", "null"), REFERENCE)
def test_the_authors_printed_values(counts: list[int], mixture: float, null: float) -> None:
    """The e-value is the ratio of the two likelihoods: to all digits printed."""
    assert log_dirichlet(counts, SHARES, [1, 1, 1]) == pytest.approx(mixture - null, rel=1e-12)


@given(st.lists(st.integers(0, 2), max_size=60))
def test_the_e_value_is_a_product_over_users(arms: list[int]) -> None:
    """By another method: Polya's urn, one user at a time; the order of users does not matter, only counts."""
    found, counts = 0.0, [0, 0, 0]
    means = []
    for concentration in CONCENTRATIONS:
        found, counts = 0.0, [0, 0, 0]
        for n, arm in enumerate(arms):
            found += log((concentration * SHARES[arm] + counts[arm]) / (concentration + n) / SHARES[arm])
            counts[arm] += 1
        means.append(exp(found))
    assert log_e(counts, SHARES) == pytest.approx(log(sum(means) / len(means)), abs=1e-9)


def test_it_can_be_watched_all_day() -> None:
    """400 runs with the right shares, watched 25 times each: 1 % may ever fall under 0.01; chi-square: over 3 %."""
    rng, n = np.random.default_rng(3), np.arange(80, 2001, 80)
    first = (rng.random((400, 2000)) < 0.5).cumsum(axis=1)[:, n - 1]
    counts = np.stack([first, n - first], axis=-1).tolist()
    wrong = sum(any(sample_ratio(pair, [0.5, 0.5]).mismatch for pair in run) for run in counts)
    assert wrong <= 0.02 * 400
    assert ((2 * first - n) ** 2 / n > 6.635).any(axis=1).mean() > 0.03


def test_a_wrong_split_is_found() -> None:
    """60/40 among 1,000 users, 51/49 among 100,000; neither is claimed among a hundredth of them."""
    assert sample_ratio([600, 400], [0.5, 0.5]).mismatch
    assert sample_ratio([51_000, 49_000], [0.5, 0.5]).mismatch
    assert not sample_ratio([6, 4], [0.5, 0.5]).mismatch
    assert not sample_ratio([510, 490], [0.5, 0.5]).mismatch
    assert sample_ratio([300, 300, 400], [0.3, 0.3, 0.4]).p_value == 1.0


def test_shares_are_those_of_the_settings() -> None:
    """An uneven split as declared is none; the even one would be."""
    assert not sample_ratio([900, 100], [0.9, 0.1]).mismatch
    assert sample_ratio([500, 500], [0.9, 0.1]).mismatch


def test_an_enormous_mismatch_does_not_overflow() -> None:
    """P is 0 to a float's precision, not an error."""
    assert sample_ratio([10**9, 10**8], [0.5, 0.5]).p_value == 0.0


def test_no_users_is_no_verdict() -> None:
    """None and why."""
    found = sample_ratio([0, 0], [0.5, 0.5])
    assert (found.p_value, found.mismatch, found.reason) == (None, False, "no users")


@pytest.mark.parametrize("shares", [[0.5, 0.4], [1.0, 0.0], [1.0]])
def test_shares_must_be_shares(shares: list[float]) -> None:
    """Argument, rule, value."""
    with pytest.raises(ValueError, match="shares must be > 0, one for each arm, and sum to 1, got"):
        sample_ratio([1, 1], shares)
