"""`lis-online doctor`: looks at everything that a worker needs, and says what to change."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from lis_online.cli.consoles import out_console
from lis_online.cli.options import AsJson, Config, print_json
from lis_online.cli.progress import waiting
from lis_online.errors import BrokerError, LisError, TopicError
from lis_online.settings import Settings, load

if TYPE_CHECKING:
    from lis_online.doctor.finding import Finding
    from lis_online.records import Record

SAMPLE = 5_000
TOPIC_CHANGES = (
    ("must exist", "run `lis-online topics create`, or name your topic in [kafka]"),
    (
        "same number of partitions",
        "copy the topic that differs, keyed by user, into one of as many partitions (docs/own-data.md): "
        "partitions that are added to a topic leave what it holds where it was",
    ),
    ("(kafka.partitions)", "set kafka.partitions to what your impressions and feedback have"),
)
"""What a problem of topics says -> what to change."""

MARKS = {"ok": ("ok", "green"), "warning": ("warning", "yellow"), "wrong": ("WRONG", "red")}


def doctor(
    config: Config = None,
    sample: Annotated[
        int, typer.Option("--sample", min=100, max=1_000_000, help="The newest records of each topic to look at.")
    ] = SAMPLE,
    as_json: AsJson = False,
) -> None:
    """Check brokers, topics, the feed, PostgreSQL, device and disk, and say what to change.

    The feed's newest records are read, and nothing is committed: do impressions and feedback of a user meet in one
    partition, are the clocks right, do clicks come within the attribution window, are the ids and names the same?

    Exit code 0: nothing is wrong; 1: something is; 2: the settings cannot be read.

    Example: lis-online doctor -c lis-online.toml
    """
    from lis_online.doctor.finding import worst

    settings = load(config)
    findings = []
    for finding in _findings(settings, sample):
        findings.append(finding)
        if not as_json:
            _print(finding)
    if as_json:
        print_json({"state": worst(findings), "findings": [asdict(one) for one in findings]})
    if worst(findings) == "wrong":
        raise typer.Exit(1)


def _findings(settings: Settings, sample: int) -> Iterator[Finding]:
    """Yield what every check has found; what needs Kafka is left out where no broker answers."""
    from lis_online.doctor.machine import disk

    brokers = list(_tried("brokers", lambda: _brokers(settings)))
    yield from brokers
    if all(finding.state == "ok" for finding in brokers):
        yield from _tried("topics", lambda: _topics(settings))
        yield from _tried("messages", lambda: _feed(settings, sample))
    yield from _tried("registry", lambda: _registry(settings))
    yield from _tried("history", lambda: _history(settings))
    yield from _tried("device", lambda: _device(settings))
    yield disk(settings)


def _tried(check: str, look: Callable[[], Iterable[Finding]]) -> Iterator[Finding]:
    from lis_online.doctor.finding import Finding

    with waiting(f"looking at {check}"):
        try:
            found = list(look())
        except LisError as exc:
            found = [Finding(check, "wrong", str(exc))]
    yield from found


def _brokers(settings: Settings) -> Iterator[Finding]:
    from lis_online.doctor.finding import Finding
    from lis_online.replay.connection import check_connection

    kafka = settings.kafka
    try:
        check_connection(kafka)
    except BrokerError as exc:
        change = "set kafka.bootstrap, and kafka.security_protocol and what goes with it"
        yield Finding("brokers", "wrong", str(exc), change)
        return
    how = f"{kafka.security_protocol}{f' as {kafka.username}' if kafka.username else ''}"
    yield Finding("brokers", "ok", f"{kafka.bootstrap} answers ({how})")


def _topics(settings: Settings) -> Iterator[Finding]:
    from lis_online.doctor.finding import Finding
    from streams.topics import report_topics

    report = report_topics(settings, sizes=False)
    for problem in report.problems:
        yield Finding("topics", "wrong", problem, next((say for what, say in TOPIC_CHANGES if what in problem), None))
    for warning in report.warnings:
        yield Finding("topics", "warning", warning)
    if not report.problems and not report.warnings:
        yield Finding("topics", "ok", "every topic has the partitions, the cleanup policy and the retention it needs")


def _feed(settings: Settings, sample: int) -> list[Finding]:
    from lis_online.doctor.feed import check_feed
    from lis_online.doctor.sample import sample_of

    return check_feed(settings, sample_of(_records(settings, sample), settings.mapping))


def _records(settings: Settings, sample: int) -> Iterator[Record]:
    """Yield the newest impressions and feedback; a missing topic is the topics' check to tell."""
    from lis_online.events.topics import MAIN, topic_names
    from lis_online.replay.connection import broker_errors
    from lis_online.replay.letter_log import reading
    from lis_online.replay.sampling import newest_records

    names = topic_names(settings.kafka)
    with reading(settings.kafka, "doctor") as consumer, broker_errors(settings.kafka):
        for topic in MAIN:
            with suppress(TopicError):
                yield from newest_records(consumer, topic, names[topic], sample)


def _registry(settings: Settings) -> Iterator[Finding]:
    from lis_online.doctor.registry import check_registry

    return check_registry(settings.mapping.registry)


def _history(settings: Settings) -> Iterator[Finding]:
    from lis_online.doctor.finding import Finding

    if settings.history.url is None:
        change = "set history.url to keep them"
        yield Finding("history", "warning", "numbers are served and kept nowhere: history.url is empty", change)
        return
    from lis_online.history import schema
    from lis_online.history.engine import address, opened
    from lis_online.history.rights import lacking_rights

    with opened(settings) as engine:
        schema.check(engine)
        lacking = lacking_rights(engine)
        where = address(engine.url)
    if lacking:
        said = f"the role at {where} lacks {', '.join(lacking[:3])}{' and more' if len(lacking) > 3 else ''}"
        yield Finding("history", "wrong", said, "run `lis-online db grant-writer` for it as the tables' owner")
    else:
        yield Finding("history", "ok", f"{where} is at revision {schema.head()}, and its role may write rows")


def _device(settings: Settings) -> Iterator[Finding]:
    from lis_online.doctor.finding import Finding

    try:
        from lis_online.rankers.device import choose_device, describe_device
    except ModuleNotFoundError:
        change = "pip install 'lis-online[rank]' where rank, evaluate or backfill run"
        yield Finding("device", "warning", "torch is not installed: this machine can join and publish alone", change)
        return
    device = choose_device(settings.training.device)
    yield Finding("device", "ok", f"rankers learn on {describe_device(device, settings.training.threads)}")


def _print(finding: Finding) -> None:
    from rich.text import Text

    from lis_online.cli.dead_letters_text import printable

    word, colour = MARKS[finding.state]
    line = Text.assemble((f"{word:<8}", colour), f"{finding.check}: {_plain(finding.said, printable)}")
    if finding.change is not None:
        line.append(f"\n{'':8}{_plain(finding.change, printable)}")
    out_console().print(line, soft_wrap=True)


def _plain(text: str, printable: Callable[[bytes], str]) -> str:
    return printable(text.encode(errors="backslashreplace"))
