"""Every query that the code sends uses an index, in each partition that it reads."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import pytest
from sqlalchemy import Engine, event, text

from lis_online.experiments import stored_moments
from lis_online.history.configuration import find_configuration
from lis_online.history.counts import counts_between
from lis_online.history.experiments import moments_at, moments_over_time, user_totals
from lis_online.history.queries import Selection, read, why_empty
from lis_online.history.ranges import range_numbers
from lis_online.history.retention import Pruner
from lis_online.history.rows import AlignmentRow, CountRow, HistoryRow, MomentsRow, SpanRow
from lis_online.history.stored import Group
from lis_online.history.tables import PARTITIONED
from lis_online.history.writer import HistoryWriter
from lis_online.metrics import alignment
from lis_online.settings import Settings
from tests.history.streams import AT, MINUTE, SETTINGS, TABLE, make_row
from tests.history.test_experiments import COLUMNS, arm, totals_row
from tests.history.test_queries import rows_of_bucket

pytestmark = pytest.mark.postgres

ARMS = [{"name": name, "share": 0.25} for name in "abcd"]
UNDER = Settings.of({**TABLE, "experiment": [{"name": "e", "control": "a", "arm": ARMS}]})
HOUR = 60 * MINUTE
DAY = 1440 * MINUTE
TINY = 100
"""Rows of a partition that is read as fast without an index."""
BIG = tuple(table.name for table in PARTITIONED)
"""Tables that grow with time; configurations do not."""


SERIES = """
INSERT INTO rollups SELECT configuration_id, "group", t, t + interval '15 min', samples, data, revision, state, ARRAY[t]
FROM buckets, generate_series('2019-11-13'::timestamptz, '2019-11-24 23:45', '15 min') t;
INSERT INTO buckets SELECT configuration_id, "group", t, t + interval '1 min', samples, data, revision, state
FROM buckets, generate_series('2019-11-25'::timestamptz, '2019-11-26 12:00', '1 min') t;
INSERT INTO alignments SELECT configuration_id, "group", t, t + interval '1 min', data, revision
FROM alignments, generate_series('2019-11-13'::timestamptz, '2019-11-26 12:00', '5 min') t;
INSERT INTO numbers
SELECT configuration_id, kind, subject, w, s, number, t, value, stderr, lower, upper, reason, samples, revision
FROM numbers, generate_series('2019-11-13'::timestamptz, '2019-11-26', '1 h') t,
     unnest(ARRAY[900000, 3600000, 0, -1]) w, unnest(ARRAY['all', 'surface:feed', 'surface:other']) s;
INSERT INTO diagnoses SELECT configuration_id, variant, w, s, t, diagnosis, sentence, revision
FROM diagnoses, generate_series('2019-11-13'::timestamptz, '2019-11-26', '15 min') t,
     unnest(ARRAY[900000, 3600000, 0, -1]) w, unnest(ARRAY['all', 'surface:feed', 'surface:other']) s;
INSERT INTO spans (configuration_id, "group", level, bucket_start, bucket_end, samples, data, members, revision)
SELECT configuration_id, "group", level, t, t + interval '16 min', samples, data, members, revision
FROM spans, generate_series('2019-11-25 00:16'::timestamptz, '2019-11-26 12:00', '16 min') t;
INSERT INTO moments SELECT configuration_id, e, a, t, users, assigned, crossed, data, revision
FROM moments, generate_series('2019-11-13'::timestamptz, '2019-11-26', '15 min') t,
     unnest(ARRAY['e', 'f']) e, unnest(ARRAY['a', 'b', 'c', 'd']) a;
INSERT INTO event_counts SELECT configuration_id, f, t, records, revision
FROM event_counts, generate_series('2019-11-13'::timestamptz, '2019-11-26', '15 min') t,
     unnest(ARRAY['accepted', 'duplicate', 'malformed', 'late_feedback', 'unattributed', 'tombstone']) f;
INSERT INTO user_totals SELECT configuration_id, e, t, s, 0, t + interval '15 min', users, data, revision
FROM user_totals, generate_series('2019-11-13'::timestamptz, '2019-11-26', '15 min') t,
     unnest(ARRAY['e', 'f']) e, generate_series(0, 3) s
"""
"""Two weeks of everything, made of the first row of each kind."""


@pytest.fixture
def filled(history_engine: Engine) -> Engine:
    """Return a history of many thousand rows in the partitions of three weeks, with statistics for the planner."""
    rows: list[HistoryRow] = [make_row(AT, 1), AlignmentRow(AT, AT + MINUTE, 0, alignment.encode({}), 1)]
    for row in rows_of_bucket(AT):
        changes = {"subject": "v"} if getattr(row, "subject", "") == "title" else {}
        changes |= {"variant": "v"} if hasattr(row, "variant") else {}
        rows.append(msgspec.structs.replace(row, **changes))
    rows += [SpanRow(AT, AT + 16 * MINUTE, 0, 16, 1, bytes(1500), b"digest", 1)]
    HistoryWriter(history_engine, SETTINGS).write(rows)
    rows = [MomentsRow(AT, "e", "a", 1, 1, 0, stored_moments.encode(COLUMNS, arm("a", 1)), 1), totals_row(0, 0, 0)]
    rows += [CountRow(AT, "accepted", 1, 1)]
    HistoryWriter(history_engine, UNDER).write(rows)
    list(Pruner(history_engine, SETTINGS.history, AT).run())
    with history_engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        for statement in SERIES.split(";"):
            connection.execute(text(statement))
        connection.execute(text("ANALYZE"))
    return history_engine


def plans(engine: Engine, action: Callable[[], object]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield each query that an action sends, and its plan."""
    sent: list[tuple[str, Any]] = []

    def keep(_c: object, _cursor: object, statement: str, parameters: Any, *_rest: object) -> None:
        sent.append((statement, parameters))

    event.listen(engine, "before_cursor_execute", keep)
    try:
        action()
    finally:
        event.remove(engine, "before_cursor_execute", keep)
    with engine.connect() as connection:
        for statement, parameters in sent:
            if statement.lstrip().startswith(("SELECT", "WITH", "DELETE", "UPDATE")):
                explained = connection.exec_driver_sql(f"EXPLAIN (FORMAT JSON) {statement}", parameters).scalar_one()
                [found] = explained if isinstance(explained, list) else json.loads(explained)
                yield statement, found["Plan"]


def scans(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the nodes of a plan that read a table."""
    if "Relation Name" in plan:
        yield plan
    for below in plan.get("Plans", []):
        yield from scans(below)


def group_of(engine: Engine) -> Group:
    """Return the group that has buckets."""
    with engine.connect() as connection:
        return Group(connection.execute(text("SELECT min(id) FROM configurations")).scalar_one())


def ask_points(engine: Engine) -> None:
    """Ask for a variant's windows in a few hours of the second and of the third week."""
    with engine.connect() as connection:
        assert read(connection, Selection("v", AT + 8 * DAY, AT + 8 * DAY + 4 * HOUR))
        assert read(connection, Selection("v", AT + 13 * DAY, AT + 13 * DAY + 4 * HOUR, window_ms=900_000))


def ask_why_empty(engine: Engine) -> None:
    """Ask what there is."""
    with engine.connect() as connection:
        assert "2019-11-12" in why_empty(connection, Selection("v", AT + 100 * DAY))


def ask_range(engine: Engine) -> None:
    """Ask for two hours in rolled-up time, and for a quarter of one in newer time."""
    assert range_numbers(engine, group_of(engine), AT + 2 * DAY, AT + 2 * DAY + 2 * HOUR).buckets == 8
    assert range_numbers(engine, group_of(engine), AT + 13 * DAY, AT + 13 * DAY + HOUR // 4).buckets == 15


def ask_experiment(engine: Engine) -> None:
    """Ask for an experiment's moments as of a time and over a day, and for what users did in an hour."""
    with engine.connect() as connection:
        configuration = find_configuration(connection, UNDER)
        assert configuration is not None
        assert moments_at(connection, configuration, "e", AT + 10 * DAY)
        assert len(moments_over_time(connection, configuration, "e", AT + 9 * DAY, AT + 10 * DAY, 8)) == 8
        assert len(list(user_totals(connection, configuration, "e", AT + 9 * DAY, AT + 9 * DAY + HOUR))) == 4


def ask_counts(engine: Engine) -> None:
    """Ask for the records of a day."""
    with engine.connect() as connection:
        configuration = find_configuration(connection, UNDER)
        assert configuration is not None and counts_between(connection, configuration, AT + 9 * DAY, AT + 10 * DAY)


def test_no_query_reads_a_table_from_end_to_end(filled: Engine) -> None:
    """A plan names the key's index for each partition; tiny ones may be read as they are."""
    with filled.connect() as connection:
        query = "SELECT relname, reltuples FROM pg_class WHERE relkind = 'r'"
        rows = {row.relname: row.reltuples for row in connection.execute(text(query))}
    for ask in (ask_points, ask_why_empty, ask_range, ask_experiment, ask_counts):
        read_tables = set()
        for statement, plan in plans(filled, lambda ask=ask: ask(filled)):  # type: ignore[misc]
            for node in scans(plan):
                table = node["Relation Name"]
                if table.rsplit("_", 1)[0] not in BIG or rows[table] < TINY:
                    continue
                read_tables.add(table)
                assert node["Node Type"] in ("Index Scan", "Index Only Scan", "Bitmap Heap Scan"), (statement, node)
                assert node.get("Index Name", "_pkey").endswith("_pkey"), (statement, node)
        assert read_tables
    tables = {
        node["Relation Name"]
        for statement, plan in plans(filled, lambda: ask_points(filled))
        for node in scans(plan)
        if "numbers" in statement and "bucket_end >" in statement
    }
    assert {name for name in tables if name.startswith("numbers_2")} == {"numbers_20191118", "numbers_20191125"}, (
        "time must prune partitions: a year of history does not slow a question about an hour down"
    )
