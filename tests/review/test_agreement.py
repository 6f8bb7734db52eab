"""Whether lift and adjusted AIS rank the arms alike, and when that may be said."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import kendalltau

from lis_online.experiments.analysis import Plan
from lis_online.experiments.definitions import Guardrail, Metric
from lis_online.experiments.known import Known
from lis_online.review.agreement import agreement, kendall, primary_metric
from lis_online.review.arms import NO_VARIANT, Arms
from lis_online.review.document import Agreement
from tests.experiments.arms import COLUMNS, CTR, arm_of, users
from tests.review.documents import make_representation

SHARES = {"control": 0.4, "x": 0.3, "y": 0.3}
LIFTS = {"control": 0.0, "x": 0.4, "y": 1.2}
Ais = float | tuple[float | None, float] | None


def arms(metrics: Sequence[Metric] = (CTR,)) -> Arms:
    """Return three arms of 800 users: x is better than control, y than x."""
    moments = {
        name: arm_of(users(np.random.default_rng(k), 800, lift), name) for k, (name, lift) in enumerate(LIFTS.items())
    }
    return Arms.of(Plan("e", "control", SHARES, tuple(metrics)), Known(0, COLUMNS.names, moments))


def agree(of: Arms, **ais: Ais) -> Agreement:
    """Return the agreement where arms serve variants of this adjusted AIS, and half-width; None: no variant."""
    found = {}
    for name in SHARES:
        one = ais.get(name)
        if one is None:
            found[name] = NO_VARIANT
        else:
            value, half = one if isinstance(one, tuple) else (one, 0.001)
            found[name] = make_representation(value, half).model_copy(update={"variant": name})
    return agreement(of, of.get(found))


def test_arms_that_rank_alike_agree() -> None:
    """Control without a variant is 0 in both; every pair is there once, the better by AIS first."""
    of = arms()
    found = agree(of, x=0.01, y=0.02)
    assert (found.metric, found.agrees, found.rank_correlation, found.reason) == ("ctr", True, 1.0, None)
    assert [(pair.better_by_ais, pair.other) for pair in found.pairs] == [
        ("x", "control"),
        ("y", "control"),
        ("y", "x"),
    ]
    assert all(pair.resolved and pair.agrees for pair in found.pairs)
    lift = {arm: of.analysis.get(arm, "ctr").relative.value for arm in ("x", "y")}
    assert found.pairs[1].lift_difference == lift["y"]
    assert found.pairs[2].lift_difference == lift["y"] - lift["x"]  # type: ignore[operator]
    assert found.pairs[2].ais_difference == pytest.approx(0.01)


def test_one_sure_pair_the_other_way_round_is_a_disagreement() -> None:
    """The arm that is ahead by AIS is behind by lift."""
    found = agree(arms(), x=0.02, y=0.01)
    assert (found.agrees, found.rank_correlation) == (False, pytest.approx(1 / 3))
    assert [pair.agrees for pair in found.pairs] == [True, True, False]


def test_a_pair_counts_only_where_both_differences_are_sure() -> None:
    """AIS: the intervals do not overlap. Lift: one arm's sequence against the other excludes 0."""
    found = agree(arms(), x=(0.020, 0.006), y=(0.010, 0.005))
    assert [pair.resolved for pair in found.pairs] == [True, True, False]
    assert found.agrees is True
    equal = arm_of(users(np.random.default_rng(9), 800, LIFTS["x"]), "y")
    of = arms()
    same = Arms.of(of.plan, Known(0, COLUMNS.names, {**of.known.arms, "y": equal}))
    found = agree(same, x=0.01, y=0.02)
    assert [(pair.better_by_ais, pair.resolved) for pair in found.pairs] == [("x", True), ("y", True), ("y", False)]


def test_without_a_sure_pair_nothing_is_said() -> None:
    """The pairs are shown all the same."""
    found = agree(arms(), x=(0.001, 0.5), y=(0.002, 0.5))
    assert found.agrees is None and len(found.pairs) == 3
    assert found.reason == "no two arms differ for sure in both adjusted AIS and lift yet"


@pytest.mark.parametrize("ais", [{}, {"x": (None, 0.001)}])
def test_without_two_arms_to_rank_there_is_a_reason(ais: dict[str, Ais]) -> None:
    """An arm without a variant, or whose AIS is missing, has no place in the order."""
    found = agree(arms(), **ais)
    assert (found.agrees, found.pairs, found.rank_correlation) == (None, (), None)
    assert found.reason == "fewer than two arms have both an adjusted AIS and a lift"


def test_control_may_serve_a_variant_too() -> None:
    """Then its AIS is that variant's, and its lift is 0 all the same."""
    found = agree(arms(), control=0.03, x=0.01)
    [pair] = found.pairs
    assert (pair.better_by_ais, pair.other, pair.agrees, pair.resolved) == ("control", "x", False, True)
    assert pair.lift_difference < 0


def test_the_primary_metric_is_the_first_without_a_guardrail() -> None:
    """None where every metric is a guardrail: then there is no order by lift."""
    rail = Metric("dwell", "mean", "dwell", guardrail=Guardrail("decrease", 0.01))
    assert primary_metric([rail, CTR]) == CTR
    found = agree(arms([rail]), x=0.01)
    assert (found.metric, found.agrees, found.reason) == (
        None,
        None,
        "every declared metric is a guardrail: no lift to rank by",
    )


def test_arms_that_serve_the_same_variant_have_no_order() -> None:
    """Whatever their lifts: there is nothing in AIS to agree with."""
    found = agree(arms(), x=0.01, y=0.01)
    assert [(pair.better_by_ais, pair.other) for pair in found.pairs] == [("x", "control"), ("y", "control")]


values = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=2, max_size=8)


@given(values)
def test_rank_correlation_is_scipys(pairs: list[tuple[int, int]]) -> None:
    """Kendall's tau-b, ties included; None where scipy has NaN."""
    x, y = ([float(one) for one in column] for column in zip(*pairs, strict=True))
    expected = float(kendalltau(x, y).statistic)
    found = kendall(x, y)
    assert found is None if np.isnan(expected) else found == pytest.approx(expected)
