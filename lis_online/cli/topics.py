"""`lis-online topics`: the Kafka topics, made and checked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import typer

from lis_online.cli.app import App
from lis_online.cli.options import AsJson, Config, print_json
from lis_online.cli.peek import peek
from lis_online.cli.progress import waiting
from lis_online.errors import TopicError
from lis_online.settings import Settings, load
from lis_online.settings.durations import format_duration

if TYPE_CHECKING:
    from streams.topics import TopicReport

app = App(name="topics", help="The Kafka topics.")
app.command()(peek)


@app.command()
def create(as_json: AsJson = False, config: Config = None) -> None:
    """Create the topics that are missing, with partitions, compaction and retention; then check all of them.

    Example: lis-online topics create -c lis-online.toml
    """
    from streams.topics import create_topics

    settings = load(config)
    with waiting("creating topics"):
        created = create_topics(settings)
    if as_json:
        print_json({"created": created})
        return
    typer.echo(f"created {', '.join(created)}" if created else "every topic is there already")


@app.command()
def check(
    as_json: AsJson = False,
    config: Config = None,
) -> None:
    """Exit with 2 when a topic is missing or has the wrong shape: partitions, cleanup policy, retention.

    Says what each topic takes on disk, by the hour and once its retention is full, and what should be otherwise.

    Example: lis-online topics check -c lis-online.toml
    """
    from streams.topics import report_topics

    settings = load(config)
    with waiting("looking at topics"):
        report = report_topics(settings)
    table = _table(settings, report)
    if as_json:
        print_json(_document(report, table))
        if report.problems:
            raise typer.Exit(2)
        return
    if report.problems:
        raise TopicError("; ".join(report.problems))
    typer.echo(f"topics at {settings.kafka.bootstrap} are as they must be")
    _print(table)
    typer.echo(_kept(report))
    for warning in report.warnings:
        typer.echo(f"warning: {warning}")


def _table(settings: Settings, report: TopicReport) -> list[dict[str, Any]]:
    from streams.topics import topic_shapes

    rows = []
    for shape in topic_shapes(settings):
        size, kept = report.sizes.get(shape.logical), report.retention.get(shape.logical)
        rows.append(
            {
                "topic": shape.name,
                "partitions": shape.partitions,
                "compacted": shape.compacted,
                "retention_ms": kept,
                "records": size and size.records,
                "bytes": size and size.bytes,
                "bytes_per_hour": None if size is None or size.per_hour is None else round(size.per_hour),
                # what compaction leaves depends on how many items there are, not on time
                "bytes_at_retention": None if size is None or shape.compacted else size.at(kept),
            }
        )
    return rows


def _document(report: TopicReport, table: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "needed_retention_ms": report.needed,
        "may_be_away_ms": report.away,
        "problems": report.problems,
        "warnings": report.warnings,
        "topics": table,
    }


def _print(table: list[dict[str, Any]]) -> None:
    heads = ("topic", "partitions", "kept for", "records", "bytes", "an hour", "when full")
    lines = [heads, *(_cells(row) for row in table)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for name, *others in lines:
        cells = [cell.rjust(width) for cell, width in zip(others, widths[1:], strict=True)]
        typer.echo("  ".join([name.ljust(widths[0]), *cells]))
    typer.echo(
        "Bytes of one replica. An hour: bytes now over the time from the first record to the last. When full: an hour "
        "times the retention; segments that are still written to come on top."
    )


def _cells(row: dict[str, Any]) -> tuple[str, ...]:
    age = row["retention_ms"]
    kept = "for ever" if age is None or row["compacted"] else format_duration(age)
    numbers = [row[name] for name in ("records", "bytes", "bytes_per_hour", "bytes_at_retention")]
    return row["topic"], str(row["partitions"]), kept, *("-" if n is None else f"{n:,}" for n in numbers)


def _kept(report: TopicReport) -> str:
    needed = format_duration(report.needed)
    if report.away is None:
        return f"records must stay {needed}, and do for ever"
    return (
        f"records must stay {needed}: workers may be away, or checkpoints fail, for {report.away / 3_600_000:.1f} hours"
    )
