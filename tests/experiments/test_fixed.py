"""The fixed-horizon test, against scipy."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from lis_online.experiments.fixed import degrees_of_freedom, level_interval, p_value, reach
from lis_online.experiments.levels import Level, level
from lis_online.experiments.lift import Lift, absolute_interval, lift
from tests.experiments.arms import COLUMNS, DWELL, arm_of


@pytest.mark.parametrize("sizes", [(3, 4), (12, 90), (400, 300)])
def test_it_is_welchs_test(sizes: tuple[int, int]) -> None:
    """p-value, degrees of freedom and interval equal scipy's on the raw totals."""
    rng = np.random.default_rng(sum(sizes))
    totals = [np.stack([np.ones(n), np.ones(n), rng.gamma(2, 1 + k, n).round(6)], 1) for k, n in enumerate(sizes)]
    found = lift(*(level(arm_of(part), COLUMNS.names, DWELL) for part in totals))
    assert isinstance(found, Lift)
    expected = stats.ttest_ind(totals[1][:, 2], totals[0][:, 2], equal_var=False)
    assert p_value(found) == pytest.approx(expected.pvalue, rel=1e-9)
    assert degrees_of_freedom(found) == pytest.approx(expected.df, rel=1e-9)
    interval, ends = absolute_interval(found, reach(found, 0.05)), expected.confidence_interval(0.95)
    assert interval.lower == pytest.approx(ends.low, rel=1e-9)
    assert interval.upper == pytest.approx(ends.high, rel=1e-9)
    assert (p_value(found) < 0.05) == interval.excludes(0)


def test_a_levels_interval_is_that_of_one_sample() -> None:
    """Scipy's t interval of the mean; None and why where there is no level."""
    dwell = np.random.default_rng(0).gamma(2, 1, 40).round(6)
    found = level(arm_of(np.stack([np.ones(40), np.ones(40), dwell], 1)), COLUMNS.names, DWELL)
    expected = stats.ttest_1samp(dwell, 0).confidence_interval(0.9)
    interval = level_interval(found, 0.1)
    assert (interval.lower, interval.upper) == pytest.approx((expected.low, expected.high), rel=1e-9)
    assert level_interval(Level.none(0, "no users"), 0.1).reason == "no users"
