import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import brentq

from lis_online.metrics.efficiency import NEGATIVE_LIS, NO_LIS, JointCovariances, efficiency
from lis_online.metrics.estimate import T_QUANTILE, Estimate
from lis_online.metrics.levels import Levels
from lis_online.metrics.ratio import Covariance, ratio_stderr


def by_root_finding(a: float, b: float, c: Covariance) -> tuple[float, float]:
    """Return where the t-statistic of a - r b crosses its critical value, on either side of the ratio."""

    def excess(r: float) -> float:
        variance = c.numerator - 2 * r * c.joint + r * r * c.denominator
        return (a - r * b) ** 2 - T_QUANTILE**2 * variance

    ratio, bounds = a / b, []
    for side in (-1, 1):
        step = 1e-6
        while excess(ratio + side * step) < 0 and step < 1e9:
            step *= 2
        bounds.append(brentq(excess, *sorted((ratio, ratio + side * step)), xtol=1e-12))
    return bounds[0], bounds[1]


def covariance(sa: float, sb: float, rho: float) -> Covariance:
    """Return the joint covariance of two standard errors and their correlation."""
    return Covariance(sa * sa, sb * sb, rho * sa * sb)


SPREAD = st.tuples(st.floats(1e-4, 0.01), st.floats(1e-4, 0.009), st.floats(-0.99, 0.99))


@settings(max_examples=150)
@given(st.floats(-0.05, 0.05), st.floats(0.02, 0.1), SPREAD, SPREAD)
def test_the_interval_is_the_wider_inversion(
    a: float, b: float, by_user: tuple[float, float, float], by_time: tuple[float, float, float]
) -> None:
    """Value, standard error and bounds are those of the wider of the two tests inverted by root finding."""
    both = [covariance(*by_user), covariance(*by_time)]
    found = efficiency(Estimate.of(a, 1.0), Estimate.of(b, 1.0), both)
    inverted = [by_root_finding(a, b, one) for one in both]
    assert found.value == a / b and found.reason is None
    wanted = max(inverted, key=lambda pair: pair[1] - pair[0])
    assert (found.lower, found.upper) == pytest.approx(wanted, rel=1e-6, abs=1e-8)
    assert found.stderr == pytest.approx(max(ratio_stderr(a / b, b, one) for one in both))


def test_one_unbounded_interval_leaves_no_number() -> None:
    """Where the denominator's interval includes 0 by user or by time, the ratio may be anything."""
    sure, unsure = covariance(0.001, 0.001, 0), covariance(0.001, 0.02, 0)
    for both in ([sure, unsure], [unsure, sure], [unsure], []):
        assert efficiency(Estimate.of(0.01, 1.0), Estimate.of(0.03, 1.0), both) == Estimate.none(NO_LIS)


def test_a_share_of_what_harms_is_no_number() -> None:
    """Adjusted LIS below 0, and surely so: there is nothing to deliver a share of."""
    both = [covariance(0.001, 0.001, 0)]
    assert efficiency(Estimate.of(0.01, 1.0), Estimate.of(-0.03, 1.0), both) == Estimate.none(NEGATIVE_LIS)


def test_a_missing_part_gives_its_reason() -> None:
    """The numerator's reason first: it is the variant's own."""
    there, both = Estimate.of(0.01, 1.0), [covariance(0.001, 0.001, 0)]
    assert efficiency(Estimate.none("a"), Estimate.none("b"), both).reason == "a"
    assert efficiency(there, Estimate.none("b"), both).reason == "b"


def test_learning_noise_is_the_denominators() -> None:
    """A ratio of noisy parts is marked as its parts are."""
    both = [covariance(0.001, 0.001, 0)]
    for noisy in (False, True):
        found = efficiency(Estimate.of(0.01, 1.0), Estimate.of(0.03, 1.0, noisy), both)
        assert found.learning_noise is noisy


def levels_of(user: np.ndarray, time: np.ndarray, present: np.ndarray) -> Levels:
    """Return columns whose deletions are given; every block has data."""
    everywhere = np.ones((len(time), 1, time.shape[-1]), np.bool_)
    return Levels(user.mean(axis=-1), user, time, present[:, None], everywhere)


def test_covariances_are_numpys_of_the_deletions() -> None:
    """Jackknife covariances are (n - 1)^2 / n times those of the deletions; noise goes to the two variances alone."""
    rng = np.random.default_rng(0)
    user, time = rng.normal(size=(2, 2, 3, 8)), rng.normal(size=(2, 2, 3, 5))
    present = np.array([[True] * 8, [True] * 6 + [False] * 2])
    one, two = (levels_of(user[k], time[k], present) for k in (0, 1))
    noise = np.array([0.25, 0.5])
    found = JointCovariances.of(one, two, noise)
    for s in range(2):
        for c in range(3):
            for at, (a, b) in enumerate([user[:, s, c][:, present[s]], time[:, s, c]]):
                n = len(a)
                expected = np.cov(a, b) * (n - 1) ** 2 / n
                mine = found.at(s, c)[at]
                assert mine.numerator == pytest.approx(expected[0, 0] + noise[s])
                assert mine.denominator == pytest.approx(expected[1, 1] + noise[s])
                assert mine.joint == pytest.approx(expected[0, 1])


def test_an_undefined_covariance_is_left_out() -> None:
    """With too few blocks of time there is the one by user alone."""
    rng = np.random.default_rng(1)
    user, time = rng.normal(size=(2, 1, 1, 8)), rng.normal(size=(2, 1, 1, 1))
    one, two = (levels_of(user[k], time[k], np.ones((1, 8), np.bool_)) for k in (0, 1))
    assert len(JointCovariances.of(one, two, np.zeros(1)).at(0, 0)) == 1
