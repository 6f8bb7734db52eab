"""`lis-online db`: the history's schema, what is kept of it, and who may read and write it."""

from __future__ import annotations

import time
from typing import Annotated

import typer

from lis_online.cli.history_range import parse_limit
from lis_online.cli.options import Config
from lis_online.settings import load

app = typer.Typer(name="db", help="The history in PostgreSQL: its schema, its size, its roles.", no_args_is_help=True)


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


@app.command()
def prune(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be done, and do nothing.")] = False,
    now: Annotated[str | None, typer.Option(help="The time to count ages from (ISO 8601, with a zone).")] = None,
    config: Config = None,
) -> None:
    """Roll old buckets up, thin old numbers, delete what is too old, make the coming weeks' partitions.

    Run it every day. It may be stopped at any time and run again; samples are never lost before `keep_rollups`.
    """
    from lis_online.history.engine import opened
    from lis_online.history.retention import Pruner

    at = parse_limit(now, "--now", None)
    settings = load(config)
    with opened(settings) as engine:
        clock = time.time_ns() // 1_000_000 if at is None else at
        steps = 0
        for step in Pruner(engine, settings.history, clock, dry_run=dry_run).run():
            steps += 1
            typer.echo(f"would {step}" if dry_run else str(step))
    if not steps:
        typer.echo("nothing to do")


Role = Annotated[str, typer.Argument(help="A role of the database, which is made where there is none.")]


@app.command("grant-reader")
def grant_reader(
    name: Role,
    tables: Annotated[
        bool, typer.Option("--tables", help="Also the tables, which serve, review and history range read.")
    ] = False,
    config: Config = None,
) -> None:
    """Let a role read the analysts' views, lis_numbers and the others of docs/history.md, and no more.

    Give it a password or another way to log in yourself: ALTER ROLE NAME PASSWORD ...
    """
    from lis_online.history.engine import opened
    from lis_online.history.readers import VIEWS
    from lis_online.history.readers import grant_reader as grant

    with opened(load(config)) as engine:
        grant(engine, name, tables)
    typer.echo(f"{name} may read {', '.join(VIEWS)}{' and the tables' if tables else ''}")


@app.command("grant-writer")
def grant_writer(name: Role, config: Config = None) -> None:
    """Let a role write rows, as worker publish, backfill, annotate and forget do, and no more: no table changes.

    db upgrade and db prune stay with the tables' owner. Again after each upgrade. Give it a password or another way to
    log in yourself: ALTER ROLE NAME PASSWORD ...
    """
    from lis_online.history.engine import opened
    from lis_online.history.roles import grant_writer as grant

    with opened(load(config)) as engine:
        grant(engine, name)
    typer.echo(f"{name} may insert and update rows of the history, and read them")
