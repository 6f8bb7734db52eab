"""CUPED from moments."""

from __future__ import annotations

from math import sqrt

import numpy as np
import pytest

from lis_online.experiments.columns import Columns
from lis_online.experiments.cuped import adjust
from lis_online.experiments.definitions import Metric
from lis_online.experiments.levels import level
from lis_online.experiments.lift import Lift, lift
from tests.experiments.arms import COLUMNS, CTR, DWELL, METRICS, QUANTITIES, arm_of, users

WITH_BEFORE = Columns(QUANTITIES, METRICS, pre_period=True)


def two_periods(rng: np.random.Generator, count: int, gain: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """Return totals [count, 3] before and after of users who keep their ways."""
    activity, rate = rng.lognormal(1, 0.7, count), rng.beta(2, 10, count)
    periods = []
    for lift_now in (0.0, gain):
        shown = 1 + rng.poisson(10 * activity)
        clicks = rng.binomial(shown, np.minimum(1, rate * (1 + lift_now)))
        periods.append(np.stack([shown, clicks, clicks * 3.0], axis=1))
    return periods[0], periods[1]


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.name)
def test_the_adjusted_lift_is_that_of_a_regression_on_the_users(metric: Metric) -> None:
    """From raw totals: each user's linearised value less theta times the linearised pre-period, theta of both arms."""
    rng = np.random.default_rng(7)
    data = [two_periods(rng, n, gain) for n, gain in ((300, 0.0), (500, 0.1))]
    arms = [arm_of(now, columns=WITH_BEFORE, before=before) for before, now in data]
    found = adjust(arms[0], arms[1], WITH_BEFORE.names, metric)

    def linear(totals: np.ndarray) -> tuple[float, np.ndarray]:
        if metric is CTR:
            value = totals[:, 1].sum() / totals[:, 0].sum()
            return value, (totals[:, 1] - value * totals[:, 0]) / totals[:, 0].mean()
        x = totals[:, 2] if metric is DWELL else (totals[:, 1] > 0).astype(float)
        return x.mean(), x - x.mean()

    pairs = [(linear(now), linear(before)) for before, now in data]
    n = [len(now) for _, now in data]
    cov = [np.cov(own[1], pre[1]) / size for (own, pre), size in zip(pairs, n, strict=True)]
    theta = (cov[0][0, 1] + cov[1][0, 1]) / (cov[0][1, 1] + cov[1][1, 1])
    variance = sum(c[0, 0] - 2 * theta * c[0, 1] + theta**2 * c[1, 1] for c in cov)
    difference = pairs[1][0][0] - pairs[0][0][0] - theta * (pairs[1][1][0] - pairs[0][1][0])
    lifted = lift(found.control, found.arm)
    assert isinstance(lifted, Lift)
    assert found.theta == pytest.approx(theta, rel=1e-9)
    assert lifted.difference == pytest.approx(difference, rel=1e-9)
    assert lifted.variance == pytest.approx(variance, rel=1e-9)
    plain = sum(c[0, 0] for c in cov)
    assert found.reduction == pytest.approx(1 - variance / plain, rel=1e-9)
    assert 0 < found.reduction < 1


def test_adjusted_lifts_are_unbiased_covered_and_narrower() -> None:
    """Over 150 experiments with a true gain of 10 %: the mean is right, 95 % of intervals hold it, errors are real."""
    rng, truth, spread, stderr = np.random.default_rng(8), 0.1, [], []
    for _ in range(150):
        arms = [
            arm_of(now, columns=WITH_BEFORE, before=before)
            for before, now in (two_periods(rng, 120), two_periods(rng, 120, truth))
        ]
        adjusted = adjust(arms[0], arms[1], WITH_BEFORE.names, CTR)
        found = lift(adjusted.control, adjusted.arm)
        assert isinstance(found, Lift) and found.relative is not None
        spread.append(found.difference)
        stderr.append(sqrt(found.variance))
    errors = np.array(spread) - truth * 2 / 12
    assert abs(errors.mean()) < 3 * errors.std() / sqrt(150)
    assert np.mean(np.abs(errors) < 1.97 * np.array(stderr)) == pytest.approx(0.95, abs=0.05)
    assert np.mean(stderr) == pytest.approx(errors.std(), rel=0.15)


def test_without_a_pre_period_there_is_no_adjustment() -> None:
    """No such columns, nobody known before, or an arm without users: None and why."""
    rng = np.random.default_rng(1)
    plain = arm_of(users(rng, 50)), arm_of(users(rng, 50))
    assert adjust(*plain, COLUMNS.names, CTR).reason == "no pre-period totals"
    new = arm_of(users(rng, 50), columns=WITH_BEFORE)
    assert adjust(new, new, WITH_BEFORE.names, DWELL).reason == "no pre-period totals"
    assert adjust(new, new, WITH_BEFORE.names, CTR).reason == "no pre-period totals"
    nobody = arm_of(np.zeros((0, 3)), columns=WITH_BEFORE)
    found = adjust(new, nobody, WITH_BEFORE.names, DWELL)
    assert (found.reason, found.theta, found.reduction) == ("no users", None, None) or found.reason is not None


def test_a_pre_period_that_all_share_explains_nothing() -> None:
    """Everybody the same before: its variance is 0, and nothing is divided by it."""
    rng = np.random.default_rng(1)
    totals = users(rng, 50)
    arm = arm_of(totals, columns=WITH_BEFORE, before=np.ones((50, 3)))
    assert adjust(arm, arm, WITH_BEFORE.names, DWELL).reason == "no pre-period totals"


def test_levels_keep_their_place() -> None:
    """Both arms alike: the adjusted level of the two together is the observed one."""
    rng = np.random.default_rng(2)
    before, now = two_periods(rng, 200)
    arm = arm_of(now, columns=WITH_BEFORE, before=before)
    found = adjust(arm, arm, WITH_BEFORE.names, DWELL)
    assert found.control.value == pytest.approx(level(arm, WITH_BEFORE.names, DWELL).value)
