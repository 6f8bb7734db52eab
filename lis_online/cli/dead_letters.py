"""`lis-online dead-letters`: what was refused, and the way back for what is good after a fix."""

from __future__ import annotations

import base64
import time
import uuid
from collections import Counter, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from dataclasses import replace as replaced
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from lis_online.cli.app import App
from lis_online.cli.completions import reasons
from lis_online.cli.consoles import out_console
from lis_online.cli.dead_letters_text import (
    SHOWN,
    counted,
    done_json,
    facts,
    letter_json,
    listed,
    printable,
    sentences,
)
from lis_online.cli.history_range import Zone, find_zone, parse_limit
from lis_online.cli.options import AsJson, Config, print_json
from lis_online.cli.progress import progress
from lis_online.errors import UsageError
from lis_online.settings import load
from lis_online.settings.durations import parse_duration

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from lis_online.events.dead_letters import Letter, Place
    from lis_online.replay.letter_log import LetterLog

app = App(name="dead-letters", help="What was refused: read it, and send it back after a fix.")

Topic = Annotated[
    Literal["impressions", "feedback", "representations", "preferences"] | None,
    typer.Option(help="Letters of this input topic alone."),
]
Reason = Annotated[
    str | None, typer.Option(autocompletion=reasons, help="Letters of this reason alone, such as malformed.")
]
Since = Annotated[
    str | None, typer.Option(help="Letters from this time on: an age such as 2h, or ISO 8601; without it all.")
]


@app.callback()
def dead_letters() -> None:
    """Read what was refused, and send it back after a fix. Letters hold what was sent, user ids included."""


@app.command("list")
def list_(
    topic: Topic = None,
    reason: Reason = None,
    since: Since = None,
    limit: Annotated[
        int, typer.Option(min=0, max=100_000, help="How many to print, the newest first; all are counted.")
    ] = 20,
    zone: Zone = None,
    as_json: AsJson = False,
    config: Config = None,
) -> None:
    """Count the dead letters by topic and reason, and print the newest.

    Example: lis-online dead-letters list --reason unknown_variant --since 2h -c lis-online.toml
    """
    from lis_online.replay.letter_log import LetterLog, reading

    place = find_zone(zone)
    wanted, from_time = _wanted(topic, reason), _since(since, place)
    kafka = load(config).kafka
    with reading(kafka) as consumer, _bar() as seen:
        found = _gather(LetterLog(kafka, consumer), wanted, from_time, limit, seen("reading"))
    letters = [(letter, letter.place in found.sent) for letter in reversed(found.newest)]
    if as_json:
        by_reason = [{"topic": t, "reason": r, "letters": n} for (t, r), n in sorted(found.counts.items())]
        listing = [letter_json(letter, sent, place) for letter, sent in letters]
        print_json({"counts": by_reason, "other_records": found.others, "letters": listing})
        return
    console = out_console()
    console.print(counted(found.counts) if found.counts else "no dead letters")
    if letters:
        console.print(listed(letters, place))
    if found.others:
        console.print(f"{found.others:,} other records are in the topic, which no worker wrote")


@app.command()
def show(
    where: Annotated[str, typer.Argument(metavar="PARTITION:OFFSET", help="As `list` prints it, such as 0:17.")],
    zone: Zone = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON; bytes in base64, whole.")] = False,
    config: Config = None,
) -> None:
    """Print one dead letter: where it came from, why it was refused, and its bytes.

    These are what was sent, user ids included. What is not printable is escaped.

    Example: lis-online dead-letters show 0:17 -c lis-online.toml
    """
    from lis_online.replay.letter_log import LetterLog, reading

    place, offset = find_zone(zone), _offset(where)
    kafka = load(config).kafka
    with reading(kafka) as consumer:
        letter = LetterLog(kafka, consumer).get(offset)
    if as_json:
        key = None if letter.key is None else base64.b64encode(letter.key).decode()
        raw = {"key_base64": key, "value_base64": base64.b64encode(letter.value).decode()}
        print_json(letter_json(letter, None, place) | raw)
        return
    for name, text in facts(letter, place):
        typer.echo(f"{name:<10} {text}")
    typer.echo(f"\n{printable(letter.value[:SHOWN])}")
    if len(letter.value) > SHOWN:
        typer.echo(f"... {len(letter.value) - SHOWN:,} bytes more; --json has them")


@app.command()
def replay(
    topic: Topic = None,
    reason: Reason = None,
    since: Since = None,
    everything: Annotated[
        bool, typer.Option("--all", help="Those too that these settings and this version would refuse again.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be sent, and send nothing.")] = False,
    zone: Zone = None,
    as_json: AsJson = False,
    config: Config = None,
) -> None:
    """Send dead letters back to the topic and partition that they came from, after a fix; each once.

    Those that would be refused again stay where they are. It may be stopped and run again: what was sent is not sent
    twice.

    Example: lis-online dead-letters replay --reason unknown_variant --since 6h -c lis-online.toml
    """
    from lis_online.replay.letter_log import reading
    from lis_online.replay.producer import producer_of
    from lis_online.replay.resending import Resender

    from_time = _since(since, find_zone(zone))
    wanted = _wanted(topic, reason, from_time)
    settings = load(config)
    with reading(settings.kafka) as consumer, _bar() as seen:
        producer = producer_of(settings.kafka)
        try:
            resender = Resender(settings, consumer, producer, uuid.uuid4().hex, dry_run)
            done = resender.run(wanted, everything, seen("sending back"))
        finally:
            producer.close(timeout=5)
    if as_json:
        print_json(done_json(done))
    else:
        for line in sentences(done, dry_run):
            typer.echo(line)


@dataclass(slots=True)
class _Found:
    """What is in the topic. newest: without their values, each place once; others: neither letters nor marks."""

    newest: deque[Letter]
    counts: Counter[tuple[str, str]] = field(default_factory=Counter)
    sent: set[Place] = field(default_factory=set)
    others: int = 0


def _gather(
    log: LetterLog, wanted: Callable[[Letter], bool], since: int | None, limit: int, seen: Callable[[int, int], None]
) -> _Found:
    from lis_online.events.dead_letters import Mark
    from lis_online.replay.letter_marks import Marks

    found, marks, places = _Found(deque(maxlen=limit)), Marks(), set()
    for _, written, one in log.read(log.first if since is None else log.since(since), log.end, seen):
        if isinstance(one, Mark):
            marks.update(one, written)
        elif one is None:
            found.others += 1
        elif one.place not in places and wanted(one):
            places.add(one.place)  # a worker that starts again refuses what it had refused
            found.newest.append(replaced(one, value=b""))
            found.counts[one.place.topic, one.reason] += 1
    found.sent = marks.sent
    return found


def _wanted(topic: str | None, reason: str | None, since: int | None = None) -> Callable[[Letter], bool]:
    """Return what chooses letters. Raises UsageError on a reason that there is not."""
    from lis_online.events.reasons import REFUSED

    if reason is not None and reason not in REFUSED:
        raise UsageError(f"--reason must be one of {', '.join(REFUSED)}, got {reason!r}")

    def chooses(letter: Letter) -> bool:
        return (
            (topic is None or letter.place.topic == topic)
            and (reason is None or letter.reason == reason)
            and (since is None or letter.time >= since)
        )

    return chooses


def _since(text: str | None, zone: ZoneInfo | None) -> int | None:
    """Return a time, ms, of an age or an ISO 8601 time. Raises UsageError."""
    if text is None:
        return None
    try:
        return max(0, time.time_ns() // 1_000_000 - parse_duration(text))
    except ValueError:
        pass
    try:
        return parse_limit(text, "--since", zone)
    except UsageError as exc:
        raise UsageError(f"--since must be an age such as 2h, or an ISO 8601 time with a zone, got {text!r}") from exc


def _offset(where: str) -> int:
    partition, colon, offset = where.partition(":")
    if not (colon and offset.isascii() and offset.isdigit() and len(offset) < 19):
        raise UsageError(f"a letter must be named PARTITION:OFFSET, such as 0:17, got {where[:60]!r}")
    if partition != "0":
        raise UsageError(f"the dead-letter topic has partition 0 alone, got {where[:60]!r}")
    return int(offset)


@contextmanager
def _bar() -> Iterator[Callable[[str], Callable[[int, int], None]]]:
    """Show how much was read, where standard error is a terminal; yield what makes a line of a name."""
    with progress("{task.completed:,} of {task.total:,}") as bar:

        def line(name: str) -> Callable[[int, int], None]:
            task = bar.add_task(name, total=0)
            return lambda done, total: bar.update(task, completed=done, total=total)

        yield line
