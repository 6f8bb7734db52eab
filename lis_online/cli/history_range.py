"""`lis-online history range`: the numbers of one stretch of time, whatever its edges."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Group
from rich.text import Text

from lis_online.cli.completions import slices as known_slices
from lis_online.cli.completions import zones
from lis_online.cli.consoles import out_console
from lis_online.cli.options import AsJson, Config, print_json
from lis_online.cli.progress import waiting
from lis_online.cli.report import advice, number, sources, variants, versions
from lis_online.cli.report_parts import DASH
from lis_online.errors import UsageError
from lis_online.settings import Settings, load

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from sqlalchemy import Engine

SLICE = "all, surface:NAME or arm:EXPERIMENT/ARM."
Zone = Annotated[
    str | None,
    typer.Option(
        autocompletion=zones,
        help="Time zone of times that name none, and of those shown, such as Europe/Berlin. Stored is UTC.",
    ),
]
Configuration = Annotated[
    int | None, typer.Option(help="Id of the settings that the numbers were made under; else those of the file.")
]


def history_range(
    start: Annotated[str, typer.Option("--from", help="Begin of the range, ISO 8601; with --zone without a zone.")],
    end: Annotated[str, typer.Option("--to", help="End of the range, exclusive.")],
    slices: Annotated[
        list[str] | None,
        typer.Option("--slice", autocompletion=known_slices, help=f"{SLICE} May be given several times."),
    ] = None,
    zone: Zone = None,
    configuration: Configuration = None,
    as_json: AsJson = False,
    config: Config = None,
) -> None:
    """Print the numbers of one stretch of time, with the intervals of a run over exactly its samples.

    Edges are rounded outward to whole buckets (15 minutes in older time), and the answer says to which.

    Example: lis-online history range --from 2026-11-17T09:00Z --to 2026-11-20T18:00Z -c lis-online.toml
    """
    from lis_online.history.engine import opened
    from lis_online.history.range_json import range_json
    from lis_online.history.ranges import range_numbers
    from lis_online.history.stored import Group as RankGroup

    place = find_zone(zone)
    begins, ends = parse_limit(start, "--from", place), parse_limit(end, "--to", place)
    assert begins is not None and ends is not None
    settings = load(config)
    with opened(settings) as engine, waiting("reading the history"):
        group = RankGroup(find_configuration_id(engine, settings, configuration))
        found = range_json(range_numbers(engine, group, begins, ends, slices or ["all"]), place)
    if as_json:
        print_json(found)
    else:
        out_console().print(Group(*_report(found)))


def find_zone(name: str | None) -> ZoneInfo | None:
    """Return the zone of an option, None where it was not given. Raises UsageError."""
    from lis_online.history.times import parse_zone

    try:
        return None if name is None else parse_zone(name)
    except ValueError as exc:
        raise UsageError(str(exc)) from exc


def parse_limit(text: str | None, argument: str, zone: ZoneInfo | None) -> int | None:
    """Return the ms of an option's time, None where it was not given. Raises UsageError."""
    from lis_online.history.times import parse_time

    try:
        return None if text is None else parse_time(text, argument, zone)
    except ValueError as exc:
        raise UsageError(str(exc)) from exc


def find_configuration_id(engine: Engine, settings: Settings, wanted: int | None) -> int:
    """Return the id of the configuration to read: the one asked for, or that of the settings file."""
    from lis_online.history.configuration import find_configuration, list_configurations
    from lis_online.history.engine import transaction

    with transaction(engine) as connection:
        known = list_configurations(connection)
        if wanted is not None and wanted not in known:
            raise UsageError(f"--configuration must be one of {known}, got {wanted}")
        found = wanted if wanted is not None else find_configuration(connection, settings)
    if found is None and not known:
        raise UsageError("the history is empty: numbers come with the first bucket")
    if found is None:
        raise UsageError(f"nothing was written under these settings: --configuration must be one of {known}")
    return found


def _report(found: dict[str, Any]) -> Iterator[Any]:
    yield _heading(found)
    for name, summary in found["slices"].items():
        level = summary["unleaked"]["auc"]
        users = summary["effective_users"]
        yield Text(f"\n{name}", style="bold")
        yield Text(
            f"{summary['slates']:,} slates, {summary['samples']:,} samples   "
            f"unleaked AUC {DASH if level['value'] is None else format(level['value'], '.4f')}   "
            f"twin {number(summary['twin']).plain}   effective users {DASH if users is None else format(users, ',.0f')}"
        )
        yield from (shown for part in (variants, versions, advice, sources) if (shown := part(summary)) is not None)


def _heading(found: dict[str, Any]) -> Text:
    """Return what the numbers are of, and what is missing from it."""
    covered, warm_up = found["covered"], found["warm_up"]
    text = Text(f"{covered['from']} to {covered['to']}, {found['buckets']:,} buckets", style="bold")
    if (covered["from"], covered["to"]) != (found["from"], found["to"]):
        text.append(f"\nasked: {found['from']} to {found['to']}; edges are exact to {found['exact_to']}")
    if warm_up["buckets_left_out"]:
        text.append(f"\nwithout {warm_up['buckets_left_out']:,} buckets of the warm-up, until {warm_up['until']}")
    for gap in found["gaps"]:
        text.append(f"\nno buckets from {gap['from']} to {gap['to']}", style="yellow")
    if isinstance(found["versions"], str):
        text.append(f"\n{found['versions']}", style="yellow")
    for ranker, reason in found["set_aside"].items():
        text.append(f"\nset aside: {ranker} ({reason})", style="red")
    return text
