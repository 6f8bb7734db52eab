"""`lis-online annotate`: a deploy, an outage, a campaign, noted beside the numbers."""

from __future__ import annotations

import time
from typing import Annotated

import typer

from lis_online.cli.history_range import Zone, find_zone, parse_limit
from lis_online.cli.options import AsJson, Config, print_json
from lis_online.settings import load


def annotate(
    text: Annotated[str, typer.Argument(help="What happened, as it is to stand beside the numbers.")],
    tags: Annotated[
        list[str] | None,
        typer.Option("--tag", help="A word to find it by, such as deploy. May be given several times."),
    ] = None,
    at: Annotated[str | None, typer.Option(help="When it happened, or began, ISO 8601; without it now.")] = None,
    until: Annotated[str | None, typer.Option(help="When it ended; without it a moment.")] = None,
    zone: Zone = None,
    as_json: AsJson = False,
    config: Config = None,
) -> None:
    """Note what happened in the history: dashboards draw it, reviews list it.

    Example: lis-online annotate "deploy 1.4.2" --tag deploy -c lis-online.toml
    """
    from lis_online.history.annotations import Annotation
    from lis_online.history.annotations import annotate as write
    from lis_online.history.engine import opened, transaction
    from lis_online.history.times import iso

    place = find_zone(zone)
    begin, end = parse_limit(at, "--at", place), parse_limit(until, "--until", place)
    note = Annotation(time.time_ns() // 1_000_000 if begin is None else begin, end, text, tuple(tags or ()))
    with opened(load(config)) as engine, transaction(engine) as connection:
        number = write(connection, note)
    if as_json:
        until_iso = None if end is None else iso(end)
        print_json({"id": number, "time": iso(note.time), "until": until_iso, "text": text, "tags": list(note.tags)})
        return
    typer.echo(f"noted as {number}: {iso(note.time)}{'' if end is None else f' to {iso(end)}'} {text}")
