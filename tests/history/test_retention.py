"""Pruning: rolls up, thins, moves and deletes, and loses no sample that is to be kept."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, select, text

from lis_online.errors import HistoryError
from lis_online.events.windows_log import SlotVersion
from lis_online.history import rollup
from lis_online.history.annotations import Annotation, annotate
from lis_online.history.experiment_tables import user_totals
from lis_online.history.partitions import partitions, week_of
from lis_online.history.ranges import range_numbers
from lis_online.history.retention import Pruner, Step
from lis_online.history.rows import (
    AlignmentRow,
    ArmRow,
    BucketRow,
    CountRow,
    DriftRow,
    HistoryRow,
    LiftRow,
    MomentsRow,
    NumberRow,
    SampleRatioRow,
    SpanRow,
    UserTotalsRow,
)
from lis_online.history.stored import Group
from lis_online.history.tables import PARTITIONED, buckets, numbers, rollups
from lis_online.history.times import to_milliseconds
from lis_online.history.writer import HistoryWriter
from lis_online.metrics.numbers import numbers as numbers_of
from lis_online.metrics.presence import Presence
from lis_online.metrics.statistics import Statistics
from lis_online.metrics.whole_run import WholeRun
from lis_online.settings import Settings
from lis_online.settings.durations import parse_duration
from tests.history.streams import AT, FIRST, LAYOUT, MINUTE, SETTINGS, TABLE, make_row, plain_state
from tests.history.test_ranges import uninterrupted, write

pytestmark = pytest.mark.postgres

QUARTER = 15 * MINUTE
HOUR = 60 * MINUTE
DAY = 24 * HOUR
WEEK = 7 * DAY
KEEP = SETTINGS.history


def prune(engine: Engine, now: int, *, dry_run: bool = False) -> list[Step]:
    """Prune as of a time."""
    return list(Pruner(engine, KEEP, now, dry_run=dry_run).run())


def total(engine: Engine) -> int:
    """Return the samples of all buckets and roll-ups."""
    with engine.connect() as connection:
        sums = (connection.execute(select(t.c.samples)).scalars().all() for t in (buckets, rollups))
        return sum(sum(one) for one in sums)


def count(engine: Engine, table: str) -> int:
    """Return a table's rows."""
    with engine.connect() as connection:
        return int(connection.execute(text(f"SELECT count(*) FROM {table}")).scalar_one())


def merged(rows: Sequence[BucketRow]) -> WholeRun:
    """Return a run over the quarter hours that buckets add up to."""
    whole = WholeRun(LAYOUT, QUARTER)
    for row in rows:
        whole.update(row.bucket_start // QUARTER * QUARTER, Statistics.decode(LAYOUT, row.data))
    return whole


@settings(max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.data_too_large])
@given(
    at=st.sets(st.integers(0, 100), min_size=1, max_size=40),
    cut=st.integers(0, 100),
    late=st.sets(st.integers(0, 100), max_size=5),
    again=st.integers(0, 100),
)
def test_rolling_up_keeps_every_sample_once_whatever_comes_late_or_again(
    history_engine: Engine, at: set[int], cut: int, late: set[int], again: int
) -> None:
    """Pruned in two goes, with buckets that come after their time and a replay of those that were merged before."""
    with history_engine.begin() as connection:
        connection.execute(text("TRUNCATE configurations CASCADE"))
    rows = {minute: make_row(AT + minute * MINUTE, minute % 5) for minute in at | late}
    group = write(history_engine, *(rows[minute] for minute in at - late))
    expected = sum(rows[minute].samples for minute in at - late)
    prune(history_engine, AT + cut * MINUTE + KEEP.keep_buckets)
    assert total(history_engine) == expected
    write(history_engine, *(rows[minute] for minute in sorted(at | late) if minute in late or minute >= again))
    everything = [rows[minute] for minute in sorted(at | late)]
    found = range_numbers(history_engine, group, AT, AT + 101 * MINUTE)
    assert found.slices["all"].samples == sum(row.samples for row in everything)
    prune(history_engine, AT + 1 * DAY + KEEP.keep_buckets)
    assert total(history_engine) == sum(row.samples for row in everything)
    assert count(history_engine, "buckets") == 0
    window = merged(everything).get()
    assert window is not None
    found = range_numbers(history_engine, group, AT, AT + 101 * MINUTE)
    assert found.slices == numbers_of(window, LAYOUT, presence=Presence(FIRST))


def test_rolled_up_time_is_exact_at_the_edges_of_roll_ups(history_engine: Engine) -> None:
    """And rounded outward to them elsewhere; newer time beside it is still exact to the minute."""
    rows = [make_row(AT + minute * MINUTE, minute) for minute in range(50)]
    group = write(history_engine, *rows)
    prune(history_engine, AT + 30 * MINUTE + KEEP.keep_buckets)
    assert (count(history_engine, "rollups"), count(history_engine, "buckets")) == (2, 20)
    [exact] = [merged(rows[15:30]).get()]
    assert exact is not None
    found = range_numbers(history_engine, group, AT + QUARTER, AT + 2 * QUARTER)
    assert (found.slices, found.longest) == (numbers_of(exact, LAYOUT, presence=Presence(FIRST)), QUARTER)
    wider = range_numbers(history_engine, group, AT + 16 * MINUTE, AT + 31 * MINUTE)
    assert wider.covered == (AT + QUARTER, AT + 31 * MINUTE)
    assert wider.slices["all"].samples == sum(row.samples for row in rows[15:31])
    newer = range_numbers(history_engine, group, AT + 31 * MINUTE, AT + 33 * MINUTE)
    assert newer.slices == uninterrupted(rows[31:33])


def test_a_roll_up_knows_the_versions_of_its_last_bucket(history_engine: Engine) -> None:
    """Also where slots of variants differ between the buckets, and where an earlier bucket comes in later."""
    both = [SlotVersion("v", "1", 0, 0, newest=False), SlotVersion("v#2", "2", AT, AT + 2 * MINUTE, newest=True)]
    rows = [make_row(AT, 0), make_row(AT + MINUTE, 1)]
    rows += [make_row(AT + k * MINUTE, k, slots=(0, 1), state=plain_state(both)) for k in (2, 3)]
    group = write(history_engine, *rows[1:])
    prune(history_engine, AT + DAY + KEEP.keep_buckets)
    write(history_engine, rows[0])
    prune(history_engine, AT + DAY + KEEP.keep_buckets)
    found = range_numbers(history_engine, group, AT, AT + QUARTER)
    window = merged(rows).get()
    assert window is not None
    assert found.slices == numbers_of(window, LAYOUT, presence=Presence(both))
    assert found.slices["all"].variants["v"].ais.reason == "version 2 began within the window"


def test_a_slot_that_holds_nothing_takes_no_room_in_a_roll_up(history_engine: Engine) -> None:
    """Bytes of a variant's second slot are there only where a second version was."""
    rows = [make_row(AT + k * MINUTE, k) for k in range(15)]
    write(history_engine, *rows)
    prune(history_engine, AT + DAY + KEEP.keep_buckets)
    plain = Statistics(LAYOUT.take([0]))
    for row in rows:
        plain.merge(Statistics.decode(LAYOUT.take([0]), row.data))
    with history_engine.connect() as connection:
        assert connection.execute(select(rollups.c.data)).scalar_one() == plain.encode()


def number(end: int, *, window: int = 900_000) -> NumberRow:
    """Return a number's row."""
    return NumberRow(end, window, "all", "source", "coclick", "lis", 0.1, 0.1, 0.0, 0.2, None, 9, 1)


def of_experiment(end: int) -> list[HistoryRow]:
    """Return a row of each kind that is cumulative to a bucket's end."""
    return [
        ArmRow(end, "e", "a", 1, 1, 1, None, None, None, None, 0, 1),
        MomentsRow(end, "e", "a", 1, 1, 0, b"data", 1),
        LiftRow(end, "e", "b", "ctr", *[None] * 15, "no users", 1),
        SampleRatioRow(end, "e", 0.5, False, 1, None, 1),
        CountRow(end, "late", 1, 1),
    ]


def totals(start: int) -> UserTotalsRow:
    """Return users' totals of a quarter hour."""
    return UserTotalsRow(start, start + QUARTER, "e", 0, 0, 1, b"data", start + QUARTER)


@pytest.mark.parametrize(("keep", "left"), [("14d", [3, 4]), ("500d", [0, 1, 2, 3, 4]), ("0s", [])])
def test_users_totals_go_at_their_own_age_and_all_at_once_where_none_are_kept(
    history_engine: Engine, keep: str, left: list[int]
) -> None:
    """From the weeks and the default partition alike; never later than everything else; said before, done once."""
    monday = week_of(AT)
    write(history_engine, *(totals(monday + k * WEEK) for k in (1, 2)))
    prune(history_engine, monday)
    write(history_engine, *(totals(monday + k * WEEK) for k in (0, 3, 4)), number(monday))
    under = KEEP.model_copy(update={"keep_user_totals": parse_duration(keep)})
    now = monday + 5 * WEEK
    said = [one for one in Pruner(history_engine, under, now, dry_run=True).run() if one.what == "delete"]
    done = [one for one in Pruner(history_engine, under, now).run() if one.what == "delete" and one.rows]
    assert sum(step.rows for step in said) == sum(step.rows for step in done) == 5 - len(left)
    with history_engine.connect() as connection:
        kept = connection.execute(select(user_totals.c.bucket_start).order_by("bucket_start")).scalars()
        assert [(to_milliseconds(time) - monday) // WEEK for time in kept] == left
    assert list(Pruner(history_engine, under, now).run()) == []
    assert count(history_engine, "numbers") == 1


def test_drift_events_and_notes_go_with_everything_else(history_engine: Engine) -> None:
    """A table that is not partitioned is bounded too."""
    end = AT + KEEP.keep_rollups
    levels = (0.2, 0.1, 0.3, 0.1, 0.0, 0.2)
    rows = [DriftRow(t, "variant", "v", "ais", "all", 1, t, None, *levels, "data", "It.", "d", 1) for t in (AT - 1, AT)]
    write(history_engine, *rows)
    with history_engine.begin() as connection:
        for time in (AT - 1, AT):
            annotate(connection, Annotation(time, None, "deploy"))
    gone = [(step.table, step.rows) for step in prune(history_engine, end) if step.what == "delete"]
    assert gone == [("drift_events", 1), ("annotations", 1)]
    assert count(history_engine, "drift_events") == count(history_engine, "annotations") == 1


def test_old_numbers_are_thinned_to_the_last_of_each_quarter_hour_week_by_week(history_engine: Engine) -> None:
    """Windows that end at 00:15, and at 00:29 where the feed was silent at 00:30."""
    monday = week_of(AT)
    ends = [monday + minute * MINUTE for minute in (*range(1, 30), 31, 44)]
    later = [monday + WEEK + minute * MINUTE for minute in range(1, 5)]
    write(history_engine, *(number(end) for end in (*ends, *later)))
    write(history_engine, *(row for end in ends for row in of_experiment(end)))
    steps = prune(history_engine, monday + WEEK + KEEP.keep_numbers)
    thinned = [(step.table, step.rows) for step in steps if step.what == "thin"]
    of_each = ("numbers", "arms", "moments", "lifts", "sample_ratios", "event_counts")
    assert thinned == [(table, len(ends) - 3) for table in of_each]
    with history_engine.connect() as connection:
        kept = connection.execute(select(numbers.c.bucket_end).order_by(numbers.c.bucket_end)).scalars()
        minutes = [(to_milliseconds(time) - monday) // MINUTE for time in kept]
    assert minutes == [15, 29, 44, *((end - monday) // MINUTE for end in later)]


def test_pruning_twice_has_nothing_to_do_the_second_time(history_engine: Engine) -> None:
    """A command that runs every day."""
    fill(history_engine)
    assert prune(history_engine, AT + 30 * DAY) != []
    assert prune(history_engine, AT + 30 * DAY) == []


def test_a_dry_run_says_what_a_run_then_does_and_changes_nothing(history_engine: Engine) -> None:
    """Step for step, table for table, row for row."""
    fill(history_engine)
    prune(history_engine, AT)  # rows are in their weeks: in one run, a row is moved and then merged or thinned
    before = total(history_engine), [count(history_engine, table.name) for table in PARTITIONED]
    said = prune(history_engine, AT + 30 * DAY, dry_run=True)
    assert before == (total(history_engine), [count(history_engine, table.name) for table in PARTITIONED])
    done = [step for step in prune(history_engine, AT + 30 * DAY) if step.rows]
    assert {(step.what, step.table, step.rows) for step in said} == {(s.what, s.table, s.rows) for s in done}


def test_a_prune_that_is_stopped_after_any_step_is_finished_by_the_next(
    history_engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The failure double ends the run in the middle of a stretch, after its roll-up was written."""
    rows = [make_row(AT + minute * MINUTE, minute % 5) for minute in range(45)]
    group = write(history_engine, *rows)
    real, seen = rollup.roll_up, []

    def stop(*arguments: object) -> rollup.Rolled:
        done = real(*arguments)  # type: ignore[arg-type]
        seen.append(done)
        if len(seen) == 2:
            raise HistoryError("stopped", transient=True)
        return done

    monkeypatch.setattr(rollup, "roll_up", stop)
    with pytest.raises(HistoryError, match="stopped"):
        prune(history_engine, AT + DAY + KEEP.keep_buckets)
    assert (count(history_engine, "rollups"), count(history_engine, "buckets")) == (1, 30)
    assert total(history_engine) == sum(row.samples for row in rows)
    monkeypatch.undo()
    prune(history_engine, AT + DAY + KEEP.keep_buckets)
    assert total(history_engine) == sum(row.samples for row in rows)
    assert range_numbers(history_engine, group, AT, AT + HOUR).buckets == 3


def test_what_is_older_than_everything_kept_goes_week_by_week(history_engine: Engine) -> None:
    """Whole weeks as partitions, older rows of the default one by themselves."""
    fill(history_engine)
    prune(history_engine, AT)
    monday = week_of(AT)
    write(history_engine, number(monday - 3 * WEEK))
    gone = prune(history_engine, monday + WEEK + KEEP.keep_rollups)
    assert count(history_engine, "numbers") == count(history_engine, "buckets") == count(history_engine, "rollups") == 0
    assert {step.what for step in gone} == {"delete"}
    assert ("numbers", 1, "before 2019-11-18") in [(step.table, step.rows, step.detail) for step in gone]


def test_rows_come_into_the_weeks_that_were_made_ahead(history_engine: Engine) -> None:
    """After a prune the default partitions are empty and stay so; before it they hold everything."""
    fill(history_engine)
    assert count(history_engine, "numbers_default") > 0
    prune(history_engine, AT)
    assert [count(history_engine, f"{table.name}_default") for table in PARTITIONED] == [0] * len(PARTITIONED)
    write(history_engine, number(AT + 4 * WEEK))
    assert count(history_engine, "numbers_default") == 0
    with history_engine.connect() as connection:
        for table in PARTITIONED:
            assert [one.start for one in partitions(connection, table)][-5:] == [
                week_of(AT) + k * WEEK for k in range(5)
            ]


def test_an_upsert_finds_its_row_wherever_it_is(history_engine: Engine) -> None:
    """The natural key and the revision rule hold in the default partition and in a week alike."""
    writer = HistoryWriter(history_engine, SETTINGS)
    writer.write([number(AT)])
    prune(history_engine, AT)
    writer.write([number(AT)])
    assert count(history_engine, "numbers") == 1


def test_configurations_and_groups_are_rolled_up_apart(history_engine: Engine) -> None:
    """Statistics of different settings or groups are never summed."""
    other = Settings.of({**TABLE, "leakage": {"folds": 4}})
    write(history_engine, make_row(AT, 1), make_row(AT, 2, group=1))
    write(history_engine, make_row(AT, 3), under=other)
    prune(history_engine, AT + DAY + KEEP.keep_buckets)
    with history_engine.connect() as connection:
        query = select(rollups.c.samples).order_by(rollups.c.configuration_id, rollups.c.group)
        assert connection.execute(query).scalars().all() == [make_row(AT, seed).samples for seed in (1, 2, 3)]


def fill(engine: Engine) -> Group:
    """Write an hour of rows of every kind."""
    rows: list[HistoryRow] = []
    for minute in range(60):
        end = AT + (minute + 1) * MINUTE
        rows += [make_row(end - MINUTE, minute % 5), number(end), AlignmentRow(end - MINUTE, end, 0, b"a", 1)]
        rows += [*of_experiment(end), totals(end), SpanRow(end - MINUTE, end, 0, 16, 1, b"data", b"digest", 1)]
    return write(engine, *rows)
