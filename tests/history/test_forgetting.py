"""Users who are forgotten leave what is stored, and nothing that is on its way brings them back."""

from __future__ import annotations

import threading

import numpy as np
import pytest
from sqlalchemy import Engine, text

from lis_online.events.hashing import id_hash
from lis_online.events.windows_log import ArmMoments
from lis_online.experiments.range_moments import RangeMoments
from lis_online.experiments.user_totals import ENTERED, FIRST, TotalsTable, decode, encode, hashed
from lis_online.history.configuration import configuration_id
from lis_online.history.engine import transaction
from lis_online.history.experiment_tables import user_totals as table
from lis_online.history.experiments import user_totals
from lis_online.history.forgetting import AT_ONCE, Removed, forget_users, keep_out
from lis_online.history.retention import Pruner
from lis_online.history.rows import UserTotalsRow
from lis_online.history.times import to_datetime
from lis_online.history.upsert import upsert
from lis_online.history.writer import HistoryWriter
from lis_online.settings import Settings
from tests.history.streams import AT, MINUTE
from tests.history.test_configuration import TABLE
from tests.streams.processes import wait_until

pytestmark = pytest.mark.postgres

SETTINGS = Settings.of(TABLE)
QUARTER = 15 * MINUTE
DAY = 24 * 60 * MINUTE
NOW = AT + 40 * DAY
USERS = np.array([id_hash(f"u{n}") for n in range(12)], np.int64)
GONE, STAYING = USERS[[3, 7]], np.delete(USERS, [3, 7])
NAMES = set(hashed(GONE).tolist())


def made(bucket: int, of: np.ndarray = USERS) -> TotalsTable:
    """Return what some of the users did in a bucket, a row each: the same whoever else is there."""
    names = np.sort(hashed(USERS))
    totals = np.random.default_rng(bucket).integers(1, 9, (len(names), 7)) * 10**6
    whole = TotalsTable(names, (names % 2).astype(np.int16), np.full(len(names), FIRST + ENTERED, np.uint8), totals)
    return whole.rows(np.isin(names, hashed(of)))


def row(bucket: int, of: np.ndarray = USERS, shard: int = 0) -> UserTotalsRow:
    """Return the row of a bucket."""
    start = AT + bucket * QUARTER
    return UserTotalsRow(start, start + QUARTER, "e", shard, 0, len(of), encode(made(bucket, of)), start + QUARTER)


def write(engine: Engine, *rows: UserTotalsRow, settings: Settings = SETTINGS) -> int:
    """Write rows and return their configuration."""
    HistoryWriter(engine, settings).write(rows)
    with engine.begin() as connection:
        return configuration_id(connection, settings)


def stored(engine: Engine) -> list[tuple[int, bytes]]:
    """Return users and bytes of every row."""
    with engine.connect() as connection:
        found = connection.execute(table.select().order_by(*table.primary_key.columns))
        return [(one.users, one.data) for one in found]


def names_in(engine: Engine) -> set[int]:
    """Return every user that any row holds."""
    return {name for _, data in stored(engine) for name in decode(data).users.tolist()}


def forget(engine: Engine, users: np.ndarray = GONE, now: int = NOW) -> Removed:
    """Forget users."""
    return forget_users(engine, users, now, now + 7 * DAY, lambda removed, rows: None)


def moments(engine: Engine, configuration: int) -> list[ArmMoments]:
    """Return the arms of everything that is stored."""
    arms = RangeMoments(SETTINGS.experiment[0], SETTINGS.events)
    with engine.connect() as connection:
        for bucket in user_totals(connection, configuration, "e", 0, NOW):
            arms.update(bucket.tables)
    return arms.get()


def test_what_is_left_is_what_there_would_be_without_them(history_engine: Engine) -> None:
    """To the byte, over more rows than fit a transaction, several weeks and shards, under every configuration."""
    buckets = [*range(AT_ONCE), *range(2000, 2000 + AT_ONCE)]
    other = Settings.of({**TABLE, "leakage": {"folds": 4}})
    write(history_engine, *(row(b, shard=s) for b in buckets for s in (0, 1)))
    write(history_engine, row(5), row(6, STAYING), settings=other)
    removed = forget(history_engine)
    assert removed == Removed(rows=4 * AT_ONCE + 1, seen=4 * AT_ONCE + 2)
    left = [(row(b, STAYING).users, row(b, STAYING).data) for b in buckets for _ in (0, 1)]
    assert stored(history_engine) == [*left, *((row(b, STAYING).users, row(b, STAYING).data) for b in (5, 6))]


def test_the_others_moments_are_those_of_a_run_without_them(history_engine: Engine) -> None:
    """Each arm's lifts over a range are recomputed from what is left, exactly."""
    configuration = write(history_engine, *(row(b) for b in range(3)))
    forget(history_engine)
    expected = RangeMoments(SETTINGS.experiment[0], SETTINGS.events)
    for bucket in range(3):
        expected.update([made(bucket, STAYING)])
    assert moments(history_engine, configuration) == expected.get()


def test_a_row_whose_users_all_go_stays_and_is_empty(history_engine: Engine) -> None:
    """A row that went would come back whole when its bucket is sent again."""
    configuration = write(history_engine, row(0, GONE), row(1))
    forget(history_engine)
    assert stored(history_engine)[0] == (0, encode(made(0, GONE[:0])))
    assert sum(arm.users for arm in moments(history_engine, configuration)) == len(STAYING)


def test_doing_it_again_and_for_a_stranger_changes_nothing(history_engine: Engine) -> None:
    """Not a byte of any row, nor its revision."""
    write(history_engine, *(row(b) for b in range(3)))
    forget(history_engine)
    once = stored(history_engine)
    assert forget(history_engine) == Removed(rows=0, seen=3)
    assert forget(history_engine, np.array([id_hash("nobody")])) == Removed(rows=0, seen=3)
    assert stored(history_engine) == once


def test_it_works_on_an_empty_history(history_engine: Engine) -> None:
    """Nothing was stored yet."""
    assert forget(history_engine) == Removed()


def test_what_is_sent_again_or_late_comes_without_them(history_engine: Engine) -> None:
    """After a crash a bucket is written once more; one that was on its way is written for the first time."""
    write(history_engine, row(0))
    forget(history_engine, now=AT + 2 * QUARTER)
    write(history_engine, row(0), row(1), row(2))
    assert [users for users, _ in stored(history_engine)] == [len(STAYING), len(STAYING), len(USERS)]
    assert stored(history_engine)[:2] == [(row(b, STAYING).users, row(b, STAYING).data) for b in (0, 1)]


def test_one_who_comes_back_is_forgotten_anew(history_engine: Engine) -> None:
    """What was done after the first request is there until the second one."""
    forget(history_engine, now=AT)
    write(history_engine, row(0))
    assert names_in(history_engine) >= NAMES
    forget(history_engine, now=AT + QUARTER)
    forget(history_engine, now=AT - QUARTER)  # an earlier request that comes late takes nothing back
    write(history_engine, row(0))
    assert not names_in(history_engine) & NAMES


def test_a_writer_that_began_before_the_request_brings_nobody_back(history_engine: Engine) -> None:
    """It did not see the request: the request waits until what it wrote is there, and takes the users out of that."""
    configuration = write(history_engine, row(0))
    done = threading.Thread(target=forget, args=(history_engine,))
    with transaction(history_engine) as connection:
        [given] = keep_out(connection, [row(1)])
        assert given == row(1)
        done.start()
        wait_until(lambda: waiting_for_a_lock(history_engine), 20, lambda: "nobody waits")
        upsert(connection, table, configuration, [given])
    done.join(20)
    assert len(stored(history_engine)) == 2
    assert not names_in(history_engine) & NAMES


def waiting_for_a_lock(engine: Engine) -> bool:
    """Say whether somebody waits for an advisory lock."""
    query = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
    with engine.connect() as connection:
        return bool(connection.execute(text(query)).scalar_one())


def test_that_they_were_forgotten_is_forgotten_in_the_end(history_engine: Engine) -> None:
    """`db prune` takes the note away once nothing of theirs can be sent again, and not before."""
    forget(history_engine, now=AT)
    for now, expected in ((AT + 7 * DAY, 2), (AT + 7 * DAY + 1, 0)):
        list(Pruner(history_engine, SETTINGS.history, now).run())
        with history_engine.connect() as connection:
            notes = connection.execute(text("SELECT before, until FROM forgotten_users")).all()
        assert [tuple(note) for note in notes] == [(to_datetime(AT), to_datetime(AT + 7 * DAY))] * expected
