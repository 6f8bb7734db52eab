import numpy as np
import pytest
from scipy import stats

from studies.resample import bootstrap, mean, mean_interval


def test_a_mean_has_students_interval() -> None:
    """The interval of a mean over worlds is that of scipy."""
    values = np.random.default_rng(3).normal(1, 2, 12)
    expected = stats.ttest_1samp(values, 0).confidence_interval(0.95)

    found = mean_interval(values.tolist())

    assert found == pytest.approx((values.mean(), expected.low, expected.high))


def test_whole_worlds_are_drawn() -> None:
    """What is alike within a world does not make the interval narrower: the worlds count, not what is in them."""
    worlds = np.random.default_rng(4).normal(size=30)
    repeated = [[value] * 50 for value in worlds.tolist()]

    found = bootstrap(repeated, lambda drawn: float(np.concatenate(drawn).mean()))

    assert found.upper - found.lower == pytest.approx(2 * 1.96 * worlds.std() / np.sqrt(30), rel=0.15)
    assert found.value == pytest.approx(worlds.mean())


def test_draws_without_a_value_are_left_out() -> None:
    """A statistic that some draws do not have is judged by the others; without any there is no interval."""
    found = bootstrap([1.0, float("nan")], lambda drawn: float(np.nanmax(drawn)) if 1.0 in drawn else float("nan"))
    assert (found.lower, found.upper) == (1.0, 1.0)
    nothing = bootstrap([float("nan")] * 3, mean)
    assert np.isnan(nothing.lower) and np.isnan(nothing.upper)
