import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lis_online.metrics.estimate import T_QUANTILE
from lis_online.metrics.ratio import Covariance, fieller, ratio_stderr

RATIOS = np.linspace(-60, 60, 240_001)


def _kept(a: float, b: float, c: Covariance) -> np.ndarray:
    """Return which ratios the test of a - r b = 0 does not refuse: Fieller's set by definition."""
    variance = c.numerator - 2 * RATIOS * c.joint + RATIOS**2 * c.denominator
    return (a - RATIOS * b) ** 2 <= T_QUANTILE**2 * variance


@settings(max_examples=60, deadline=None)
@given(st.floats(-3, 3), st.floats(0.5, 3), st.floats(0.05, 0.6), st.floats(0.05, 0.6), st.floats(-0.95, 0.95))
def test_bounds_are_those_of_the_inverted_test(a: float, b: float, sa: float, sb: float, rho: float) -> None:
    """Fieller's interval is the set of ratios that the t-test does not refuse; unbounded where 0 is not excluded."""
    covariance = Covariance(sa**2, sb**2, rho * sa * sb)
    bounds = fieller(a, b, covariance)
    if abs(b) <= T_QUANTILE * sb:
        assert bounds is None
        return
    assert bounds is not None
    inside = RATIOS[_kept(a, b, covariance)]
    if bounds[0] > -59 and bounds[1] < 59 and len(inside) > 1:
        assert bounds == pytest.approx((inside[0], inside[-1]), abs=2e-3)


def test_interval_without_denominator_variance_is_that_of_the_numerator() -> None:
    """A known denominator only scales the numerator's interval."""
    bounds = fieller(1.0, 4.0, Covariance(0.01, 0.0, 0.0))
    assert bounds == pytest.approx(((1 - 0.1 * T_QUANTILE) / 4, (1 + 0.1 * T_QUANTILE) / 4))


def test_stderr_is_that_of_simulated_ratios() -> None:
    """The delta method's standard error is that of simulated ratios, where the denominator is well known."""
    rng = np.random.default_rng(0)
    draws = rng.multivariate_normal([1.0, 5.0], [[0.01, 0.004], [0.004, 0.02]], 100_000)
    expected = (draws[:, 0] / draws[:, 1]).std()
    assert ratio_stderr(0.2, 5.0, Covariance(0.01, 0.02, 0.004)) == pytest.approx(expected, rel=0.02)
