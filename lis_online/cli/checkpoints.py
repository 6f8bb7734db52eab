"""`lis-online checkpoints`: what is there, whether it is whole, and what may go."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from lis_online.cli.app import App
from lis_online.cli.completions import words
from lis_online.cli.consoles import out_console
from lis_online.cli.options import AsJson, Config, print_json
from lis_online.cli.progress import progress
from lis_online.cli.report_parts import DASH, titled_table
from lis_online.errors import UsageError
from lis_online.settings import Settings, load
from lis_online.settings.durations import parse_duration

if TYPE_CHECKING:
    from lis_online.checkpoints.place import Place
    from lis_online.checkpoints.survey import Found

app = App(name="checkpoints", help="The shards' checkpoints.")

ROLES: Final = ("join", "rank", "publish")

Role = Annotated[
    str | None,
    typer.Option("--role", autocompletion=words(lambda: ROLES), help="Of this one alone: join, rank or publish."),
]
Partition = Annotated[int | None, typer.Option("--partition", min=0, help="Of this partition alone.")]


@app.command("list")
def list_(role: Role = None, partition: Partition = None, as_json: AsJson = False, config: Config = None) -> None:
    """List the checkpoints, each shard's newest first.

    Example: lis-online checkpoints list --role rank -c lis-online.toml
    """
    settings = load(config)
    place, found = _found(settings, role, partition)
    rows = [_row(one, settings) for one in found]
    if as_json:
        _print_json(place, checkpoints=rows)
    else:
        _print_table(place, rows)


@app.command()
def verify(role: Role = None, partition: Partition = None, as_json: AsJson = False, config: Config = None) -> None:
    """Read every checkpoint to its end and compare its digest.

    What a worker has set aside as damaged counts. Data without a manifest does not: a worker may be writing it.

    Exit code 0: every one is whole; 1: one is not.

    Example: lis-online checkpoints verify -c lis-online.toml
    """
    from lis_online.checkpoints.survey import problem_of

    settings = load(config)
    place, found = _found(settings, role, partition)
    rows = []
    with progress("{task.completed:,} of {task.total:,} bytes") as bar:
        task = bar.add_task("reading", total=sum(one.bytes for one in found))
        for one in found:
            problem = problem_of(place, one)
            row = _row(one, settings)
            rows.append(row if problem is None else {**row, "state": _broken(row["state"]), "problem": problem})
            bar.advance(task, one.bytes)
    broken = [row for row in rows if row["problem"] is not None]
    if as_json:
        _print_json(place, checkpoints=rows, broken=len(broken))
    else:
        _print_table(place, rows)
        for row in broken:
            typer.echo(f"{row['name']}: {row['problem']}")
        typer.echo(f"{len(rows) - len(broken)} as they were written, {len(broken)} not")
    if broken:
        raise typer.Exit(1)


@app.command()
def prune(
    keep: Annotated[
        int | None, typer.Option("--keep", min=1, help="How many of each shard's newest stay. [default: the setting]")
    ] = None,
    archived: Annotated[bool, typer.Option("--archived", help="Remove archived ones instead, by age.")] = False,
    older_than: Annotated[
        str | None, typer.Option("--older-than", help="With --archived: such as 90d; younger ones stay.")
    ] = None,
    role: Role = None,
    partition: Partition = None,
    as_json: AsJson = False,
    config: Config = None,
) -> None:
    """Remove all but each shard's newest whole checkpoints, and what crashes left of older ones.

    Workers do the same after each checkpoint. Damaged ones stay; archived ones go only with --archived --older-than.

    Example: lis-online checkpoints prune --keep 3 -c lis-online.toml

    Example: lis-online checkpoints prune --archived --older-than 90d -c lis-online.toml
    """
    if archived != (older_than is not None) or (archived and keep is not None):
        raise UsageError("--archived needs --older-than and no --keep, and --older-than needs --archived")
    settings = load(config)
    place, found = _found(settings, role, partition)
    removed = _prune(settings, found, keep) if older_than is None else _prune_archive(place, found, _age(older_than))
    if as_json:
        _print_json(place, removed=removed)
    else:
        for name in removed:
            typer.echo(f"removed {name}")
        typer.echo(f"{len(removed)} objects removed from {place.url}")


def _prune(settings: Settings, found: Iterable[Found], keep: int | None) -> list[str]:
    from lis_online.checkpoints.store import CheckpointStore

    checkpoints = settings.checkpoints
    shards = sorted({(one.role, one.partition) for one in found})
    return [
        name
        for role, partition in shards
        for name in CheckpointStore(checkpoints.directory, role, partition, keep or checkpoints.keep, {}).prune()
    ]


def _prune_archive(place: Place, found: Iterable[Found], age: timedelta) -> list[str]:
    before = datetime.now(UTC) - age
    removed = []
    for one in found:
        if one.state == "archived" and one.manifest is not None and one.manifest.created_at < before:
            for name in (one.name, f"{one.name.rpartition('/')[0]}/{one.manifest.data}"):
                place.remove(name)
                removed.append(name)
    return removed


def _age(text: str) -> timedelta:
    try:
        return timedelta(milliseconds=parse_duration(text))
    except ValueError as exc:
        raise UsageError(f"--older-than {exc}") from None


def _found(settings: Settings, role: str | None, partition: int | None) -> tuple[Place, list[Found]]:
    from lis_online.checkpoints.place import open_place
    from lis_online.checkpoints.survey import survey

    if role is not None and role not in ROLES:
        raise UsageError(f"--role must be one of {', '.join(ROLES)}, got {role!r}")
    place = open_place(settings.checkpoints.directory)
    found = [
        one for one in survey(place) if role in (None, one.role) and partition in (None, one.partition)
    ]  # fmt: skip
    return place, found


def _row(one: Found, settings: Settings) -> dict[str, Any]:
    from lis_online.shards.fingerprint import fingerprint

    manifest = one.manifest
    return {
        "role": one.role,
        "partition": one.partition,
        "position": one.position,
        "state": one.state,
        "created_at": None if manifest is None else manifest.created_at.isoformat(timespec="seconds"),
        "bytes": one.bytes,
        "settings_differ": None if manifest is None else manifest.differing(fingerprint(settings, manifest.role)),
        "why": None if manifest is None else manifest.why,
        "name": one.name,
        "problem": one.problem,
    }


def _broken(state: str) -> str:
    return state if state == "other_release" else "damaged"


def _print_json(place: Place, **content: Any) -> None:
    print_json({"directory": place.url, **content})


def _print_table(place: Place, rows: list[dict[str, Any]]) -> None:
    if not rows:
        typer.echo(f"no checkpoints in {place.url}")
        return
    table = titled_table(
        f"Checkpoints in {place.url}", ("role", "partition", "position", "age", "size", "state", "settings")
    )
    for row in rows:
        differ = row["settings_differ"]
        said = DASH if differ is None else f"{len(differ)} differ" if differ else "the same"
        table.add_row(
            row["role"], str(row["partition"]), f"{row['position']:,}", _since(row["created_at"]), _size(row["bytes"]),
            f"{row['state']}: {row['why']}" if row["why"] else row["state"].replace("_", " "), said,
        )  # fmt: skip
    out_console().print(table)


def _since(moment: str | None) -> str:
    if moment is None:
        return DASH
    seconds = max(0, int((datetime.now(UTC) - datetime.fromisoformat(moment)).total_seconds()))
    for unit, length in (("d", 86_400), ("h", 3_600), ("m", 60)):
        if seconds >= 2 * length:
            return f"{seconds // length} {unit}"
    return f"{seconds} s"


def _size(size: float) -> str:
    """Return bytes in three digits.

    >>> _size(999), _size(12_345), _size(3_210_000_000)
    ('999 B', '12.3 kB', '3.21 GB')
    """
    for unit, length in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if size >= length:
            return f"{size / length:.3g} {unit}"
    return f"{size} B"
