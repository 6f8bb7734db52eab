"""`lis-online drift`: the changes that were found in the numbers."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import typer
from rich.text import Text

from lis_online.cli.app import App
from lis_online.cli.completions import variants
from lis_online.cli.consoles import out_console
from lis_online.cli.history_range import Configuration, Zone, find_configuration_id, find_zone, parse_limit
from lis_online.cli.options import AsJson, Config, print_json
from lis_online.errors import UsageError
from lis_online.settings import Settings, load

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from lis_online.history.rows import DriftRow

app = App(name="drift", help="The changes that were found in the numbers.")

TIMES = ("time", "detected_at", "until")


@app.callback()
def drift() -> None:
    """Print the changes that were found in the numbers."""


@app.command("list")
def list_(
    start: Annotated[
        str | None, typer.Option("--from", help="Events that began at this time or later, ISO 8601.")
    ] = None,
    end: Annotated[str | None, typer.Option("--to", help="Events that began before this time.")] = None,
    variant: Annotated[
        str | None, typer.Option(autocompletion=variants, help="Of this variant and of its source alone.")
    ] = None,
    zone: Zone = None,
    configuration: Configuration = None,
    as_json: AsJson = False,
    config: Config = None,
) -> None:
    """Print the drift events of the history, the oldest first: what changed, since when, why, what to look at.

    Example: lis-online drift list --from 2026-11-01T00:00:00Z --variant qwen-vl-coclick -c lis-online.toml
    """
    from lis_online.history.drift import drift_events
    from lis_online.history.engine import opened, transaction

    place = find_zone(zone)
    limits = parse_limit(start, "--from", place), parse_limit(end, "--to", place)
    settings = load(config)
    wanted = None if variant is None else _subjects(settings, variant)
    with opened(settings) as engine:
        number = find_configuration_id(engine, settings, configuration)
        with transaction(engine) as connection:
            rows = drift_events(connection, number, *limits)
    rows = [row for row in rows if wanted is None or (row.kind, row.variant) in wanted]
    if as_json:
        print_json({"events": [_to_json(row, place) for row in rows]})
    else:
        out_console().print(_text(rows, place) if rows else "no drift event")


def _subjects(settings: Settings, variant: str) -> set[tuple[str, str]]:
    """Return kind and name of a variant and of its source. Raises UsageError."""
    sources = {one.name: one.preference for one in settings.variant}
    if variant not in sources:
        raise UsageError(f"--variant must be one of {list(sources)}, got {variant!r}")
    return {("variant", variant), ("source", sources[variant])}


def _to_json(row: DriftRow, zone: ZoneInfo | None) -> dict[str, Any]:
    """Return a row as JSON values, times in a zone or UTC."""
    from lis_online.history.times import iso

    found = msgspec.structs.asdict(row)
    return {name: iso(value, zone) if name in TIMES and value is not None else value for name, value in found.items()}


def _text(rows: Iterable[DriftRow], zone: ZoneInfo | None) -> Text:
    """Return a line for each event; one that is not over is red."""
    from lis_online.history.times import iso

    lines = [
        Text.assemble(f"{iso(row.time, zone)}  ", (f"{row.cause:<14}", "" if row.until else "red"), f"  {row.sentence}")
        for row in rows
    ]
    return Text("\n").join(lines)
