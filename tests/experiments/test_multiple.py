"""Corrections for many arms and metrics."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from lis_online.experiments.multiple import METHODS, adjusted, benjamini_hochberg, holm

p_values = st.lists(st.floats(0, 1), min_size=1, max_size=12)

THROMBOLYSIS = [0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240, 0.4262, 0.5719,
                0.6528, 0.7590, 1.0000]  # fmt: skip
"""The 15 p-values of the example in Benjamini and Hochberg (1995), section 4.1."""


def test_the_printed_example_of_benjamini_and_hochberg() -> None:
    """Four hypotheses are rejected with their procedure at 0.05, three with a family-wise one, as the paper says."""
    assert sum(p <= 0.05 for p in benjamini_hochberg(THROMBOLYSIS) if p is not None) == 4
    assert sum(p <= 0.05 for p in holm(THROMBOLYSIS) if p is not None) == 3


def test_the_textbook_example_of_holm() -> None:
    """P = 0.01, 0.04, 0.03, 0.005 at 0.05: the first and the last are rejected, and nothing after the first failure."""
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])


@given(p_values)
def test_benjamini_hochberg_is_scipys(given_p: list[float]) -> None:
    """In any order, with ties."""
    assert benjamini_hochberg(given_p) == pytest.approx(stats.false_discovery_control(given_p), abs=1e-12)


@given(p_values)
def test_holm_rejects_what_the_closure_of_bonferroni_rejects(given_p: list[float]) -> None:
    """Oracle by another method: p of a hypothesis is the largest Bonferroni p of any subset that holds it."""
    found, m = holm(given_p[:8]), len(given_p[:8])
    for index in range(m):
        subsets = (s for s in range(1, 1 << m) if s >> index & 1)
        members = ([given_p[i] for i in range(m) if s >> i & 1] for s in subsets)
        expected = max(min(1.0, len(some) * min(some)) for some in members)
        assert found[index] == pytest.approx(expected, abs=1e-12)


@given(p_values, st.sampled_from(sorted(METHODS)))
def test_adjusting_only_raises(given_p: list[float], correction: str) -> None:
    """No correction makes a p-value smaller, nor larger than 1."""
    for before, after in zip(given_p, adjusted(given_p, correction), strict=True):  # type: ignore[arg-type]
        assert after is not None and before - 1e-12 <= after <= 1


@pytest.mark.parametrize("correction", ["holm", "benjamini-hochberg"])
def test_a_hypothesis_without_number_counts_and_has_none(correction: str) -> None:
    """It weighs like one that shows nothing: the others' values are those with a 1 in its place."""
    with_none = adjusted([0.01, None, 0.02], correction)  # type: ignore[arg-type]
    with_one = adjusted([0.01, 1.0, 0.02], correction)  # type: ignore[arg-type]
    assert with_none == [with_one[0], None, with_one[2]]


def test_holm_keeps_the_family_wise_error() -> None:
    """5 true nulls, 4,000 times: at most 5 % of families with a rejection; without a correction 23 %."""
    families = np.random.default_rng(0).random((4000, 5))
    wrong = dict.fromkeys(METHODS, 0)
    for family in families.tolist():
        for name in METHODS:
            wrong[name] += any(p is not None and p < 0.05 for p in adjusted(family, name))
    assert wrong["holm"] <= 0.06 * 4000 < 0.18 * 4000 < wrong["none"]
