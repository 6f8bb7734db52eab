"""The schema's version: upgrade, downgrade and check, by Alembic alone."""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, text

import lis_online
from lis_online.errors import HistoryError, SettingsError
from lis_online.history.engine import address, build_engine, transaction
from lis_online.history.tables import metadata
from lis_online.settings import load

VERSION_TABLE = "lis_schema_version"  # its own name: a database that is shared may have another Alembic in it
UPGRADE_LOCK = 0x6C69735F  # "lis_": two upgrades at once wait for each other


def scripts() -> Path:
    """Return the folder of the migrations: inside an installed package, beside it in a checkout."""
    package = Path(lis_online.__file__).parent
    installed = package / "_migrations"
    return installed if installed.is_dir() else package.parent / "migrations"


def upgrade(engine: Engine, revision: str = "head") -> None:
    """Bring the database to a revision, in one transaction; at it already, nothing changes.

    Raises HistoryError.
    """
    with transaction(engine) as connection:
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": UPGRADE_LOCK})
        connection.execute(text("SET LOCAL statement_timeout = 0"))  # an index on a large table takes its time
        command.upgrade(_config(connection), revision)


def downgrade(engine: Engine, revision: str) -> None:
    """Take the database back to an earlier revision ("base": nothing is left). Raises HistoryError."""
    with transaction(engine) as connection:
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": UPGRADE_LOCK})
        command.downgrade(_config(connection), revision)


def check(engine: Engine) -> None:
    """Return when the database has exactly the tables of this code.

    Raises HistoryError when it is not at the newest revision, or differs from the models.
    """
    where = f"history at {address(engine.url)}"
    with transaction(engine) as connection:
        context = MigrationContext.configure(connection, opts=compare_options())
        found, wanted = context.get_current_heads(), _heads()
        if set(found) != set(wanted):
            at = ", ".join(found) or "no revision"
            raise HistoryError(f"{where} is at {at}, this code needs {head()}: run `lis-online db upgrade`")
        differences = compare_metadata(context, metadata)
    if differences:
        listed = "; ".join(describe(difference) for difference in differences)
        raise HistoryError(f"{where} differs from the models of this code: {listed}")


def head() -> str:
    """Return the revision that this code needs."""
    return ", ".join(_heads())


def describe(difference: Any) -> str:
    """Return one difference of Alembic's comparison in words, for example "add_column numbers.unit"."""
    if isinstance(difference, list):  # changes of one column come as a list of tuples
        return "; ".join(f"{kind} {table}.{column}" for kind, _, table, column, *_ in difference)
    kind, *parts = difference
    thing = parts[-1]
    table = getattr(getattr(thing, "table", None), "name", None) or (parts[1] if len(parts) > 2 else None)
    name = getattr(thing, "name", thing)
    return f"{kind} {table}.{name}" if table else f"{kind} {name}"


def compare_options() -> dict[str, Any]:
    """Return how Alembic compares: types and defaults too, and nobody else's tables."""
    return {
        "version_table": VERSION_TABLE,
        "compare_type": True,
        "compare_server_default": True,
        "include_name": _is_ours,
    }


@contextmanager
def connection_of_environment(attributes: MutableMapping[str, Any]) -> Iterator[Connection]:
    """Yield the connection that was handed over, or a new one to `LIS_HISTORY__URL`."""
    if "connection" in attributes:
        yield attributes["connection"]
        return
    url = load(None).history.url
    if url is None:
        raise SettingsError([("history.url", "is missing")], "environment")
    with build_engine(url.get_secret_value()).connect() as connection:
        yield connection


def _is_ours(name: str | None, kind: str, parents: MutableMapping[str, Any]) -> bool:
    del parents
    return kind != "table" or name in metadata.tables


def _config(connection: Connection | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(scripts()).replace("%", "%%"))
    if connection is not None:
        config.attributes["connection"] = connection
    return config


def _heads() -> tuple[str, ...]:
    return tuple(ScriptDirectory.from_config(_config()).get_heads())
