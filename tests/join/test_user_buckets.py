"""Users' totals by bucket: which rows there are, and when they are sent."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from lis_online.events.windows_log import UserTotalsBucket, decode
from lis_online.experiments import user_totals
from lis_online.experiments.moments import UNIT
from lis_online.experiments.user_totals import ENTERED, FIRST
from lis_online.join.pending import NOWHERE
from lis_online.join.user_buckets import UserBuckets, table_of
from lis_online.records import MAX_TIME
from lis_online.settings import Settings
from lis_online.snapshots.steps import at_once
from tests.join.logs import EXPERIMENTS
from tests.join.small_steps import small_steps

WINDOW, LENGTH = 300, 2000
MET = (True, True)
impressions = st.lists(
    st.tuples(st.integers(0, 3), st.integers(0, 2), st.booleans(), st.integers(-5, 5)), min_size=1, max_size=25
)


@given(impressions)
def test_rows_are_by_user_stage_and_arm_in_the_order_seen(given_impressions: list[tuple[int, int, bool, int]]) -> None:
    """Before the first impression that triggers and from it on; the first arm of each stage is marked."""
    columns = zip(*given_impressions, strict=True)
    users, arms, met, totals = (
        np.array(column, dtype) for column, dtype in zip(columns, (np.uint64, np.int16, bool, np.int64), strict=True)
    )
    table = table_of(users, arms, met, totals[:, None])
    expected, entered = dict[tuple[int, int, int], int](), set[int]()
    for user, arm, triggers, total in given_impressions:
        if triggers:
            entered.add(user)
        key = (user, int(user in entered), arm)
        expected[key] = expected.get(key, 0) + total
    order = sorted(expected, key=lambda key: key[:2])  # stable: the order seen within user and stage
    flags = [
        ENTERED * stage + FIRST * ((user, stage) not in {key[:2] for key in order[:place]})
        for place, (user, stage, _) in enumerate(order)
    ]
    assert list(zip(table.users.tolist(), table.arms.tolist(), strict=True)) == [(user, arm) for user, _, arm in order]
    assert table.flags.tolist() == flags and table.totals[:, 0].tolist() == [expected[key] for key in order]


def take(buckets: UserBuckets) -> list[UserTotalsBucket]:
    """Return the records of the first bucket."""
    return [record for record in map(decode, buckets.take()) if isinstance(record, UserTotalsBucket)]


def test_a_bucket_is_due_when_the_window_of_its_last_impression_has_passed() -> None:
    """Later buckets wait their turn; an action counts in the bucket of its impression, whenever it was done."""
    buckets = UserBuckets(EXPERIMENTS, 4)
    assert buckets.due == 2 * MAX_TIME
    place = buckets.show(1999, 7, (0, -1), MET)
    assert buckets.due == LENGTH + WINDOW
    later = buckets.show(2000, 7, (0, -1), MET)
    assert (place, later, buckets.due) == (0, 0, LENGTH + WINDOW)
    buckets.act(1999, place, 1, 5 * UNIT)
    (first,) = take(buckets)
    assert buckets.due == 2 * LENGTH + WINDOW
    (second,) = take(buckets)
    assert buckets.due == 2 * MAX_TIME
    heads = [(one.shard, one.experiment, one.start, one.end, one.part, one.parts, one.users) for one in (first, second)]
    assert heads == [(4, "e", 0, 2000, 0, 1, 1), (4, "e", 2000, 4000, 0, 1, 1)]
    assert user_totals.decode(first.data).totals.tolist() == [[UNIT, 5 * UNIT, 0]]
    assert user_totals.decode(second.data).totals.tolist() == [[UNIT, 0, 0]]


def test_what_carries_no_experiment_is_in_no_bucket() -> None:
    """Neither the impression nor its actions."""
    buckets = UserBuckets(EXPERIMENTS, 0)
    assert buckets.show(5, 7, (-1, -1), MET) == NOWHERE
    buckets.act(5, NOWHERE, 1, UNIT)
    assert buckets.due == 2 * MAX_TIME and at_once(buckets.begin_snapshot()).arrays == {}


def test_a_bucket_of_many_users_is_sent_in_parts() -> None:
    """Numbered, of whole users, small enough for a record; all together they are the bucket."""
    settings = EXPERIMENTS.model_copy(update={"experiment": EXPERIMENTS.experiment[:1]})
    buckets, rng = UserBuckets(settings, 0), np.random.default_rng(0)
    users: list[Any] = rng.integers(-(2**63), 2**63 - 1, 40_000).tolist()
    for user in users * 2:
        place = buckets.show(5, user, (user % 2,), (True,))
        buckets.act(5, place, 2, user % 10**12)
    sent = take(buckets)
    assert [one.part for one in sent] == list(range(len(sent))) and {one.parts for one in sent} == {len(sent)}
    assert len(sent) > 1 and max(len(one.data) for one in sent) < 700_000
    tables = [user_totals.decode(one.data) for one in sent]
    assert [one.users for one in sent] == list(map(len, tables)) and sum(map(len, tables)) == 40_000
    assert Counter(total for table in tables for total in table.totals[:, 2].tolist()) == Counter(
        2 * (user % 10**12) for user in users
    )


def test_the_length_is_that_of_roll_ups() -> None:
    """`history.rollup`, lengthened to whole buckets of the metrics."""
    table = {**EXPERIMENTS.model_dump(mode="python", include={"experiment"}), "history": {"rollup": "15m"}}
    settings = Settings.of({**table, "metrics": {"bucket": "10m", "windows": ["10m"]}})
    buckets = UserBuckets(settings, 0)
    buckets.show(0, 1, (0, 0), MET)
    assert buckets.due == 1_200_000 + settings.events.attribution_window


def test_a_snapshot_of_logs_is_as_long_as_they_were() -> None:
    """What is logged, and what is sent, before it is complete changes nothing of it."""
    with small_steps():
        buckets = UserBuckets(EXPERIMENTS, 0)
        for place in range(5):
            buckets.act(5, buckets.show(5, place, (0, -1), MET), 1, UNIT)
        whole, making = at_once(buckets.begin_snapshot()), buckets.begin_snapshot()
        next(making)
        for place in range(5, 9):
            buckets.act(5, buckets.show(5, place, (0, -1), MET), 1, UNIT)
        take(buckets)
        copied = at_once(making)
    assert copied.meta == whole.meta == {"starts": [0]} and len(whole.arrays) == 6
    assert {name: column.tolist() for name, column in copied.arrays.items()} == {
        name: column.tolist() for name, column in whole.arrays.items()
    }
    assert whole.arrays["0.users"].tolist() == list(range(5))
