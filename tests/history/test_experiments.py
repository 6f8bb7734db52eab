"""Arms' moments and users' totals come back as they were written, of the time that was asked for."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Connection, Engine

from lis_online.events.windows_log import ArmMoments
from lis_online.experiments import stored_moments
from lis_online.experiments.user_totals import FIRST, TotalsTable, encode
from lis_online.history.configuration import configuration_id
from lis_online.history.experiments import (
    UserBucket,
    evenly_in_time,
    moments_at,
    moments_over_time,
    user_totals,
)
from lis_online.history.rows import MomentsRow, UserTotalsRow
from lis_online.history.writer import HistoryWriter
from lis_online.settings import Settings
from tests.history.streams import AT, MINUTE
from tests.history.test_configuration import TABLE

SETTINGS = Settings.of(TABLE)
QUARTER = 15 * MINUTE
COLUMNS = ("impression", "click")


def arm(name: str, users: int) -> ArmMoments:
    """Return the moments of an arm whose users saw one impression each."""
    return ArmMoments("e", name, users, 1, [str(users), "0"], [str(users), "0", "0", "0"], [users, 0], users + 1)


def moments_row(end: int, name: str, users: int) -> MomentsRow:
    """Return the row of an arm."""
    made = arm(name, users)
    return MomentsRow(end, "e", name, users, made.assigned, 1, stored_moments.encode(COLUMNS, made), 1)


def write(engine: Engine, *rows: MomentsRow | UserTotalsRow) -> int:
    """Write rows and return their configuration."""
    HistoryWriter(engine, SETTINGS).write(rows)
    with engine.begin() as connection:
        return configuration_id(connection, SETTINGS)


def of_buckets(*buckets: int) -> list[MomentsRow]:
    """Return rows of both arms as of some buckets, in which a has as many users as minutes have passed."""
    return [moments_row(AT + k * MINUTE, name, k + (name == "b")) for k in buckets for name in ("b", "a")]


@pytest.mark.postgres
def test_the_newest_moments_by_a_time_are_those_of_all_arms_in_order(history_engine: Engine) -> None:
    """A bucket that ends at the time counts; one that ends later does not; arms stand as in the settings."""
    configuration = write(history_engine, *of_buckets(1, 2, 5))
    with history_engine.connect() as connection:
        for until, expected in ((2, 2), (4, 2), (5, 5), (9, 5)):
            found = moments_at(connection, configuration, "e", AT + until * MINUTE)
            assert found is not None
            assert (found.time, found.columns) == (AT + expected * MINUTE, COLUMNS)
            assert list(found.arms.items()) == [("a", arm("a", expected)), ("b", arm("b", expected + 1))]
        assert moments_at(connection, configuration, "e", None) == found
        assert moments_at(connection, configuration, "e", AT) is None
        assert moments_at(connection, configuration, "other", None) is None
        assert moments_at(connection, configuration + 1, "e", None) is None


@pytest.mark.postgres
def test_moments_over_time_are_of_buckets_that_ended_within(history_engine: Engine) -> None:
    """(start, end], as windows are asked for; an end that is left out is open."""
    configuration = write(history_engine, *of_buckets(*range(1, 8)))

    def users(connection: Connection, start: int | None, end: int | None, most: int = 96) -> list[int]:
        limits = (None if limit is None else AT + limit * MINUTE for limit in (start, end))
        found = moments_over_time(connection, configuration, "e", *limits, most)
        assert all(list(one.arms) == ["a", "b"] for one in found)
        return [one.arms["a"].users for one in found]

    with history_engine.connect() as connection:
        assert users(connection, 2, 5) == [3, 4, 5]
        assert users(connection, None, None) == [1, 2, 3, 4, 5, 6, 7]
        assert users(connection, None, None, 4) == [1, 3, 5, 7]
        assert users(connection, 7, None) == []


@given(minutes=st.sets(st.integers(0, 1000), max_size=200), most=st.integers(2, 20))
def test_chosen_times_hold_both_ends_and_leave_no_long_hole(minutes: set[int], most: int) -> None:
    """Thinned time beside dense time: steps are of time, so no stretch has most of the points."""
    begin = datetime(2019, 11, 12, tzinfo=UTC)
    times = [begin + timedelta(minutes=minute) for minute in sorted(minutes)]
    chosen = evenly_in_time(times, most)
    assert len(chosen) <= most and chosen == sorted(set(chosen)) and set(chosen) <= set(times)
    if not times:
        return
    assert (chosen[0], chosen[-1]) == (times[0], times[-1])
    if len(times) > most:
        step = (times[-1] - times[0]) / (most - 1)
        for k in range(most - 1):
            wanted = max(time for time in times if time <= times[0] + k * step)
            assert wanted in chosen


def table(seed: int) -> TotalsTable:
    """Return a table of a few users."""
    rng = np.random.default_rng(seed)
    users = np.sort(rng.integers(0, 2**63, 3, dtype=np.uint64))
    totals = rng.integers(0, 5, (3, 2)) * 1_000_000
    return TotalsTable(users, np.zeros(3, np.int16), np.full(3, FIRST, np.uint8), totals)


def totals_row(quarter: int, shard: int, part: int, experiment: str = "e") -> UserTotalsRow:
    """Return the row of a part of a quarter hour."""
    start = AT + quarter * QUARTER
    data = encode(table(100 * quarter + 10 * shard + part))
    return UserTotalsRow(start, start + QUARTER, experiment, shard, part, 3, data, start + QUARTER)


@pytest.mark.postgres
def test_users_totals_come_bucket_by_bucket_with_every_shards_parts(history_engine: Engine) -> None:
    """Buckets that overlap the range, oldest first; of one experiment alone; more rows than are fetched at once."""
    keys = [(q, s, p) for q in range(5) for s in range(2) for p in range(3)]
    rows = [totals_row(*key) for key in reversed(keys)] + [totals_row(2, 0, 0, "other")]
    configuration = write(history_engine, *rows)

    def read(start: int, end: int) -> list[UserBucket]:
        with history_engine.connect() as connection:
            return list(user_totals(connection, configuration, "e", start, end))

    found = read(AT + QUARTER + 1, AT + 4 * QUARTER)
    assert [(one.start, one.end) for one in found] == [(AT + q * QUARTER, AT + (q + 1) * QUARTER) for q in (1, 2, 3)]
    for quarter, bucket in zip((1, 2, 3), found, strict=True):
        expected = [table(100 * quarter + 10 * s + p) for s in range(2) for p in range(3)]
        for one, other in zip(bucket.tables, expected, strict=True):
            np.testing.assert_array_equal(one.users, other.users)
            np.testing.assert_array_equal(one.totals, other.totals)
    assert read(AT + 5 * QUARTER, AT + 9 * QUARTER) == []
    assert len(read(AT, AT + 1)) == 1
