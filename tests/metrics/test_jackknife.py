import numpy as np
import pytest

from lis_online.metrics.jackknife import jackknife_covariance, jackknife_variance, wider


def test_variance_of_a_mean_is_the_classical_one() -> None:
    """Of a mean of groups of one, the jackknife is s^2 / n exactly; empty groups change nothing."""
    x = np.random.default_rng(0).normal(size=(3, 20))
    deleted = np.concatenate([(x.sum(axis=1, keepdims=True) - x) / 19, np.full((3, 5), 7.0)], axis=1)
    present = np.arange(25) < 20
    np.testing.assert_allclose(jackknife_variance(deleted, present), x.var(axis=1, ddof=1) / 20)


def test_covariance_of_two_means_is_the_classical_one() -> None:
    """The same for a covariance."""
    x = np.random.default_rng(1).normal(size=(2, 30)).cumsum(axis=0)
    deleted = (x.sum(axis=1, keepdims=True) - x) / 29
    found = jackknife_covariance(deleted[0], deleted[1], np.ones(30, np.bool_))
    assert found == pytest.approx(np.cov(x)[0, 1] / 30)


def test_one_group_has_no_variance() -> None:
    """A single group cannot be left out; nor can none."""
    assert np.isnan(jackknife_variance(np.array([0.5, 0.1]), np.array([True, False])))
    assert np.isnan(jackknife_variance(np.zeros((4, 0)), np.zeros((4, 0), np.bool_))).all()


def test_undefined_deletion_makes_the_variance_undefined() -> None:
    """Where leaving a group out leaves no metric, the variance is not guessed."""
    assert np.isnan(jackknife_variance(np.array([0.5, np.nan, 0.1]), np.ones(3, np.bool_)))


def test_wider_variance_wins() -> None:
    """The larger of user and time; no time blocks yet: that by user; no users: none."""
    found = wider(np.array([1.0, 3.0, 2.0, np.nan]), np.array([2.0, 1.0, np.nan, 5.0]))
    np.testing.assert_array_equal(found, [2.0, 3.0, 2.0, np.nan])
