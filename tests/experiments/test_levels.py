"""An arm's level of a metric, with its variance over users."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lis_online.experiments.levels import Means, level
from lis_online.experiments.moments import ratio
from tests.experiments.arms import CLICKERS, COLUMNS, CTR, DWELL, METRICS, arm_of, users

small = st.lists(st.tuples(st.integers(1, 50), st.integers(0, 50), st.integers(0, 50)), min_size=2, max_size=20)


@given(small)
def test_levels_equal_textbook_formulas_on_the_users_totals(rows: list[tuple[int, int, int]]) -> None:
    """Mean and share with the sample variance over n; a ratio with the variance of its residuals x - R y."""
    totals = np.array(rows, float)
    arm, n = arm_of(totals), len(rows)
    shown, clicks, dwell = totals.T
    rate = clicks.sum() / shown.sum()
    expected = {
        CTR: (rate, np.var(clicks - rate * shown, ddof=1) / (n * shown.mean() ** 2)),
        DWELL: (dwell.mean(), dwell.var(ddof=1) / n),
        CLICKERS: ((clicks > 0).mean(), (clicks > 0).var(ddof=1) / n),
    }
    for metric, (value, variance) in expected.items():
        found = level(arm, COLUMNS.names, metric)
        assert found.value == pytest.approx(value, rel=1e-12)
        assert found.variance == pytest.approx(variance, rel=1e-9, abs=1e-15)
        assert found.users == n


def test_the_click_rate_is_the_one_that_is_published_already() -> None:
    """The same value to the last bit and the same standard error as `moments.ratio`."""
    arm = arm_of(users(np.random.default_rng(0), 300))
    found, published = level(arm, COLUMNS.names, CTR), ratio(arm, COLUMNS.names, "click", "impression")
    assert found.value == published.value and found.variance is not None
    assert found.variance**0.5 == pytest.approx(published.stderr, rel=1e-12)


def test_large_totals_lose_no_digit_of_the_variance() -> None:
    """A spread of 1 second on a billion: floats' sums of squares would have no digit left of it."""
    totals = np.zeros((10, 3))
    totals[:, 0], totals[:, 2] = 1, 1e9 + np.arange(10)
    assert level(arm_of(totals), COLUMNS.names, DWELL).variance == pytest.approx(np.arange(10).var(ddof=1) / 10)


def test_effective_users_are_users_of_equal_weight() -> None:
    """All alike: as many as there are. One who is nearly everything: hardly more than one. 3 of 40: 3."""
    totals = np.ones((40, 3))
    assert level(arm_of(totals), COLUMNS.names, DWELL).effective == pytest.approx(40)
    totals[0, 2] = 1e6
    assert level(arm_of(totals), COLUMNS.names, DWELL).effective == pytest.approx(1, abs=0.01)
    totals[3:, 1] = 0
    assert level(arm_of(totals), COLUMNS.names, CTR).effective == pytest.approx(3)


def test_no_data_is_no_level() -> None:
    """No users, one user and no denominator give None and why."""
    none, one, idle = np.zeros((0, 3)), np.ones((1, 3)), np.zeros((2, 3))
    reasons = {level(arm_of(none), COLUMNS.names, metric).reason for metric in METRICS}
    assert reasons == {"no users"}
    reasons = {level(arm_of(one), COLUMNS.names, metric).reason for metric in METRICS}
    assert reasons == {"1 user: an interval needs 2"}
    found = level(arm_of(idle), COLUMNS.names, CTR)
    assert (found.value, found.variance, found.reason) == (None, None, "no impression")


def test_means_and_covariances_are_those_of_numpy() -> None:
    """Of any columns, in any order."""
    totals = users(np.random.default_rng(3), 50)
    means = Means.of(arm_of(totals), COLUMNS.names, ("dwell", "impression"))
    np.testing.assert_allclose(means.mean, totals[:, [2, 0]].mean(axis=0), rtol=1e-6)
    np.testing.assert_allclose(means.covariance, np.cov(totals[:, [2, 0]].T) / 50, rtol=1e-5)
