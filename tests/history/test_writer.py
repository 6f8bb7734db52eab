"""The writer: upserts with a revision, whole or not at all, and what its errors mean."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, select, text

from lis_online.errors import HistoryError
from lis_online.history.engine import build_engine
from lis_online.history.rows import (
    KEYS,
    AlignmentRow,
    ArmRow,
    BucketRow,
    CountRow,
    DiagnosisRow,
    DriftRow,
    HistoryRow,
    LiftRow,
    MomentsRow,
    NumberRow,
    SampleRatioRow,
    SpanRow,
    UserTotalsRow,
)
from lis_online.history.tables import CONFIGURATION, TABLES, configurations, metadata
from lis_online.history.times import to_milliseconds
from lis_online.history.upsert import FEW
from lis_online.history.writer import HistoryWriter
from lis_online.settings import Settings

pytestmark = pytest.mark.postgres

PLAIN = Settings.of({})
AT = 1_573_516_800_000


def number(value: float | None = 0.01, *, end: int = AT, revision: int = 1, **changes: Any) -> NumberRow:
    """Return a number's row, valid where nothing else is asked for."""
    reason = None if value is not None else "no samples"
    row = NumberRow(end, 900_000, "all", "source", "coclick", "lis", value, 0.001, 0.008, 0.012, reason, 10, revision)
    return msgspec.structs.replace(row, **changes)


EVERY_KIND: list[HistoryRow] = [
    number(),
    DiagnosisRow(AT, 900_000, "all", "title", "aligned", "Keep it; \\ and \t and ' are text.", 1),
    ArmRow(AT, "mllm-q4", "treatment", 10, 200, 20, 0.1, 0.01, 0.08, 0.12, 1, 1),
    BucketRow(AT - 60_000, AT, 0, 512, bytes(range(256)), 1, b"\x00state"),
    BucketRow(AT - 120_000, AT - 60_000, 0, 512, b"of a release that kept no state", 1),
    AlignmentRow(AT, AT + 60_000, 0, bytes(range(256)), 1),
    SpanRow(AT, AT + 960_000, 0, 16, 8192, bytes(range(256)), b"\x00digest", 1),
    MomentsRow(AT, "mllm-q4", "treatment", 10, 12, 2, bytes(range(256)), 1),
    LiftRow(
        AT, "mllm-q4", "treatment", "ctr", 0.11, 0.1, 0.1, 0.01, 0.07, 0.13, 0.08, 0.12, 0.01, 0.007, 0.013, 1e-4,
        2e-4, "holds", 4000, None, 1,
    ),
    LiftRow(AT, "mllm-q4", "treatment", "dwell", *[None] * 15, "no users", 1),
    SampleRatioRow(AT, "mllm-q4", 0.5, False, 24, None, 1),
    SampleRatioRow(AT + 1, "mllm-q4", None, False, 0, "no users", 1),
    CountRow(AT, "late", 7, 1),
    UserTotalsRow(AT - 900_000, AT, "mllm-q4", 0, 1, 20_000, bytes(range(256)), AT),
    DriftRow(
        AT, "variant", "title", "adjusted_ais", "all", 900_000, AT + 1, None, 0.02, 0.01, 0.03, 0.01, 0.0, 0.02,
        "representation", "It fell.", "page-hinkley", 1,
    ),
    DriftRow(
        AT, "source", "coclick", "coverage", "all", 900_000, AT + 1, AT + 2, 0.9, None, None, None, None, None,
        "data", "It fell.", "page-hinkley", 1,
    ),
]  # fmt: skip


def stored(engine: Engine) -> list[HistoryRow]:
    """Return all rows as they came, whatever their configuration."""
    rows: list[HistoryRow] = []
    with engine.connect() as connection:
        for kind, table in TABLES.items():
            columns = [table.c[field.name] for field in msgspec.structs.fields(kind)]
            for values in connection.execute(select(*columns).order_by(*columns[:3])):
                rows.append(kind(*(to_milliseconds(v) if hasattr(v, "tzinfo") else v for v in values)))
    return rows


def test_every_kind_of_row_comes_back_as_it_was_written(history_engine: Engine) -> None:
    """Times, texts with special characters, bytes and empty numbers survive the way through COPY."""
    rows = [*EVERY_KIND, number(None, end=AT + 1, stderr=None, lower=None, upper=None)]
    HistoryWriter(history_engine, PLAIN).write(rows)
    assert sorted(map(repr, stored(history_engine))) == sorted(map(repr, rows))


def test_writing_twice_is_the_same_as_once(history_engine: Engine) -> None:
    """After a crash the last rows are written again."""
    writer = HistoryWriter(history_engine, PLAIN)
    writer.write(EVERY_KIND)
    once = stored(history_engine)
    writer.write(EVERY_KIND)
    assert stored(history_engine) == once


@pytest.mark.parametrize(("revision", "kept"), [(4, 0.01), (5, 0.02), (6, 0.02)])
def test_a_row_replaces_one_of_the_same_or_an_earlier_revision_only(
    history_engine: Engine, revision: int, kept: float
) -> None:
    """A worker that was thought dead must not overwrite what its successor knows better."""
    writer = HistoryWriter(history_engine, PLAIN)
    writer.write([number(0.01, revision=5)])
    writer.write([number(0.02, revision=revision)])
    assert [row.value for row in stored(history_engine)] == [kept]


def test_the_last_of_equal_revisions_in_one_call_counts(history_engine: Engine) -> None:
    """One call may hold a key twice; PostgreSQL would refuse that in one statement."""
    HistoryWriter(history_engine, PLAIN).write([number(0.01), number(0.03, revision=2), number(0.02)])
    assert [row.value for row in stored(history_engine)] == [0.03]


calls = st.lists(
    st.lists(st.builds(number, st.integers(0, 99).map(float), end=st.integers(AT, AT + 2), revision=st.integers(0, 3))),
    max_size=5,
)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(calls=calls)
def test_any_split_into_calls_keeps_the_newest_revision(history_engine: Engine, calls: list[list[NumberRow]]) -> None:
    """Oracle: a dictionary, row by row."""
    with history_engine.begin() as connection:
        connection.execute(text("TRUNCATE configurations CASCADE"))
    expected: dict[int, NumberRow] = {}
    writer = HistoryWriter(history_engine, PLAIN)
    for call in calls:
        writer.write(call)
        for row in call:
            if row.bucket_end not in expected or expected[row.bucket_end].revision <= row.revision:
                expected[row.bucket_end] = row
    assert stored(history_engine) == [expected[end] for end in sorted(expected)]


@pytest.mark.parametrize("count", [FEW, FEW + 1, 4 * FEW])
def test_many_rows_of_which_some_are_there_are_upserts_too(history_engine: Engine, count: int) -> None:
    """New ones, better ones, equal ones and older ones in one call, by statements and by COPY. Oracle: a dictionary."""
    ends = range(AT, AT + count)
    first = {end: number(0.01, end=end, revision=3) for end in ends[::2]}
    then = [number(0.02, end=end, revision=2 + k % 3) for k, end in enumerate(ends)]
    writer = HistoryWriter(history_engine, PLAIN)
    writer.write(first.values())
    writer.write(then)
    expected = [first[row.bucket_end] if row.bucket_end in first and row.revision < 3 else row for row in then]
    assert stored(history_engine) == expected


@pytest.mark.parametrize("row", EVERY_KIND, ids=lambda row: type(row).__name__)
def test_many_rows_of_every_kind_come_back_as_they_were_written(history_engine: Engine, row: HistoryRow) -> None:
    """COPY's binary form knows each column's type from its table. Written twice, they go by a temporary table."""
    key = KEYS[type(row)][0]
    rows = [msgspec.structs.replace(row, **{key: getattr(row, key) - k}) for k in range(FEW, -1, -1)]
    writer = HistoryWriter(history_engine, PLAIN)
    for _ in range(2):
        writer.write(rows)
        assert sorted(map(repr, stored(history_engine))) == sorted(map(repr, rows))


def test_a_bad_row_among_many_leaves_nothing_of_its_call(history_engine: Engine) -> None:
    """COPY stands at a savepoint: what it was refused for must end the whole call."""
    rows = [number(0.01, end=AT + k) for k in range(FEW)]
    with pytest.raises(HistoryError, match=r"refused the statement \(23514\).*value_or_reason"):
        HistoryWriter(history_engine, PLAIN).write([*EVERY_KIND, *rows, number(None, reason=None, end=AT + FEW)])
    assert stored(history_engine) == []


def test_a_bad_row_leaves_nothing_of_its_call(history_engine: Engine) -> None:
    """All rows of a bucket are there, or none."""
    with pytest.raises(HistoryError, match=r"refused the statement \(23514\).*value_or_reason") as caught:
        HistoryWriter(history_engine, PLAIN).write([*EVERY_KIND, number(None, reason=None)])
    assert not caught.value.transient
    assert stored(history_engine) == []


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_a_number_that_is_not_finite_is_refused(history_engine: Engine, value: float) -> None:
    """No data is NULL with a reason; a NaN in a table sorts above everything and poisons each average."""
    with pytest.raises(HistoryError, match="ck_numbers_value_finite"):
        HistoryWriter(history_engine, PLAIN).write([number(value)])


def test_rows_belong_to_the_configuration_they_were_made_under(history_engine: Engine) -> None:
    """Numbers of other settings are other numbers; an address is no such setting."""
    other = Settings.of({"leakage": {"folds": 4}})
    moved = Settings.of({"kafka": {"bootstrap": "elsewhere:9092"}, "history": {"url": "postgresql://x:secret@y/z"}})
    for configured in (PLAIN, other, moved):
        HistoryWriter(history_engine, configured).write([number()])
    with history_engine.connect() as connection:
        kept = connection.execute(select(configurations.c.settings).order_by("id")).scalars().all()
    assert [described["leakage"]["folds"] for described in kept] == [8, 4]
    assert len(stored(history_engine)) == 2
    assert "secret" not in repr(kept)


def test_nothing_to_write_does_not_connect() -> None:
    """An idle bucket costs nothing and cannot fail."""
    HistoryWriter(build_engine("postgresql+psycopg://127.0.0.1:1/none"), PLAIN).write([])


def test_an_unreachable_server_is_transient_and_named_without_its_password() -> None:
    """The caller retries; the log shows where, not with what."""
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
        writer = HistoryWriter(build_engine(f"postgresql://lis:secret@127.0.0.1:{port}/lis"), PLAIN)
        with pytest.raises(HistoryError, match=f"history at 127.0.0.1:{port}/lis cannot be reached") as caught:
            writer.write(EVERY_KIND)
    assert caught.value.transient
    assert "secret" not in str(caught.value)


def test_a_database_without_the_schema_is_not_transient(empty_database: Engine) -> None:
    """Trying again cannot help; the sentence says what does."""
    with pytest.raises(HistoryError, match=r"has another schema .*: run `lis-online db upgrade`") as caught:
        HistoryWriter(empty_database, PLAIN).write(EVERY_KIND)
    assert not caught.value.transient


def test_a_table_that_misses_a_column_is_not_transient(history_engine: Engine) -> None:
    """A database of an older code."""
    with history_engine.begin() as connection:
        connection.execute(text("ALTER TABLE numbers DROP COLUMN samples CASCADE"))
    with pytest.raises(HistoryError, match="db upgrade") as caught:
        HistoryWriter(history_engine, PLAIN).write(EVERY_KIND)
    assert not caught.value.transient


def test_a_connection_that_broke_between_two_calls_is_replaced(history_engine: Engine, postgres_url: str) -> None:
    """A server that was restarted overnight does not cost a bucket."""
    writer = HistoryWriter(build_engine(postgres_url), PLAIN)
    writer.write(EVERY_KIND)
    _terminate_others(history_engine)
    writer.write([number(0.5, revision=2)])
    assert stored(history_engine)[0].value == 0.5  # type: ignore[union-attr]
    writer.close()


def test_a_connection_that_breaks_in_a_call_is_transient_and_leaves_nothing(
    history_engine: Engine, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The failure double cuts the connection between two tables of one transaction."""
    from lis_online.history import writer as module

    writer = HistoryWriter(build_engine(postgres_url), PLAIN)
    upsert, seen = module.upsert, []

    def cut(connection: Any, table: Any, configuration: int, rows: Sequence[HistoryRow]) -> None:
        seen.append(table.name)
        if len(seen) == 3:
            _terminate_others(history_engine)
        upsert(connection, table, configuration, rows)

    monkeypatch.setattr(module, "upsert", cut)
    with pytest.raises(HistoryError) as caught:
        writer.write(EVERY_KIND)
    assert caught.value.transient
    assert len(seen) == 3
    assert stored(history_engine) == []
    writer.write(EVERY_KIND)
    assert len(stored(history_engine)) == len(EVERY_KIND)
    writer.close()


def _terminate_others(engine: Engine) -> None:
    query = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = current_database()"
    with engine.begin() as connection:
        connection.execute(text(f"{query} AND pid <> pg_backend_pid()"))


def test_each_kind_of_row_has_its_table_with_its_fields_and_its_key() -> None:
    """Rows and tables are written apart from each other and must agree."""
    for kind, table in TABLES.items():
        fields = {field.name for field in msgspec.structs.fields(kind)}
        assert {CONFIGURATION, *fields} == set(table.columns.keys())
        assert {CONFIGURATION, *KEYS[kind]} == set(table.primary_key.columns.keys())
    assert {table.name for table in TABLES.values()} | {
        "configurations",
        "rollups",
        "annotations",
        "forgotten_users",
    } == set(metadata.tables)
