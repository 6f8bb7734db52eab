"""Absolute and relative lifts."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lis_online.experiments.levels import Level
from lis_online.experiments.lift import Lift, absolute_interval, fieller, lift, relative_interval, relative_stderr

values = st.floats(0.01, 100)
variances = st.floats(1e-6, 10)


def levels(c: float, c_variance: float, a: float, a_variance: float) -> Lift:
    """Return the lift of two levels."""
    found = lift(Level(c, c_variance, 1000, 500.0), Level(a, a_variance, 1000, 500.0))
    assert isinstance(found, Lift)
    return found


@given(values, variances, values, variances, st.floats(0.1, 50))
def test_an_interval_contains_its_estimate(c: float, cv: float, a: float, av: float, reach: float) -> None:
    """Whatever the levels, and however far it reaches."""
    found = levels(c, cv, a, av)
    interval = absolute_interval(found, reach)
    assert interval.lower is not None and interval.upper is not None and found.relative is not None
    assert interval.lower <= found.difference <= interval.upper
    relative = relative_interval(found, reach)
    if relative.lower is not None and relative.upper is not None:
        slack = 1e-9 * (1 + abs(found.relative))
        assert relative.lower - slack <= found.relative <= relative.upper + slack


@given(values, variances, values, variances, st.floats(0.1, 50))
def test_absolute_and_relative_intervals_agree_on_no_lift(
    c: float, cv: float, a: float, av: float, reach: float
) -> None:
    """Fieller's set holds a ratio of 1 exactly where the absolute interval holds 0 (rounding aside)."""
    found = levels(c, cv, a, av)
    if abs(found.z_squared**0.5 / reach - 1) < 1e-6:
        return
    relative = relative_interval(found, reach)
    if relative.reason is None:
        assert relative.excludes(0) == absolute_interval(found, reach).excludes(0)


@given(values, variances, values, variances, st.floats(0.1, 50))
def test_fiellers_ends_are_where_the_test_of_a_ratio_turns(
    c: float, cv: float, a: float, av: float, reach: float
) -> None:
    """Brute force: at each end |a - R c| is exactly `reach` standard errors; without bounds, c is within reach of 0."""
    lower, upper = fieller(a, av, c, cv, reach)
    if np.isnan(lower):
        assert c**2 <= reach**2 * cv * (1 + 1e-12)
        return
    if c**2 < 1.001 * reach**2 * cv:
        return  # an end near infinity has no digits to compare
    for end in (lower, upper):
        distance = abs(a - end * c) / np.sqrt(av + end**2 * cv)
        assert distance == pytest.approx(reach, rel=1e-5)


def test_fieller_equals_its_textbook_form() -> None:
    """Finney's form with g = k^2 V_b / b^2, written independently of the roots used here."""
    top, tv, bottom, bv, k = 11.0, 0.25, 10.0, 0.16, 1.96
    g, ratio = k * k * bv / bottom**2, top / bottom
    half = k / bottom * np.sqrt(tv + ratio**2 * bv - g * tv) / (1 - g)
    ends = fieller(top, tv, bottom, bv, k)
    assert [float(end) for end in ends] == pytest.approx([ratio / (1 - g) - half, ratio / (1 - g) + half], rel=1e-12)


def test_relative_intervals_cover_the_true_lift() -> None:
    """95 % of the intervals of two noisy levels hold their true ratio, also where control is only 5 errors from 0."""
    rng = np.random.default_rng(1)
    top, bottom = rng.normal(1.3, 0.15, 20_000), rng.normal(1.0, 0.2, 20_000)
    lower, upper = fieller(top, 0.15**2, bottom, 0.2**2, 1.96)
    bounded = ~np.isnan(lower)
    assert bounded.mean() > 0.99
    assert np.mean((lower <= 1.3) & (upper >= 1.3)) == pytest.approx(0.95, abs=0.008)


def test_the_delta_methods_error_is_that_of_repeated_ratios() -> None:
    """Where levels are well known, the standard error equals the spread of simulated relative lifts."""
    rng = np.random.default_rng(2)
    ratios = rng.normal(1.1, 0.02, 200_000) / rng.normal(1.0, 0.03, 200_000)
    assert relative_stderr(levels(1.0, 0.03**2, 1.1, 0.02**2)) == pytest.approx(ratios.std(), rel=0.02)


def test_what_has_no_lift_says_why() -> None:
    """A missing level, a zero variance, a control at 0, one that may be 0."""
    good, missing, flat = Level(1.0, 0.1, 9, 9.0), Level.none(0, "no users"), Level(1.0, 0.0, 9, 9.0)
    assert lift(good, missing) == lift(missing, good) == "no users"
    assert lift(good, flat) == lift(flat, good) == "every user has the same: no variance to judge by"
    found = lift(Level(0.0, 0.1, 9, 9.0), good)
    assert isinstance(found, Lift) and found.relative is None
    assert relative_interval(found, 2).reason == "control is not above 0: no relative lift"
    assert absolute_interval(found, 2).lower is not None
    near = relative_interval(levels(0.1, 0.1, 1.0, 0.1), 2)
    assert near.reason == "control may be 0 as far as is known: the relative lift has no bounds yet"
    assert (near.lower, near.upper, near.excludes(5)) == (None, None, False)
