"""The schema's version: one head, reached from nothing, equal to the models."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Engine, Table, inspect, select, text

from lis_online.errors import HistoryError
from lis_online.history import schema, tables
from lis_online.history.partitions import partitions
from lis_online.history.ranges import range_numbers
from lis_online.history.retention import Pruner
from lis_online.history.rows import ArmRow, DiagnosisRow, NumberRow, SpanRow
from lis_online.history.stored import Group
from lis_online.history.tables import metadata
from lis_online.history.upsert import upsert
from lis_online.history.writer import HistoryWriter
from lis_online.settings import Settings
from tests.history.streams import AT, SETTINGS, make_row

pytestmark = pytest.mark.postgres


def run(engine: Engine, *statements: str) -> None:
    """Run statements by hand, as somebody with psql would."""
    with engine.begin() as connection:
        for statement in statements:
            connection.execute(text(statement))


def test_upgrade_on_an_empty_database_passes_the_check(empty_database: Engine) -> None:
    """What the migrations build is what the code needs."""
    schema.upgrade(empty_database)
    schema.check(empty_database)
    assert set(metadata.tables) < set(inspect(empty_database).get_table_names())


def test_autogenerate_finds_no_difference_in_either_direction(history_engine: Engine) -> None:
    """Compared without the filter for other people's tables, so that a forgotten table shows too."""

    def is_no_partition(name: str | None, kind: str, parents: object) -> bool:
        return kind != "table" or name is None or not name.endswith("_default")

    with history_engine.connect() as connection:
        options = {"compare_type": True, "compare_server_default": True, "version_table": schema.VERSION_TABLE}
        context = MigrationContext.configure(connection, opts={**options, "include_name": is_no_partition})
        assert compare_metadata(context, metadata) == []


def constraints(engine: Engine) -> list[tuple[str, str]]:
    """Return name and definition of each constraint that is no partition's, as PostgreSQL has them."""
    with engine.connect() as connection:
        query = (
            "SELECT conname, pg_get_constraintdef(c.oid) FROM pg_constraint c JOIN pg_class t ON t.oid = conrelid "
            "WHERE connamespace = 'public'::regnamespace AND NOT t.relispartition"
        )
        ours = [tuple(row) for row in connection.execute(text(query)) if schema.VERSION_TABLE not in row.conname]
    return sorted(ours)


def test_the_migrations_make_the_same_constraints_as_the_models(history_engine: Engine, postgres_url: str) -> None:
    """Alembic's comparison does not see CHECK constraints and keys; PostgreSQL's own catalogue does."""
    migrated = constraints(history_engine)
    schema.downgrade(history_engine, "base")
    metadata.create_all(history_engine)
    assert migrated == constraints(history_engine)


def test_downgrade_to_base_leaves_no_table_and_can_be_upgraded_again(history_engine: Engine) -> None:
    """A migration can be taken back."""
    schema.downgrade(history_engine, "base")
    assert set(inspect(history_engine).get_table_names()) <= {schema.VERSION_TABLE}
    schema.upgrade(history_engine)
    schema.check(history_engine)


OLD_UPSERT = """
INSERT INTO numbers (configuration_id, bucket_end, window_ms, slice, kind, subject, number,
                     value, stderr, lower, upper, reason, samples, revision)
VALUES (1, '2019-11-12T00:00:00Z', 900000, 'all', 'variant', 'title', 'ais', {0}, 0.1, 0.0, 1.0, NULL, 10, {0})
ON CONFLICT (configuration_id, kind, subject, window_ms, slice, number, bucket_end)
DO UPDATE SET value = excluded.value, samples = excluded.samples, revision = excluded.revision
WHERE numbers.revision <= excluded.revision
"""
"""What code of revision 0001 sends."""
CONFIGURE = "INSERT INTO configurations (fingerprint, settings) VALUES ('x', '{}')"


def test_code_of_the_revision_before_writes_on_after_the_upgrade(empty_database: Engine) -> None:
    """A deploy upgrades first and replaces the workers then: until the last one ends, both write."""
    schema.upgrade(empty_database, "0001")
    run(empty_database, CONFIGURE, OLD_UPSERT.format(1))
    schema.upgrade(empty_database)
    run(empty_database, OLD_UPSERT.format(2), OLD_UPSERT.format(1))
    with empty_database.connect() as connection:
        rows = connection.execute(text("SELECT value, version, samples_to_resolve, learning_noise FROM numbers"))
        assert [tuple(row) for row in rows] == [(2.0, "", None, None)]


class OldBucketRow(msgspec.Struct, array_like=True):
    """A bucket's row as code of revision 0002 has it."""

    bucket_start: int
    bucket_end: int
    group: int
    samples: int
    data: bytes
    revision: int


def old_rows(revision: int) -> dict[Table, list[Any]]:
    """Return rows of every table that code of 0002 writes, over a year, with its columns."""
    days = [AT + day * 86_400_000 for day in (0, 1, 6, 7, 8, 200, 365)]
    return {
        tables.buckets: [OldBucketRow(at, at + 60_000, 0, 9, b"data", revision) for at in days],
        tables.numbers: [
            NumberRow(at, 0, "all", "source", "c", "lis", float(revision), 0.1, 0.0, 1.0, None, 9, revision)
            for at in days
        ],
        tables.diagnoses: [DiagnosisRow(at, 0, "all", "v", "aligned", "Keep it.", revision) for at in days],
        tables.arms: [ArmRow(at, "e", "a", 1, 2, 3, None, None, None, None, 0, revision) for at in days],
    }


def write_old(engine: Engine, revision: int) -> None:
    """Write rows as code of 0002 does: the same COPY and upsert, with its columns."""
    with engine.begin() as connection:
        for table, rows in old_rows(revision).items():
            upsert(connection, table, 1, rows)


def contents(engine: Engine) -> dict[str, list[tuple[Any, ...]]]:
    """Return all that code of 0002 knows."""
    with engine.connect() as connection:
        found = {}
        for table in (tables.numbers, tables.diagnoses, tables.arms, tables.buckets):
            columns = [column for column in table.c if column.name != "state"]
            found[table.name] = [tuple(row) for row in connection.execute(select(*columns).order_by(*columns))]
        return found


def prune(engine: Engine, now: int) -> None:
    """Move rows into weeks; nothing is old enough for more."""
    list(Pruner(engine, Settings.of({}).history, now).run())


@pytest.mark.parametrize("pruned", [False, True], ids=["in the default partitions", "in weeks"])
def test_a_filled_history_goes_up_and_down_without_losing_a_row(empty_database: Engine, pruned: bool) -> None:
    """Row for row, whether its rows are in the default partitions or in their weeks; constraints come back as well."""
    schema.upgrade(empty_database, "0002")
    before = constraints(empty_database)
    run(empty_database, CONFIGURE)
    write_old(empty_database, 1)
    known = contents(empty_database)
    schema.upgrade(empty_database)
    assert contents(empty_database) == known
    if pruned:
        prune(empty_database, AT)
        with empty_database.connect() as connection:
            assert len(partitions(connection, tables.numbers)) == 5 + 2
        assert contents(empty_database) == known
    schema.downgrade(empty_database, "0002")
    assert contents(empty_database) == known
    assert constraints(empty_database) == before
    write_old(empty_database, 2)
    schema.upgrade(empty_database)
    schema.check(empty_database)
    assert {row[-1] for row in contents(empty_database)["arms"]} == {2}


def test_code_of_0002_writes_on_beside_this_one_and_revisions_hold(empty_database: Engine) -> None:
    """Two schema versions' code at once: into the default partitions, and into weeks once they were made."""
    schema.upgrade(empty_database)
    run(empty_database, CONFIGURE)
    write_old(empty_database, 5)
    prune(empty_database, AT)
    known = contents(empty_database)
    write_old(empty_database, 4)
    assert contents(empty_database) == known, "an earlier revision replaced a later one"
    write_old(empty_database, 6)
    changed = contents(empty_database)
    assert [len(rows) for rows in changed.values()] == [len(rows) for rows in known.values()]
    assert {row[7] for row in changed["numbers"]} == {6.0}


def test_code_of_0003_writes_on_beside_this_one_and_keeps_its_rows_on_the_way_down(history_engine: Engine) -> None:
    """It knows no spans and no notes: its buckets are read without the ones, its configurations are live."""
    configure = "INSERT INTO configurations (fingerprint, settings) VALUES ('x', '{}') ON CONFLICT DO NOTHING"
    run(history_engine, configure)
    with history_engine.begin() as connection:
        upsert(connection, tables.buckets, 1, [make_row(AT, 1)])
        upsert(connection, tables.spans, 1, [SpanRow(AT, AT + 60_000, 0, 16, 9, b"data", b"digest", 1)])
    run(history_engine, configure)
    known = contents(history_engine)
    schema.downgrade(history_engine, "0003")
    assert contents(history_engine) == known
    with history_engine.connect() as connection:
        assert connection.execute(text("SELECT configuration, fingerprint FROM lis_configurations")).all() == [(1, "x")]
    schema.upgrade(history_engine)
    schema.check(history_engine)
    with history_engine.connect() as connection:
        assert connection.execute(text("SELECT note FROM lis_configurations")).scalar_one() is None


def test_roll_ups_go_down_as_longer_buckets_and_are_rolled_up_again(history_engine: Engine) -> None:
    """Their samples are the same before, between and after, and a range's numbers too."""
    rows = [make_row(AT + minute * 60_000, minute % 5) for minute in range(40)]
    HistoryWriter(history_engine, SETTINGS).write(rows)
    late = AT + 30 * 60_000 + SETTINGS.history.keep_buckets
    prune(history_engine, late)
    group = Group(1)
    known = range_numbers(history_engine, group, AT, AT + 3_600_000)
    schema.downgrade(history_engine, "0002")
    assert [row[3] - row[2] for row in contents(history_engine)["buckets"]][:3] == [
        timedelta(minutes=15), timedelta(minutes=15), timedelta(minutes=1),
    ]  # fmt: skip
    assert sum(row[4] for row in contents(history_engine)["buckets"]) == sum(row.samples for row in rows)
    schema.upgrade(history_engine)
    prune(history_engine, late)
    HistoryWriter(history_engine, SETTINGS).write(rows[:30])  # a replay of what is in them
    found = range_numbers(history_engine, group, AT, AT + 3_600_000)
    assert {name: one.sources for name, one in found.slices.items()} == {
        name: one.sources for name, one in known.slices.items()
    }
    assert found.state is None, "which versions there were is what 0002 has no column for"


def test_a_filled_history_keeps_what_the_revision_before_knows_on_the_way_down(history_engine: Engine) -> None:
    """Up and down again loses nothing that code of 0001 wrote; what it cannot read goes."""
    run(history_engine, CONFIGURE, OLD_UPSERT.format(1), OLD_UPSERT.format(1).replace("'title'", "'title@1'"))
    run(history_engine, OLD_UPSERT.format(1).replace("900000", "-1"))
    diagnosis = "INSERT INTO diagnoses VALUES (1, '{}', {}, 'all', '2019-11-12T00:00:00Z', 'aligned', 'Keep it.', 1)"
    run(history_engine, *(diagnosis.format(*key) for key in (("title", 0), ("title@1", 0), ("title", -1))))
    schema.downgrade(history_engine, "0001")
    with history_engine.connect() as connection:
        kept = connection.execute(text("SELECT subject, window_ms, value FROM numbers")).all()
        judged = connection.execute(text("SELECT variant, window_ms FROM diagnoses")).all()
    assert [tuple(row) for row in (*kept, *judged)] == [("title", 900_000, 1.0), ("title", 0)]
    schema.upgrade(history_engine)
    schema.check(history_engine)


def test_upgrade_twice_changes_nothing(history_engine: Engine) -> None:
    """A deployment may run it every time."""
    schema.upgrade(history_engine)
    schema.check(history_engine)


def test_two_upgrades_at_once_both_succeed(empty_database: Engine) -> None:
    """Several workers of one deployment start together."""
    failures: list[BaseException] = []

    def work(action: Callable[[Engine], None]) -> None:
        try:
            action(empty_database)
        except BaseException as exc:
            failures.append(exc)

    threads = [threading.Thread(target=work, args=(schema.upgrade,)) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    schema.check(empty_database)


def test_check_of_an_empty_database_names_the_command(empty_database: Engine) -> None:
    """A database that was never upgraded is not at head."""
    with pytest.raises(HistoryError, match=r"is at no revision, this code needs 0006: run `lis-online db upgrade`"):
        schema.check(empty_database)


def test_check_of_another_revision_names_both(history_engine: Engine) -> None:
    """A database of a newer code is not touched by an older one."""
    run(history_engine, f"UPDATE {schema.VERSION_TABLE} SET version_num = '9999'")
    with pytest.raises(HistoryError, match="is at 9999, this code needs 0006"):
        schema.check(history_engine)


@pytest.mark.parametrize(
    ("statement", "named"),
    [
        ("ALTER TABLE numbers ADD COLUMN unit text", "remove_column numbers.unit"),
        ("ALTER TABLE arms DROP COLUMN clicks CASCADE", "add_column arms.clicks"),
        ("ALTER TABLE arms ALTER COLUMN revision TYPE integer", "modify_type arms.revision"),
        ("ALTER TABLE diagnoses ALTER COLUMN sentence DROP NOT NULL", "modify_nullable diagnoses.sentence"),
        ("DROP TABLE buckets CASCADE", "add_table buckets"),
    ],
)
def test_check_names_what_was_changed_by_hand(history_engine: Engine, statement: str, named: str) -> None:
    """Models and migrations that differ are an error that says where."""
    run(history_engine, statement)
    with pytest.raises(HistoryError, match=f"differs from the models of this code: {named}"):
        schema.check(history_engine)


def test_another_projects_tables_in_the_database_do_not_matter(history_engine: Engine) -> None:
    """A shared database is common; its other tables, and its own Alembic, are not ours to judge."""
    run(history_engine, "CREATE TABLE alembic_version (version_num text)", "CREATE TABLE orders (id int)")
    schema.check(history_engine)


def test_a_migration_that_fails_leaves_nothing_behind(empty_database: Engine) -> None:
    """All or nothing: a table that is in the way stops the whole upgrade."""
    run(empty_database, "CREATE TABLE numbers (x int)")
    with pytest.raises(HistoryError, match="numbers"):
        schema.upgrade(empty_database)
    assert inspect(empty_database).get_table_names() == ["numbers"]
