"""A user's totals become columns: capped, weighed, counted, before and after."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lis_online.experiments.columns import Columns
from lis_online.experiments.definitions import Metric
from lis_online.experiments.moments import UNIT, Moments
from tests.experiments.arms import METRICS, QUANTITIES

CAPPED = (
    Metric("ctr", "ratio", "click", "impression", cap=20),
    Metric("dwell", "mean", "dwell", cap=7.5),
    Metric("clickers", "proportion", "click"),
)
totals = st.lists(st.integers(0, 100 * UNIT), min_size=3, max_size=3)


@given(totals)
def test_every_column_is_what_its_name_says(given_totals: list[int]) -> None:
    """Plain totals first; min(total, cap); clicks weighed so that the user's own rate stays; 1 for who clicked."""
    columns = Columns(QUANTITIES, CAPPED)
    found = dict(zip(columns.names, columns.values(given_totals), strict=True))
    shown, clicks, dwell = given_totals
    assert [found[name] for name in QUANTITIES] == given_totals
    assert found["dwell@7.5"] == min(dwell, 7.5 * UNIT)
    assert found["impression@20"] == min(shown, 20 * UNIT)
    assert found["click>0"] == (UNIT if clicks else 0)
    if shown > 20 * UNIT:
        assert found["click@20/impression"] / found["impression@20"] == pytest.approx(clicks / shown, abs=1e-6)
    else:
        assert found["click@20/impression"] == clicks


events = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 2), st.integers(0, 30 * UNIT)), max_size=30)


@given(events)
def test_moments_kept_event_by_event_are_those_of_the_last_totals(given_events: list[tuple[int, int, int]]) -> None:
    """As a join shard does: a total is added to, then what is made of it; what a user did before is fixed on entry."""
    columns, before = Columns(QUANTITIES, CAPPED, pre_period=True), [5 * UNIT, UNIT, 0]
    kept, oracle = Moments(len(columns.names)), Moments(len(columns.names))
    users = [columns.values([0, 0, 0], before) for _ in range(4)]
    for user in users:
        kept.add(user)
    for who, quantity, amount in given_events:
        kept.update(users[who], quantity, amount)
        for column, of in columns.made_of(quantity):
            kept.update(users[who], column, of(users[who]) - users[who][column])
    for who, user in enumerate(users):
        totals = [sum(x for w, q, x in given_events if (w, q) == (who, quantity)) for quantity in range(3)]
        assert user == columns.values(totals, before)
        oracle.add(user)
    assert kept.snapshot() == oracle.snapshot()


large = st.one_of(st.integers(-(2**63), 2**63 - 1), st.integers(0, 30 * UNIT))


@given(st.lists(st.lists(large, min_size=3, max_size=3), max_size=5))
def test_the_columns_of_many_users_are_those_of_each(rows: list[list[int]]) -> None:
    """Of any sign and size, also where the numerator times the cap has more than 64 bits."""
    columns = Columns(QUANTITIES, (*CAPPED, Metric("most", "ratio", "dwell", "click", cap=1e15)))
    table = columns.table(np.array(rows, np.int64).reshape(-1, 3))
    assert table.dtype == np.int64 and table.tolist() == [columns.values(row) for row in rows]


def test_metrics_that_sum_the_same_share_a_column() -> None:
    """A metric without cap needs no column of its own, and two with the same cap share theirs."""
    assert Columns(QUANTITIES, METRICS[:2]).names == tuple(QUANTITIES)
    twice = (*CAPPED, Metric("dwell again", "mean", "dwell", cap=7.5))
    assert Columns(QUANTITIES, twice).names == Columns(QUANTITIES, CAPPED).names


@given(totals, totals)
def test_the_pre_period_is_the_same_columns_of_the_totals_before(now: list[int], before: list[int]) -> None:
    """What a metric sums, it sums of the pre-period too; a user unknown before has 0 there."""
    columns = Columns(QUANTITIES, CAPPED, pre_period=True)
    found = dict(zip(columns.names, columns.values(now, before), strict=True))
    earlier = dict(zip(columns.names, columns.values(before), strict=True))
    for metric in CAPPED:
        assert [found[name] for name in metric.before] == [earlier[name] for name in metric.columns]
        assert [earlier[name] for name in metric.before] == [0] * len(metric.columns)


def test_a_heavy_user_weighs_no_more_than_the_cap() -> None:
    """One bot among 200 users moves a capped click rate by less than a hundredth of what it does without a cap."""
    rng = np.random.default_rng(0)
    shown = rng.integers(5, 20, 200)
    clicks = rng.binomial(shown, 0.1)
    rates = {}
    for bot in (False, True):
        people = [(*pair, 0) for pair in zip(shown.tolist(), clicks.tolist(), strict=True)]
        people += [(1_000_000, 900_000, 0)] * bot
        columns = Columns(QUANTITIES, CAPPED)
        rows = np.array([columns.values([x * UNIT for x in row]) for row in people]).sum(axis=0)
        sums = dict(zip(columns.names, rows.tolist(), strict=True))
        rates[bot] = sums["click@20/impression"] / sums["impression@20"], sums["click"] / sums["impression"]
    assert abs(rates[True][0] - rates[False][0]) < 0.01 * abs(rates[True][1] - rates[False][1])


def test_an_unknown_quantity_is_refused() -> None:
    """Argument, rule, value."""
    with pytest.raises(ValueError, match=r"a quantity of metric m must be one of \['impression', .*\], got 'buy'"):
        Columns(QUANTITIES, [Metric("m", "mean", "buy")])
