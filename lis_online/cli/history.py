"""`lis-online history`: a variant's numbers window by window, or over one range, from PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer
from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from lis_online.cli.app import App
from lis_online.cli.completions import slices, variants, windows
from lis_online.cli.consoles import out_console
from lis_online.cli.history_range import SLICE, Zone, find_zone, history_range, parse_limit
from lis_online.cli.options import AsJson, Config, print_json
from lis_online.cli.progress import waiting
from lis_online.cli.report import CHANCE, STYLES, number, share, still_needed
from lis_online.cli.report_parts import DASH
from lis_online.errors import UsageError
from lis_online.settings import load

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from lis_online.history.points import Number, Point

COLUMNS = (
    ("adjusted LIS", "source_numbers", "adjusted_lis"),
    ("adjusted AIS", "variant_numbers", "adjusted_ais"),
    ("efficiency", "variant_numbers", "efficiency"),
    ("pair alignment", "variant_numbers", "pair_alignment"),
    ("placebo", "source_numbers", "placebo"),
    ("coverage", "variant_numbers", "coverage"),
)
"""Heading, where in a point, name of the number."""
SHARES = ("efficiency", "pair_alignment")
NEEDED = "adjusted_ais"
"""The number whose missing samples are shown beside it."""


app = App(name="history", help="Numbers from the history.")


@app.callback(invoke_without_command=True)
def history(
    context: typer.Context,
    variant: Annotated[str | None, typer.Option(autocompletion=variants, help="Name of the variant.")] = None,
    start: Annotated[
        str | None, typer.Option("--from", help="Windows that end after this time (ISO 8601, with a zone).")
    ] = None,
    end: Annotated[str | None, typer.Option("--to", help="Windows that end at or before this time.")] = None,
    window: Annotated[
        str | None,
        typer.Option(autocompletion=windows, help="A window's length, such as 1h, or run, or overlap; all without."),
    ] = None,
    slice_: Annotated[str, typer.Option("--slice", autocompletion=slices, help=SLICE)] = "all",
    zone: Zone = None,
    as_json: AsJson = False,
    config: Config = None,
) -> None:
    """Print a variant's numbers, its source's and the diagnosis, window by window.

    Where several versions of the variant are measured, each has a line; --window overlap has the time they share.
    `history range` answers for one stretch of time instead.

    Example: lis-online history --variant qwen-vl-coclick --window 1h -c lis-online.toml
    """
    if context.invoked_subcommand is not None:
        return
    if variant is None:
        raise UsageError("--variant must be given, or a command: lis-online history range")
    from lis_online.history.engine import opened, transaction
    from lis_online.history.queries import Selection, read, why_empty

    place = find_zone(zone)
    limits = parse_limit(start, "--from", place), parse_limit(end, "--to", place)
    selection = Selection(variant, *limits, _window(window), slice_)
    with opened(load(config)) as engine, waiting("reading the history"), transaction(engine) as connection:
        points = read(connection, selection)
        reason = None if points else why_empty(connection, selection)
    if as_json:
        found = {"variant": variant, "slice": slice_, "points": [point.to_json(place) for point in points]}
        print_json(found if reason is None else {**found, "reason": reason})
    elif reason is not None:
        typer.echo(reason)
    else:
        out_console().print(as_table(selection.variant, points, place))


def as_table(variant: str, points: Sequence[Point], zone: ZoneInfo | None = None) -> Table:
    """Return the points as a table for a terminal, one line each, times in a zone or UTC."""
    from lis_online.history.times import iso
    from lis_online.history.windows import window_name

    configurations = len({point.configuration for point in points})
    title = f"{variant} ({points[-1].slice}), aligned on {points[-1].source}"
    if configurations > 1:
        title += f"; {configurations} configurations: their numbers are not comparable"
    table = Table(title=title, title_justify="left", box=SIMPLE_HEAD, pad_edge=False)
    table.add_column(f"window ends ({'UTC' if zone is None else zone.key})", no_wrap=True)
    table.add_column("window", justify="right")
    versions = len({point.version for point in points}) > 1
    if versions:
        table.add_column("version")
    for heading, _, name in COLUMNS:
        table.add_column(heading, justify="right")
        if name == NEEDED:
            table.add_column("still needed", justify="right")
    table.add_column("samples", justify="right")
    table.add_column("diagnosis")
    for point in points:
        at = [Text(iso(point.time, zone)), Text(window_name(point.window_ms))] + [Text(point.version)] * versions
        table.add_row(*at, *_cells(point), f"{point.samples:,}", _diagnosis(point))
    return table


def _cells(point: Point) -> Iterator[Text]:
    for _, where, name in COLUMNS:
        found = getattr(point, where).get(name)
        yield _cell(found, percent=name in SHARES, nothing=CHANCE if name == "pair_alignment" else 0.0)
        if name == NEEDED:
            yield still_needed(None if found is None else asdict(found), point.samples)


def _cell(found: Number | None, *, percent: bool, nothing: float) -> Text:
    """Return a number as the reports of other commands show it; one without an interval is a share."""
    if found is None or (found.value is not None and found.lower is None):
        return share(None if found is None else found.value)
    return number(asdict(found), percent=percent, nothing=nothing)


def _diagnosis(point: Point) -> Text:
    if point.diagnosis is None:
        return Text(DASH, style="dim")
    return Text(point.diagnosis, style=STYLES.get(point.diagnosis, ""))


def _window(name: str | None) -> int | None:
    from lis_online.history.windows import parse_window

    try:
        return None if name is None else parse_window(name)
    except ValueError as exc:
        raise UsageError(f"--window {exc}") from exc


app.command("range")(history_range)
