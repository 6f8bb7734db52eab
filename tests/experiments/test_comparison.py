"""One arm against control."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as with_settings
from hypothesis import strategies as st

from lis_online.experiments.columns import Columns
from lis_online.experiments.comparison import Comparison, Rules, compare
from lis_online.experiments.definitions import Guardrail, Metric
from lis_online.experiments.sequence import AtUsers
from tests.experiments.arms import COLUMNS, CTR, DWELL, METRICS, QUANTITIES, arm_of, users

EAGER = Rules(burn_in=0, tuning=AtUsers(300))


def changes(found: Comparison) -> list[tuple[float | None, float | None, float | None]]:
    """Return (lower, value, upper) of the four intervals."""
    return [
        (interval.lower, change.value, interval.upper)
        for change in (found.absolute, found.relative)
        for interval in (change.sequence, change.fixed)
    ]


@given(st.integers(0, 10**6), st.floats(-0.5, 2), st.sampled_from(METRICS), st.floats(0.01, 0.3))
@with_settings(max_examples=40)
def test_values_lie_in_their_intervals_and_p_agrees_with_them(
    seed: int, gain: float, metric: Metric, alpha: float
) -> None:
    """In every metric and scale; p under alpha exactly where the intervals, absolute and relative, exclude 0."""
    rng = np.random.default_rng(seed)
    control, arm = arm_of(users(rng, 80)), arm_of(users(rng, 120, gain))
    found = compare(control, arm, COLUMNS.names, metric, replace(EAGER, alpha=alpha))
    for lower, value, upper in changes(found):
        if value is not None and lower is not None and upper is not None:
            assert lower <= value <= upper
    if found.absolute.reason is not None:
        return
    assert found.p_sequential is not None and found.p_fixed is not None
    assert (found.p_sequential < alpha) == found.absolute.sequence.excludes(0)
    assert (found.p_fixed < alpha) == found.absolute.fixed.excludes(0)
    for change in (found.relative.sequence, found.relative.fixed):
        if change.lower is not None:
            p = found.p_sequential if change is found.relative.sequence else found.p_fixed
            assert (p < alpha) == change.excludes(0)


def test_watching_costs_width_and_holds_the_fixed_interval() -> None:
    """The sequence is wider than the interval of one look, and around it."""
    rng = np.random.default_rng(0)
    found = compare(arm_of(users(rng, 900)), arm_of(users(rng, 900)), COLUMNS.names, CTR, EAGER)
    always, once = found.absolute.sequence, found.absolute.fixed
    assert always.lower is not None and once.lower is not None and always.upper is not None and once.upper is not None
    assert always.lower < once.lower < once.upper < always.upper


def test_before_the_burn_in_there_is_a_fixed_interval_and_no_sequence() -> None:
    """The reason says how many of how many; no p-value, no users needed, nothing decided."""
    rng = np.random.default_rng(0)
    guarded = replace(CTR, guardrail=Guardrail("decrease", 0.01))
    found = compare(arm_of(users(rng, 60)), arm_of(users(rng, 60)), COLUMNS.names, guarded)
    assert found.absolute.sequence.reason is not None
    assert found.absolute.sequence.reason.startswith("too few users for a sequence: ")
    assert found.absolute.fixed.lower is not None and found.p_fixed is not None
    nothing = (found.p_sequential, found.users_needed, found.guardrail, found.minimum_effect)
    assert nothing == (None, None, "undecided", "undecided")


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.name)
@pytest.mark.parametrize(
    ("totals", "reason"),
    [
        (np.zeros((0, 3)), "no users"),
        (np.ones((1, 3)), "1 user: an interval needs 2"),
        (np.ones((9, 3)), "every user has the same: no variance to judge by"),
    ],
)
def test_empty_one_user_and_zero_variance_arms_give_none_and_why(
    metric: Metric, totals: np.ndarray, reason: str
) -> None:
    """On either side: no number anywhere, and the same reason in every place."""
    good, bad = arm_of(users(np.random.default_rng(0), 300)), arm_of(totals)
    for pair in ((good, bad), (bad, good)):
        found = compare(*pair, COLUMNS.names, metric, EAGER)
        assert {change.reason for change in (found.absolute, found.relative)} == {reason}
        assert set(changes(found)) == {(None, None, None)}
        assert (found.p_sequential, found.p_fixed, found.users_needed) == (None, None, None)
        assert found.absolute.sequence.reason == found.relative.fixed.reason == reason


def test_a_control_at_zero_has_no_relative_lift() -> None:
    """Nobody in control dwells on average: the absolute lift stands alone."""
    rng = np.random.default_rng(0)
    totals = users(rng, 100)
    totals[:, 2] = np.tile([1.0, -1.0], 50)
    found = compare(arm_of(totals), arm_of(users(rng, 100)), COLUMNS.names, DWELL, EAGER)
    assert found.relative.reason == "control is not above 0: no relative lift"
    assert found.absolute.value is not None and found.absolute.fixed.lower is not None
    assert found.absolute.sequence.lower is not None  # by the clock of users; that of information is relative
    by_effect = compare(arm_of(totals), arm_of(users(rng, 100)), COLUMNS.names, DWELL, Rules(burn_in=0))
    assert by_effect.absolute.sequence.reason == "control is not above 0: no relative lift"
    assert by_effect.p_sequential is None and by_effect.users_needed is None


def test_guardrail_and_minimum_effect_are_judged_on_the_sequence() -> None:
    """A loss of 40 % breaches a margin of 1 % and is below the minimum; a gain of 60 % holds and is above it."""
    rng = np.random.default_rng(0)
    guarded = replace(CTR, guardrail=Guardrail("decrease", 0.01), minimum_effect=0.1)
    control = arm_of(users(rng, 1500))
    worse = compare(control, arm_of(users(rng, 1500, -0.4)), COLUMNS.names, guarded)
    better = compare(control, arm_of(users(rng, 1500, 0.6)), COLUMNS.names, guarded)
    assert (worse.guardrail, worse.minimum_effect) == ("breached", "below")
    assert (better.guardrail, better.minimum_effect) == ("holds", "above")


def test_cuped_narrows_and_says_by_how_much() -> None:
    """Users who do now what they did before: most of the variance goes; without a pre-period the reason is given."""
    rng, columns = np.random.default_rng(0), Columns(QUANTITIES, METRICS, pre_period=True)
    arms = []
    for _ in range(2):
        before = users(rng, 600)
        arms.append(arm_of(before + users(rng, 600) * 0.1, columns=columns, before=before))
    plain = compare(*arms, columns.names, DWELL, EAGER)
    adjusted = compare(*arms, columns.names, DWELL, replace(EAGER, cuped=True))
    assert plain.variance_reduction is None and plain.cuped_reason is None
    assert adjusted.variance_reduction is not None and adjusted.variance_reduction > 0.8
    assert adjusted.absolute.stderr is not None and plain.absolute.stderr is not None
    assert adjusted.absolute.stderr**2 / plain.absolute.stderr**2 == pytest.approx(1 - adjusted.variance_reduction)
    assert adjusted.control == plain.control  # levels are as observed
    without = compare(*(arm_of(users(rng, 300)) for _ in range(2)), COLUMNS.names, DWELL, replace(EAGER, cuped=True))
    assert without.cuped_reason == "no pre-period totals" and without.absolute.value is not None


def test_users_needed_shrink_with_the_effect_looked_for() -> None:
    """A tenth of the effect takes about a hundred times the users."""
    rng = np.random.default_rng(0)
    arms = arm_of(users(rng, 900)), arm_of(users(rng, 900))
    needed = [compare(*arms, COLUMNS.names, replace(CTR, minimum_effect=effect)).users_needed for effect in (0.1, 0.01)]
    assert needed[0] is not None and needed[1] is not None
    assert needed[1] / needed[0] == pytest.approx(100, rel=1e-3)


def test_alpha_must_be_a_probability() -> None:
    """Argument, rule, value."""
    with pytest.raises(ValueError, match="alpha must be between 0 and 1, got 5"):
        Rules(alpha=5)
