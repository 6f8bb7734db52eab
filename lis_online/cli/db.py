"""`lis-online db`: the history's schema."""

from __future__ import annotations

import typer

from lis_online.cli.options import Config
from lis_online.settings import load

app = typer.Typer(name="db", help="The history's schema in PostgreSQL.", no_args_is_help=True)


@app.command()
def upgrade(config: Config = None) -> None:
    """Create the history's tables or bring them to this version. At it already, nothing changes."""
    from lis_online.history import schema
    from lis_online.history.engine import address, opened

    with opened(load(config)) as engine:
        schema.upgrade(engine)
        typer.echo(f"history at {address(engine.url)} is at revision {schema.head()}")


@app.command()
def check(config: Config = None) -> None:
    """Exit with 2 when the database is not at this version's schema, or differs from it."""
    from lis_online.history import schema
    from lis_online.history.engine import address, opened

    with opened(load(config)) as engine:
        schema.check(engine)
        typer.echo(f"history at {address(engine.url)} is at revision {schema.head()}, as this version needs")
