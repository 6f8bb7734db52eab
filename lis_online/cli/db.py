"""`lis-online db`: the history's schema."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lis_online.errors import UsageError
from lis_online.settings import load

if TYPE_CHECKING:
    from sqlalchemy import Engine

app = typer.Typer(name="db", help="The history's schema in PostgreSQL.", no_args_is_help=True)

Config = Annotated[Path | None, typer.Option("-c", "--config", help="Settings file (TOML).")]


@app.command()
def upgrade(config: Config = None) -> None:
    """Create the history's tables or bring them to this version. At it already, nothing changes."""
    from lis_online.history import schema

    with open_engine(config) as engine:
        schema.upgrade(engine)
        typer.echo(f"history at {_where(engine)} is at revision {schema.head()}")


@app.command()
def check(config: Config = None) -> None:
    """Exit with 2 when the database is not at this version's schema, or differs from it."""
    from lis_online.history import schema

    with open_engine(config) as engine:
        schema.check(engine)
        typer.echo(f"history at {_where(engine)} is at revision {schema.head()}, as this version needs")


@contextmanager
def open_engine(config: Path | None) -> Iterator[Engine]:
    """Yield an engine for `history.url` of the settings. Raises UsageError where it is not set."""
    from lis_online.history.engine import build_engine

    url = load(config).history.url
    if url is None:
        raise UsageError("history.url must be set for this command, in the settings file or as LIS_HISTORY__URL")
    engine = build_engine(url.get_secret_value())
    try:
        yield engine
    finally:
        engine.dispose()


def _where(engine: Engine) -> str:
    from lis_online.history.engine import address

    return address(engine.url)
