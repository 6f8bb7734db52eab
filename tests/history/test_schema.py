"""The schema's version: one head, reached from nothing, equal to the models."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Engine, inspect, text

from lis_online.errors import HistoryError
from lis_online.history import schema
from lis_online.history.tables import metadata

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
    with pytest.raises(HistoryError, match=r"is at no revision, this code needs 0003: run `lis-online db upgrade`"):
        schema.check(empty_database)


def test_check_of_another_revision_names_both(history_engine: Engine) -> None:
    """A database of a newer code is not touched by an older one."""
    run(history_engine, f"UPDATE {schema.VERSION_TABLE} SET version_num = '9999'")
    with pytest.raises(HistoryError, match="is at 9999, this code needs 0003"):
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
