"""`lis-online backfill`: a stretch of the past under other settings, into the history beside the live numbers."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lis_online.cli.history_range import Zone, find_zone, parse_limit
from lis_online.cli.options import AsJson, Config, print_json
from lis_online.cli.progress import progress
from lis_online.errors import UsageError
from lis_online.settings import Settings, load

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from lis_online.backfill.run import Backfill, Backfilled
    from lis_online.backfill.stretch import Stretch
    from lis_online.records import Record

COUNTED = "{task.fields[samples]:,} samples, {task.fields[buckets]:,} buckets written"


def backfill(
    start: Annotated[str, typer.Option("--from", help="Begin of the stretch, ISO 8601; with --zone without a zone.")],
    end: Annotated[str, typer.Option("--to", help="End of the stretch, exclusive.")],
    path: Annotated[
        str | None,
        typer.Argument(help='A recorded log: .jsonl, .jsonl.gz, .parquet; "-" reads a pipe. Else Kafka\'s topics.'),
    ] = None,
    zone: Zone = None,
    partial: Annotated[
        bool, typer.Option("--partial", help="Take what Kafka still has, though records from before are gone.")
    ] = False,
    as_json: AsJson = False,
    config: Config = None,
) -> None:
    """Run the pipeline over a stretch of the past under these settings, and write its numbers into the history.

    They stand under a configuration of their own, beside the live ones. What is written stays when it is stopped;
    running it again completes it.

    Example: lis-online backfill events.jsonl --from 2026-11-17T00:00Z --to 2026-11-20T00:00Z -c other.toml
    """
    from lis_online.backfill.stretch import Stretch
    from lis_online.history.engine import opened

    place = find_zone(zone)
    begins, ends = parse_limit(start, "--from", place), parse_limit(end, "--to", place)
    assert begins is not None and ends is not None
    if partial and path is not None:
        raise UsageError("--partial must be given without a path: it is about what Kafka still has")
    settings = load(config)
    stretch = Stretch.of(settings, begins, ends)
    with opened(settings) as engine:
        done = _backfill(engine, settings, stretch, path, partial)
        _report(engine, settings, stretch, done, as_json)


def _backfill(engine: Engine, settings: Settings, stretch: Stretch, path: str | None, partial: bool) -> Backfilled:
    from lis_online.backfill.patience import PatientWriter
    from lis_online.backfill.run import Backfill
    from lis_online.history.backfills import check_backfill
    from lis_online.history.writer import HistoryWriter

    check_backfill(engine, settings)
    name = "Kafka" if path is None else "standard input" if path == "-" else Path(path).name
    write = PatientWriter(HistoryWriter(engine, settings, note=f"backfill of {name}, {stretch}").write).write
    if path is None:
        run = Backfill(settings, stretch, write, shards=settings.kafka.partitions, judge_clock="record")
    else:
        run = Backfill(settings, stretch, write)
    try:
        with closing(_records(settings, stretch, path, partial)) as records, progress(COUNTED) as bar:
            task = bar.add_task("backfilling", total=stretch.end - stretch.reads_from, buckets=0, samples=0)

            def show(run: Backfill) -> None:
                reached = min(max(run.watermark, stretch.reads_from), stretch.end) - stretch.reads_from
                bar.update(task, completed=reached, buckets=run.done.buckets, samples=run.done.read)

            run.run(records, show)
    except KeyboardInterrupt:
        typer.echo(f"stopped: {run.done.buckets:,} buckets are written; run it again to complete it", err=True)
        raise
    return run.done


def _records(settings: Settings, stretch: Stretch, path: str | None, partial: bool) -> Generator[Record, None, None]:
    if path is not None:
        from lis_online.backfill.beginning import records_from
        from lis_online.events.recorded_log import read
        from lis_online.mapping.codec import Codec

        yield from records_from(read(path), stretch.reads_from, Codec(settings.mapping).time)
    else:
        from lis_online.replay.retained import read_retained

        yield from read_retained(settings, stretch.reads_from, stretch.closes(settings), partial)


def _report(engine: Engine, settings: Settings, stretch: Stretch, done: Backfilled, as_json: bool) -> None:
    from lis_online.history.configuration import find_configuration
    from lis_online.history.engine import transaction
    from lis_online.history.times import iso

    if done.start is None or done.end is None:
        raise UsageError(f"the log must have samples from {stretch}, got none in {done.read:,} that were read")
    with transaction(engine) as connection:
        configuration = find_configuration(connection, settings)
    covered = {"from": iso(done.start), "to": iso(done.end)}
    if as_json:
        figures = {"samples": done.samples, "buckets": done.buckets, "rows": done.rows, "complete": done.complete}
        print_json({"configuration": configuration, **covered, **figures})
        return
    typer.echo(
        f"configuration {configuration}: {done.samples:,} samples in {done.buckets:,} buckets, "
        f"{covered['from']} to {covered['to']}"
    )
    if not done.complete:
        typer.echo("the log ended before a horizon had passed after them: the last ones rest on the pairs there were")
