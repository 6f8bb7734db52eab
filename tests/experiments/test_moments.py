"""Moments of user totals: exact, mergeable, and what is computed from them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lis_online.experiments.moments import UNIT, Moments, UserTotals, merge_arms, ratio, total

QUANTITIES = ["impression", "click", "dwell"]
changes = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 2), st.integers(-(10**15), 10**15)), max_size=40)


def moments_of(totals: np.ndarray) -> Moments:
    """Return the moments of totals [users, quantities] in units."""
    moments = Moments(totals.shape[1])
    for row in totals:
        moments.add([round(x * UNIT) for x in row])
    return moments


@given(changes)
def test_updates_one_by_one_equal_the_totals_at_once(given_changes: list[tuple[int, int, int]]) -> None:
    """Whole numbers of any size: no order and no size of the changes leaves a trace."""
    moments, users = Moments(3), [[0] * 3 for _ in range(5)]
    for user in users:
        moments.add(user)
    for user, quantity, amount in given_changes:
        moments.update(users[user], quantity, amount)
    table = users
    assert moments.sums == [sum(row[q] for row in table) for q in range(3)]
    assert moments.products == [sum(row[q] * row[p] for row in table) for q in range(3) for p in range(3)]
    assert moments.positive == [sum(row[q] > 0 for row in table) for q in range(3)]
    for user in users:
        moments.add(user, times=-1)
    assert moments.snapshot() == Moments(3).snapshot()


def test_shards_merge_into_the_whole() -> None:
    """Users of one shard are in no other: the parts add up to the moments of all."""
    totals = np.random.default_rng(1).integers(0, 50, (90, 3)).astype(float)
    parts = [moments_of(totals[k::3]).get("e", "a") for k in range(3)]
    assert merge_arms(parts) == merge_arms(parts[::-1]) == moments_of(totals).get("e", "a")
    assert total(merge_arms(parts), QUANTITIES, "click") == totals[:, 1].sum()


@pytest.mark.parametrize("seed", range(3))
def test_the_ratios_error_is_that_of_the_delta_method_over_users(seed: int) -> None:
    """Value, standard error and interval equal the textbook formula on the users' raw totals."""
    rng = np.random.default_rng(seed)
    y = rng.geometric(0.1, 400).astype(float)
    x = rng.binomial(y.astype(int), rng.beta(2, 8, 400)).astype(float)
    estimate = ratio(moments_of(np.stack([y, x], 1)).get("e", "a"), ["impression", "click"], "click", "impression")
    r, n = x.mean() / y.mean(), len(x)
    cov = np.cov(x, y, ddof=1)
    variance = (cov[0, 0] - 2 * r * cov[0, 1] + r * r * cov[1, 1]) / (n * y.mean() ** 2)
    assert estimate.value == pytest.approx(r, rel=1e-12)
    assert estimate.stderr == pytest.approx(variance**0.5, rel=1e-9)
    assert estimate.lower == pytest.approx(r - 1.959964 * variance**0.5, rel=1e-6)
    assert estimate.upper == pytest.approx(r + 1.959964 * variance**0.5, rel=1e-6)


def test_the_interval_covers_the_truth_as_often_as_it_says() -> None:
    """Users whose own rates differ: 95 % of the intervals hold the true rate (a binomial one holds far fewer)."""
    rng, held = np.random.default_rng(5), 0
    for _ in range(400):
        y = rng.geometric(0.05, 200)
        x = rng.binomial(y, rng.beta(2, 8, 200))
        arm = moments_of(np.stack([y, x], 1).astype(float)).get("e", "a")
        estimate = ratio(arm, ["impression", "click"], "click", "impression")
        assert estimate.lower is not None and estimate.upper is not None
        held += estimate.lower <= 0.2 <= estimate.upper
    assert 0.92 * 400 <= held <= 0.975 * 400


def test_no_data_is_no_number() -> None:
    """Nothing is 0 for want of data; the reason says what is missing."""
    empty = Moments(3).get("e", "a")
    idle, one = Moments(3), Moments(3)
    idle.add([0, 0, 0])
    idle.add([0, 0, 0])
    one.add([UNIT, UNIT, 0])
    reasons = [
        ratio(m, QUANTITIES, "click", "impression").reason for m in (empty, idle.get("e", "a"), one.get("e", "a"))
    ]
    assert reasons == ["no users", "no impression", "1 user: an interval needs 2"]


def test_snapshot_and_restore_keep_numbers_beyond_64_bits() -> None:
    """Moments of large values stay exact through a checkpoint."""
    moments, user = Moments(2), UserTotals(1, [0, 0])
    moments.add(user.values)
    moments.update(user.values, 1, 10**30 + 1)
    moments.assigned = moments.crossed = 7
    again = Moments(2)
    again.restore(moments.snapshot())
    assert again.products[3] == (10**30 + 1) ** 2 and again.snapshot() == moments.snapshot()
    assert again.get("e", "a") == moments.get("e", "a") and again.get("e", "a").assigned == 7
    user.seen.add(0)
    back = UserTotals.restored(user.snapshot())
    assert (back.arm, back.seen, back.values) == (1, {0, 1}, [0, 10**30 + 1])
