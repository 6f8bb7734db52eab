"""Guardrails and minimum effects."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lis_online.experiments.definitions import Guardrail
from lis_online.experiments.guardrail import judge, reached
from lis_online.experiments.lift import Interval

ends = st.floats(-0.2, 0.2)


@given(ends, ends, st.floats(0.001, 0.1))
def test_a_decrease_is_judged_by_where_the_margin_lies(one: float, other: float, margin: float) -> None:
    """All beyond it: breached; none beyond: holds; in between: undecided. An increase is the mirror image."""
    lower, upper = sorted((one, other))
    expected = "breached" if upper < -margin else "holds" if lower > -margin else "undecided"
    assert judge(Guardrail("decrease", margin), Interval(lower, upper)) == expected
    assert judge(Guardrail("increase", margin), Interval(-upper, -lower)) == expected


@given(ends, ends)
def test_an_effect_is_above_below_or_undecided(one: float, other: float) -> None:
    """By the whole interval, never by the estimate."""
    lower, upper = sorted((one, other))
    expected = "above" if lower > 0.01 else "below" if upper < 0.01 else "undecided"
    assert reached(0.01, Interval(lower, upper)) == expected


@pytest.mark.parametrize("direction", ["increase", "decrease"])
def test_without_an_interval_nothing_is_decided(direction: str) -> None:
    """No data is neither a breach nor a guardrail that holds."""
    nothing = Interval.none("no users")
    assert judge(Guardrail(direction, 0.01), nothing) == reached(0.01, nothing) == "undecided"  # type: ignore[arg-type]
