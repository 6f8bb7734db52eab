"""`lis-online vectors`: a model's vectors into Kafka, or into a recorded log."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lis_online.cli.app import App
from lis_online.cli.completions import variants
from lis_online.cli.options import AsJson, Config, print_json
from lis_online.cli.progress import progress, waiting
from lis_online.errors import UsageError
from lis_online.settings import Settings, load
from lis_online.settings.durations import format_duration

if TYPE_CHECKING:
    from lis_online.replay.vector_sending import Plan
    from lis_online.replay.vector_survey import Survey
    from lis_online.replay.vectors import Vectors

app = App(name="vectors", help="A model's vectors of items, into Kafka or a recorded log.")


@app.callback()
def vectors() -> None:
    """A model's vectors of items, into Kafka or a recorded log."""


@app.command()
def send(
    path: Annotated[Path, typer.Argument(help="Vectors: .npz, .parquet, .safetensors, .jsonl or .jsonl.gz.")],
    variant: Annotated[
        str, typer.Option(autocompletion=variants, help="The variant of the settings that they are of.")
    ],
    version: Annotated[str, typer.Option(help="The model's version; a new model is a new version.")] = "1",
    config: Config = None,
    ts: Annotated[
        str | None, typer.Option(help="Valid from then on, ISO 8601; now, or in a log just before its first event.")
    ] = None,
    ids: Annotated[str, typer.Option(help="The column, array, tensor or key of the items' ids.")] = "item_id",
    vectors: Annotated[str, typer.Option(help="That of the vectors.")] = "vector",
    log: Annotated[
        str | None, typer.Option(help="A recorded log: which items it shows, and with --out what to merge with.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Write a recorded log (.jsonl, .jsonl.gz) instead of sending to Kafka.")
    ] = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="Send new vectors of items that have others of this version.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what the file holds, and send nothing.")] = False,
    as_json: AsJson = False,
) -> None:
    """Send the vectors of a file to the topic `representations`. Sending them again changes nothing.

    Example: lis-online vectors send minilm.safetensors --variant minilm --version 1 -c lis-online.toml
    """
    from lis_online.replay.vector_files import read_table
    from lis_online.replay.vectors import checked

    _check_version(version)
    since = None if ts is None else _time(ts)
    settings = load(config)
    with waiting("reading vectors"):
        table = read_table(path, ids, vectors)
    _check_variant(settings, variant, int(table.vector.shape[1]), required=out is None and not dry_run)
    if dry_run:
        survey = _survey(table, log)
        if as_json:
            print_json(survey.to_json())
        else:
            typer.echo(_said(survey))
        return
    found = checked(table)
    if out is not None:
        with waiting("writing the log"):
            done = _write(found, variant, version, since, log, out)
    else:
        done = _send(settings, found, variant, version, since, replace)
    if as_json:
        print_json(done)
    else:
        typer.echo(_sentence(done))


def _check_version(version: str) -> None:
    from lis_online.events.decode import MAX_VERSION

    if not 0 < len(version) <= MAX_VERSION or not version.isprintable():
        raise UsageError(f"--version must be 1 to {MAX_VERSION} printable characters, got {version[:120]!r}")


def _time(text: str) -> int:
    from lis_online.history.times import parse_time

    try:
        return parse_time(text, "--ts")
    except ValueError as exc:
        raise UsageError(str(exc)) from exc


def _check_variant(settings: Settings, name: str, dimension: int, required: bool) -> None:
    """Refuse what the join shards would refuse. required: the settings must have the variant."""
    known = {variant.name: variant.dimension for variant in settings.variant}
    if name not in known:
        if required:
            raise UsageError(f"--variant must be one of the settings' {sorted(known)}, got {name!r}")
    elif known[name] != dimension:
        raise UsageError(
            f"vectors of variant {name} must have dimension {known[name]} (of the settings), got {dimension}"
        )


def _survey(table: Any, log: str | None) -> Survey:
    from lis_online.events.recorded_log import read
    from lis_online.replay.vector_survey import Survey, shown_items

    return Survey.of(table, None if log is None else shown_items(read(log)))


def _said(survey: Survey) -> str:
    """Return the survey in lines."""
    lines = [f"{survey.rows:,} rows, {survey.items:,} items, dimension {survey.dimension}"]
    if survey.norms is not None:
        lines.append("length of a vector: {:.4g} at least, {:.4g} in the middle, {:.4g} at most".format(*survey.norms))
    problems = {
        "not finite as float16": ("not_finite", survey.not_finite),
        "items with more than one vector": ("contradicting", survey.contradicting),
        "items that the log does not show": ("unknown", survey.unknown or 0),
    }
    for words, (name, count) in problems.items():
        if count:
            some = ", ".join(survey.examples[name])
            lines.append(f"{words}: {count:,} ({some}{', ...' if count > len(survey.examples[name]) else ''})")
    if survey.zero:
        lines.append(f"vectors of length 0, like nothing: {survey.zero:,}")
    if survey.shown:
        covered = 1 - (survey.without_vector or 0) / survey.shown
        lines.append(f"items that the log shows: {survey.shown:,}, of which {covered:.1%} have a vector")
    if survey.not_finite or survey.contradicting:
        lines.append("a send would refuse this file")
    return "\n".join(lines)


def _write(found: Vectors, variant: str, version: str, since: int | None, log: str | None, out: Path) -> dict[str, Any]:
    from lis_online.events.recorded_log import read
    from lis_online.replay.vector_log import merged, write_log

    if since is None and log is None:
        raise UsageError("--out must come with --log, whose first event says when the vectors begin, or with --ts")
    records = write_log(out, merged(read(log) if log is not None else (), found, variant, version, since))
    return {"sent": len(found.item_id), "variant": variant, "version": version, "to": str(out), "records": records}


def _send(
    settings: Settings, found: Vectors, variant: str, version: str, since: int | None, replace: bool
) -> dict[str, Any]:
    from lis_online.events.topics import topic_names
    from lis_online.replay.pacing import Pace
    from lis_online.replay.producer import Replay, producer_of
    from lis_online.replay.vector_sending import TOPIC, Plan, held_vectors

    now = int(time.time() * 1000)
    ahead = settings.events.max_ahead
    if since is not None and since > now + ahead:
        raise UsageError(
            f"--ts must be at most {format_duration(ahead)} from now (events.max_ahead): it would be refused"
        )
    with progress("{task.completed:,} of {task.total:,}") as bar:
        task = bar.add_task("reading what is there", total=0)
        held = held_vectors(
            settings, variant, found.dimension, lambda done, total: bar.update(task, completed=done, total=total)
        )
        ts = now if since is None else since
        plan = Plan.of(found, held, version, ts)
        if plan.replaced and not replace:
            raise UsageError(_refusal(plan, variant, version))
        bar.reset(task, description="sending", total=len(plan.to_send.item_id))
        producer = producer_of(settings.kafka)
        try:
            Replay(settings.kafka, producer, Pace(None)).run(
                plan.to_send.records(variant, ts, version),
                progress=lambda sent: bar.update(task, completed=sent.total),
            )
        finally:
            producer.close(timeout=5)
    return {
        "sent": len(plan.to_send.item_id),
        "variant": variant,
        "version": version,
        "to": topic_names(settings.kafka)[TOPIC],
        "unchanged": plan.unchanged,
        "newer": plan.newer,
        "replaced": len(plan.replaced),
        "passed": plan.passed,
    }


def _refusal(plan: Plan, variant: str, version: str) -> str:
    from lis_online.replay.vectors import named

    return (
        f"version {version} of {variant} must have the vectors it was published with, got others for "
        f"{named(plan.replaced)}: give a new model a new --version, or send changed items with --replace"
    )


def _sentence(done: dict[str, Any]) -> str:
    """Return what was done in one line."""
    said = f"sent {done['sent']:,} vectors of {done['variant']}, version {done['version']}, to {done['to']}"
    more = {
        "unchanged": "were there already",
        "newer": "were left, their items have newer ones",
        "replaced": "replaced others of this version",
        "passed": "follow those of another version",
    }
    told = [f"{done[name]:,} {words}" for name, words in more.items() if done.get(name)]
    return f"{said}; {'; '.join(told)}" if told else said
