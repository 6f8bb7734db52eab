"""`lis-online topics peek`: how real messages map, and what is missing."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lis_online.cli.completions import words
from lis_online.cli.options import AsJson, Config, print_json
from lis_online.cli.progress import waiting
from lis_online.errors import ReplayError, UsageError
from lis_online.settings import Settings, load

if TYPE_CHECKING:
    from lis_online.mapping.peek import FieldView, TopicView
    from lis_online.records import Record

SHOWN = 60
"""Characters of a value in the table."""

KINDS = ("impressions", "feedback", "representations", "preferences")


def peek(
    topic: Annotated[
        str | None,
        typer.Argument(
            autocompletion=words(lambda: KINDS),
            help="A topic, by Kafka's name or ours; impressions and feedback otherwise.",
        ),
    ] = None,
    config: Config = None,
    count: Annotated[int, typer.Option("--count", min=1, max=10_000, help="The newest messages to look at.")] = 5,
    file: Annotated[
        Path | None, typer.Option("--file", help="Look at a file with a message in each line, not at Kafka.")
    ] = None,
    kind: Annotated[
        str | None,
        typer.Option(
            "--as",
            autocompletion=words(lambda: KINDS),
            help="What the messages are, where the settings do not name the topic yet.",
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show how the newest messages map: where each field comes from, its value, what is missing or refused and why.

    For what is missing it says where it may be. Nothing is committed.

    Exit code 0: every message would be taken; 1: one would be refused.

    Example: lis-online topics peek prod.feed.served --as impressions -c lis-online.toml
    """
    from lis_online.mapping.peek import peek as look

    settings = load(config)
    with waiting("reading messages"):
        read = _read(settings, topic, kind, file, count)
    views = [look(settings, found, name, records) for found, name, records in read]
    if as_json:
        print_json([_document(view) for view in views])
    else:
        for view in views:
            _print(view)
    if any(view.refused for view in views):
        raise typer.Exit(1)


def _read(
    settings: Settings, topic: str | None, kind: str | None, file: Path | None, count: int
) -> list[tuple[str, str, Sequence[Record]]]:
    wanted = _wanted(settings, topic, kind)
    if file is not None:
        if len(wanted) != 1:
            raise UsageError(f"--file needs to know what its messages are: TOPIC or --as, one of {', '.join(KINDS)}")
        return [(wanted[0][0], str(file), _lines(file, wanted[0][0], count))]
    from lis_online.replay.connection import broker_errors
    from lis_online.replay.letter_log import reading
    from lis_online.replay.sampling import newest_records

    with reading(settings.kafka, "peek") as consumer, broker_errors(settings.kafka):
        return [(found, name, newest_records(consumer, found, name, count)) for found, name in wanted]


def _wanted(settings: Settings, topic: str | None, kind: str | None) -> list[tuple[str, str]]:
    """Return (logical name, Kafka's name) of the topics to look at."""
    from lis_online.events.topics import MAIN, topic_names

    names = topic_names(settings.kafka)
    if kind is not None and kind not in KINDS:
        raise UsageError(f"--as must be one of {', '.join(KINDS)}, got {kind!r}")
    if topic is None:
        return [(one, names[one]) for one in ((kind,) if kind else MAIN)]
    found = kind or next((one for one in KINDS if topic in (one, names[one])), None)
    if found is None:
        raise UsageError(f"TOPIC must be one of {', '.join(names[one] for one in KINDS)}, or have --as, got {topic!r}")
    return [(found, names[topic] if topic in KINDS else topic)]


def _lines(file: Path, topic: str, count: int) -> list[Record]:
    from lis_online.records import Record

    try:
        with file.open("rb") as opened:
            texts = [line.strip() for _, line in zip(range(count), filter(bytes.strip, opened), strict=False)]
    except OSError as exc:
        raise ReplayError(f"{file}: cannot be read: {exc.strerror}") from exc
    return [Record(topic, 0, offset, -1, text) for offset, text in enumerate(texts)]


def _document(view: TopicView) -> dict[str, Any]:
    return {
        "topic": view.topic,
        "name": view.name,
        "mapped": view.mapped,
        "messages": view.messages,
        "accepted": view.accepted,
        "skipped": view.skipped,
        "controls": view.controls,
        "refused": dict(view.refused),
        "fields": [_field(one) for one in view.fields],
        "skip": None if view.mark is None else view.mark.toml,
        "start": view.start,
    }


def _field(one: FieldView) -> dict[str, Any]:
    return {
        "field": one.name,
        "source": one.source,
        "needed": one.needed,
        "found": one.found,
        "value": one.value,
        "problems": dict(one.problems),
        "guesses": [guess.toml for guess in one.guesses],
    }


def _print(view: TopicView) -> None:
    from rich.text import Text

    from lis_online.cli.consoles import out_console
    from lis_online.cli.dead_letters_text import printable
    from lis_online.cli.report_parts import titled_table

    read = view.accepted + sum(view.refused.values())
    if not view.messages:
        typer.echo(f"{view.name}: no messages")
        return
    how = "mapped" if view.mapped else "read as the event schema"
    table = titled_table(f"{view.topic} ({view.name}), {how}", ("field", "from", "found", "value", "problem"))
    for one in view.fields:
        value = "" if one.value is None else json.dumps(one.value, ensure_ascii=False)
        cut = value if len(value) <= SHOWN else f"{value[: SHOWN - 3]}..."
        said = "; ".join(f"{sentence} ({times} of {read})" for sentence, times in one.problems.items())
        cells = (one.name, one.source, f"{one.found}/{read}", cut, said)
        table.add_row(*(Text(printable(cell.encode(errors="backslashreplace"))) for cell in cells))
    out_console().print(table)
    typer.echo(
        f"{view.messages} messages: {view.accepted} accepted, {view.skipped} skipped, "
        f"{sum(view.refused.values())} refused"
    )
    for sentence, times in view.refused.most_common():
        typer.echo(f"  {times} refused: {printable(sentence.encode(errors='backslashreplace'))}")
    for one in view.fields:
        if one.guesses and view.mapped:
            typer.echo(f"{one.name} may be at {' or '.join(guess.toml for guess in one.guesses)}")
    if view.mapped and view.mark is not None:
        typer.echo(f"messages without these fields are passed over by {view.mark.toml}")
    if view.start is not None:
        typer.echo(f"\nTo begin with, in the settings file:\n\n{view.start}\n")
