"""`lis-online db`: the history's schema, what is kept of it, and who may read and write it."""

from __future__ import annotations

import time
from dataclasses import asdict
from typing import Annotated

import typer

from lis_online.cli.app import App
from lis_online.cli.history_range import parse_limit
from lis_online.cli.options import AsJson, Config, print_json
from lis_online.cli.progress import waited, waiting
from lis_online.settings import load

app = App(name="db", help="The history in PostgreSQL: its schema, its size, its roles.")


@app.command()
def upgrade(as_json: AsJson = False, config: Config = None) -> None:
    """Create the history's tables or bring them to this version. At it already, nothing changes.

    Example: lis-online db upgrade -c lis-online.toml
    """
    from lis_online.history import schema
    from lis_online.history.engine import address, opened

    with opened(load(config)) as engine:
        with waiting("upgrading"):
            schema.upgrade(engine)
        _say_revision(address(engine.url), schema.head(), as_json)


@app.command()
def check(as_json: AsJson = False, config: Config = None) -> None:
    """Exit with 2 when the database is not at this version's schema, or differs from it.

    Example: lis-online db check -c lis-online.toml
    """
    from lis_online.history import schema
    from lis_online.history.engine import address, opened

    with opened(load(config)) as engine:
        with waiting("comparing tables"):
            schema.check(engine)
        _say_revision(address(engine.url), schema.head(), as_json, ", as this version needs")


@app.command()
def prune(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be done, and do nothing.")] = False,
    now: Annotated[str | None, typer.Option(help="The time to count ages from (ISO 8601, with a zone).")] = None,
    as_json: AsJson = False,
    config: Config = None,
) -> None:
    """Roll old buckets up, thin old numbers, delete what is too old, make the coming weeks' partitions.

    Run it every day. It may be stopped at any time and run again; samples are never lost before `keep_rollups`.

    Example: lis-online db prune --dry-run -c lis-online.toml
    """
    from lis_online.history.engine import opened
    from lis_online.history.retention import Pruner

    at = parse_limit(now, "--now", None)
    settings = load(config)
    with opened(settings) as engine:
        clock = time.time_ns() // 1_000_000 if at is None else at
        steps = []
        for step in waited(Pruner(engine, settings.history, clock, dry_run=dry_run).run(), "pruning"):
            steps.append(asdict(step))
            if not as_json:
                typer.echo(f"would {step}" if dry_run else str(step))
    if as_json:
        print_json({"dry_run": dry_run, "steps": steps})
    elif not steps:
        typer.echo("nothing to do")


Role = Annotated[str, typer.Argument(help="A role of the database, which is made where there is none.")]


@app.command("grant-reader")
def grant_reader(
    name: Role,
    tables: Annotated[
        bool, typer.Option("--tables", help="Also the tables, which serve, review and history range read.")
    ] = False,
    as_json: AsJson = False,
    config: Config = None,
) -> None:
    """Let a role read the analysts' views, lis_numbers and the others of docs/history.md, and no more.

    Give it a password or another way to log in yourself: ALTER ROLE NAME PASSWORD ...

    Example: lis-online db grant-reader analyst -c lis-online.toml
    """
    from lis_online.history.engine import opened
    from lis_online.history.readers import VIEWS
    from lis_online.history.readers import grant_reader as grant

    with opened(load(config)) as engine:
        grant(engine, name, tables)
    if as_json:
        print_json({"role": name, "reads": list(VIEWS), "tables": tables})
        return
    typer.echo(f"{name} may read {', '.join(VIEWS)}{' and the tables' if tables else ''}")


@app.command("grant-writer")
def grant_writer(name: Role, as_json: AsJson = False, config: Config = None) -> None:
    """Let a role write rows, as worker publish, backfill, annotate and forget do, and no more: no table changes.

    db upgrade and db prune stay with the tables' owner. Again after each upgrade. Give it a password or another way to
    log in yourself: ALTER ROLE NAME PASSWORD ...

    Example: lis-online db grant-writer lis_worker -c lis-online.toml
    """
    from lis_online.history.engine import opened
    from lis_online.history.roles import grant_writer as grant

    with opened(load(config)) as engine:
        grant(engine, name)
    if as_json:
        print_json({"role": name, "writes": "rows"})
        return
    typer.echo(f"{name} may insert and update rows of the history, and read them")


def _say_revision(history: str, revision: str, as_json: bool, more: str = "") -> None:
    if as_json:
        print_json({"history": history, "revision": revision})
    else:
        typer.echo(f"history at {history} is at revision {revision}{more}")
