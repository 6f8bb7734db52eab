"""`lis-online forget`: users who ask to be forgotten."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Annotated

import typer

from lis_online.cli.options import AsJson, Config, print_json
from lis_online.cli.progress import progress, waiting
from lis_online.errors import UsageError
from lis_online.settings import Settings, load

if TYPE_CHECKING:
    from lis_online.forget.remains import Remains
    from lis_online.history.forgetting import Removed

ROWS = "{task.completed:,} of {task.total:,} rows"


def forget(
    users: Annotated[
        list[str] | None, typer.Argument(help="Ids as events have them. They show in the shell's history: see --stdin.")
    ] = None,
    stdin: Annotated[bool, typer.Option("--stdin", help="Read ids from standard input, one a line.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: AsJson = False,
    config: Config = None,
) -> None:
    """Forget users: what join shards know of them, and what the history holds of them; say what remains.

    Nothing of it can be brought back. Once is as good as twice; a user whom nobody knows is no error. One who comes
    back is a new one.

    Example: lis-online forget u7 -c lis-online.toml
    """
    from lis_online.events.person_hashes import PersonHashes, key_digest
    from lis_online.forget.remains import remains
    from lis_online.replay.forgetting import count_partitions, send_requests
    from lis_online.replay.producer import producer_of
    from streams.topics import DEAD_LETTERS_RETENTION

    ids = _ids(users or [], stdin)
    settings = load(config)
    _ask(len(ids), stdin, yes)
    kafka, name = settings.kafka, PersonHashes(settings.privacy).user
    hashes = sorted({name(one) for one in ids})
    partitions = count_partitions(kafka)
    producer = producer_of(kafka)
    try:
        with waiting("asking the join shards"):
            send_requests(producer, partitions, hashes, key_digest(settings.privacy))
    finally:
        producer.close(timeout=5)
    removed = None if settings.history.url is None else _take_out(settings, hashes)
    left = remains(settings, min(kafka.retention, DEAD_LETTERS_RETENTION))
    if as_json:
        history = None if removed is None else {"rows": removed.rows, "seen": removed.seen}
        found = {
            "users": len(hashes),
            "asked": partitions,
            "history": history,
            "remains": [one.to_json() for one in left],
        }
        print_json(found)
    else:
        _say(len(hashes), partitions, removed, left)


def _ids(given: list[str], stdin: bool) -> list[str]:
    """Return the ids that were given, in either way. Raises UsageError."""
    if bool(given) == stdin:
        raise UsageError("USER must be given, or --stdin, and not both")
    ids = given
    if stdin:
        try:
            ids = [line for row in sys.stdin.buffer.read().decode().split("\n") if (line := row.removesuffix("\r"))]
        except UnicodeDecodeError as exc:
            raise UsageError(f"--stdin must be UTF-8: {exc.reason} at byte {exc.start}") from exc
    if not ids or "" in ids:
        raise UsageError("USER must not be empty" if ids else "--stdin must have an id a line, got none")
    return ids


def _ask(count: int, stdin: bool, yes: bool) -> None:
    """Ask whether to go on. Raises UsageError where nobody can be asked."""
    if yes:
        return
    if stdin or not sys.stdin.isatty():
        raise UsageError("--yes must be given where nobody can be asked")
    typer.confirm(f"Forget {_users(count)}? Nothing of it can be brought back.", abort=True, err=True)


def _take_out(settings: Settings, hashes: list[int]) -> Removed:
    """Take users out of the history."""
    import numpy as np

    from lis_online.history.engine import opened
    from lis_online.history.forgetting import forget_users

    now = time.time_ns() // 1_000_000
    with opened(settings) as engine, progress(ROWS) as bar:
        task = bar.add_task("history")
        return forget_users(
            engine,
            np.array(hashes, np.int64),
            now,
            now + settings.kafka.retention,
            lambda removed, rows: bar.update(task, completed=removed.seen, total=rows),
        )


def _say(count: int, partitions: dict[str, int], removed: Removed | None, left: list[Remains]) -> None:
    asked = " and ".join(f"{n} of {topic}" for topic, n in partitions.items())
    typer.echo(f"asked the join shards to forget {_users(count)}: {asked} partitions")
    if removed is None:
        typer.echo("history.url is not set: there is no history to look through")
    else:
        typer.echo(f"took them out of {removed.rows:,} of the history's {removed.seen:,} rows of users' totals")
    typer.echo("what remains:")
    for one in left:
        typer.echo(f"  {one}")


def _users(count: int) -> str:
    return f"{count:,} user{'' if count == 1 else 's'}"
