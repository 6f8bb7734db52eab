"""Roles of the database: one that owns the tables, one that writes rows, and those who read."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Connection, Engine, text

from lis_online.errors import UsageError
from lis_online.history.engine import transaction
from lis_online.history.schema import VERSION_TABLE
from lis_online.history.tables import metadata

LONGEST_NAME: Final = 63
"""Bytes of a PostgreSQL name; a longer one would be cut."""


def grant_writer(engine: Engine, name: str) -> None:
    """Let a role write rows: what `worker publish`, `backfill`, `annotate` and `forget` need, and no more.

    It inserts, updates and reads the history's rows. It deletes none, makes and drops no table, so `db upgrade` and
    `db prune` stay with the role that owns them. The role is made, able to log in and without a password, where there
    is none. Raises UsageError on a name that PostgreSQL would cut, HistoryError where the database's user may not do
    this.
    """
    with transaction(engine) as connection:
        role = login_role(connection, name)
        run = connection.exec_driver_sql
        run(f"GRANT USAGE ON SCHEMA public TO {role}")
        run(f"GRANT SELECT, INSERT, UPDATE ON {tables()} TO {role}")
        run(f"GRANT SELECT ON {VERSION_TABLE} TO {role}")
        temporary = "SELECT has_database_privilege(:name, current_database(), 'TEMPORARY')"
        if not connection.execute(text(temporary), {"name": name}).scalar_one():  # rows come through a temporary table
            database = _quoted(connection, str(connection.execute(text("SELECT current_database()")).scalar_one()))
            run(f"GRANT TEMPORARY ON DATABASE {database} TO {role}")


def tables() -> str:
    """Return the history's tables, as a GRANT lists them; a partition is reached through its table."""
    return ", ".join(sorted(metadata.tables))


def login_role(connection: Connection, name: str, settings: tuple[str, ...] = ()) -> str:
    """Return a role's name as SQL has it; make it where there is none, with its settings (`statement_timeout = '60s'`).

    One that is there keeps its own ways. Raises UsageError on a name that PostgreSQL would cut.
    """
    if not name or len(name.encode()) > LONGEST_NAME or "\x00" in name:
        raise UsageError(f"NAME must have 1 to {LONGEST_NAME} bytes, got {name!r}")
    role = _quoted(connection, name)
    known = connection.execute(text("SELECT FROM pg_roles WHERE rolname = :name"), {"name": name}).one_or_none()
    if known is None:
        connection.exec_driver_sql(f"CREATE ROLE {role} LOGIN")
        for setting in settings:
            connection.exec_driver_sql(f"ALTER ROLE {role} SET {setting}")
    return role


def _quoted(connection: Connection, name: str) -> str:
    return connection.dialect.identifier_preparer.quote_identifier(name)  # doubles % too
