import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from lis_online.metrics.estimate import RESOLUTION, T_QUANTILE, Estimate

VALUES = st.floats(-1, 1)
VARIANCES = st.floats(1e-12, 1)


def test_the_quantile_is_students_with_one_less_than_the_groups() -> None:
    """95 % of a t with 31 degrees of freedom lie within +-2.04."""
    assert pytest.approx(stats.t.ppf(0.975, 31), abs=1e-3) == T_QUANTILE


@given(VALUES, VARIANCES)
def test_an_interval_is_the_t_interval_of_its_variance(value: float, variance: float) -> None:
    """Symmetric about the value, 2.04 standard errors to each side, and it contains the value."""
    found = Estimate.of(value, variance)
    assert (found.value, found.reason, found.learning_noise, found.samples_to_resolve) == (value, None, False, None)
    assert found.stderr == pytest.approx(np.sqrt(variance))
    assert (found.lower, found.upper) == pytest.approx((value - 2.04 * variance**0.5, value + 2.04 * variance**0.5))


@given(VALUES, VARIANCES, st.integers(1, 10**9))
def test_the_samples_that_resolve_make_two_standard_errors_the_resolution(v: float, variance: float, n: int) -> None:
    """Standard errors fall with the root of the samples: at that many, two of them are 0.0005."""
    needed = Estimate.of(v, variance, samples=n).samples_to_resolve
    assert needed is not None and RESOLUTION == 0.0005
    assert 2 * math.sqrt(variance * n / needed) == pytest.approx(RESOLUTION)


def test_no_number_has_a_reason_and_nothing_else() -> None:
    """No data is None with a reason, never 0."""
    found = Estimate.none("no samples")
    assert (found.value, found.stderr, found.lower, found.upper, found.samples_to_resolve) == (None,) * 5
    assert found.reason == "no samples" and not found.learning_noise


def test_learning_noise_is_said_only_where_there_is_some() -> None:
    """The mark is a key of its own, so that a reader cannot miss it or read it as false."""
    assert "learning_noise" not in Estimate.of(0.1, 0.01).to_json()
    assert Estimate.of(0.1, 0.01, True).to_json()["learning_noise"] is True
