"""`lis-online evaluate`: the same shards over a recorded log, without Kafka or PostgreSQL."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from lis_online.cli.app import App
from lis_online.cli.consoles import out_console
from lis_online.cli.options import AsJson, Config, print_json
from lis_online.cli.progress import progress, waiting
from lis_online.collector import collecting_seldom
from lis_online.errors import UsageError
from lis_online.settings import Settings, load_table
from lis_online.settings.durations import format_duration

if TYPE_CHECKING:
    from lis_online.events.recorded_log import RecordedEvent
    from lis_online.replay.vectors import Vectors
    from lis_online.shards.pipeline import Refused

MINUTE = timedelta(minutes=1)

app = App(name="evaluate", help="LIS and AIS over a recorded log, without Kafka or PostgreSQL.")

Metric = Annotated[Literal["auc", "gauc"] | None, typer.Option(help="The ranking metric; the settings' otherwise.")]
Representations = Annotated[
    list[str] | None,
    typer.Option(
        "--representation", metavar="NAME=PATH", help="A variant and its vectors: .npz, .parquet, .safetensors, .jsonl."
    ),
]


@app.command()
def events(
    path: Annotated[str, typer.Argument(help='A recorded log: .jsonl, .jsonl.gz or .parquet; "-" reads a pipe.')],
    config: Config = None,
    representation: Representations = None,
    metric: Metric = None,
    as_json: AsJson = False,
) -> None:
    """Evaluate a log of the event schema.

    Example: lis-online evaluate events run/events.jsonl -c run/lis-online.toml
    """
    from lis_online.events.recorded_log import STDIN, read

    vectors = _vectors(representation)
    settings = _settings(config, vectors, metric)
    size = None if path == STDIN else _size(Path(path))
    log = read(path)
    _evaluate(settings, _with_vectors(log, vectors), size, as_json)


@app.command()
def mind(
    path: Annotated[Path, typer.Argument(help="A behaviors.tsv of MIND, or the folder it is in.")],
    config: Config = None,
    representation: Representations = None,
    metric: Metric = None,
    as_json: AsJson = False,
) -> None:
    """Evaluate a log in the format of the Microsoft News data set (MIND).

    Example: lis-online evaluate mind MINDsmall_train --representation title=title.npz --json
    """
    from lis_online.replay.mind import read

    vectors = _vectors(representation)
    settings = _settings(config, vectors, metric, THIN_LOG)
    with waiting("reading the log"):
        log = list(read(path))
    size = sum(len(value or b"") for _, value in log)
    _evaluate(settings, _with_vectors(iter(log), vectors), size, as_json)


@app.command(name="open-bandit")
def open_bandit(
    path: Annotated[Path, typer.Argument(help="A folder of the Open Bandit data set.")],
    config: Config = None,
    representation: Representations = None,
    metric: Metric = None,
    as_json: AsJson = False,
) -> None:
    """Compare the two policies of the Open Bandit data set as the arms of an experiment for each campaign.

    The data have no user ids: each impression is a user of its own.

    Example: lis-online evaluate open-bandit open_bandit_dataset --json
    """
    from lis_online.replay.open_bandit import events, experiments, read_shown

    with waiting("reading the log"):
        shown = read_shown(path)
    vectors = _vectors(representation)
    defaults = {**THIN_LOG, "experiment": experiments(row.campaign for row in shown)}
    if not vectors:  # nobody is seen twice, so nothing was clicked together: a source would have nothing to say
        defaults["preference"] = []
    settings = _settings(config, vectors, metric, defaults)
    log = list(events(shown))
    _evaluate(settings, _with_vectors(iter(log), vectors), sum(len(value) for _, value in log), as_json)


THIN_LOG = {"metrics": {"bucket": "30m", "windows": ["1h", "6h", "24h"]}, "training": {"batch": 128}}
"""A sample of a log is thin: a minute of it holds a slate or two, and a step never spans two buckets; and it is small,
so the rankers take smaller steps."""


def _vectors(named: list[str] | None) -> dict[str, Vectors]:
    from lis_online.replay.vectors import read_vectors

    vectors: dict[str, Vectors] = {}
    for entry in named or []:
        name, separator, path = entry.partition("=")
        if not (name and separator and path):
            raise UsageError(f"--representation must be NAME=PATH, got {entry!r}")
        if name in vectors:
            raise UsageError(f"--representation names must differ, got {name!r} twice")
        vectors[name] = read_vectors(path)
    return vectors


def _settings(
    config: Path | None, vectors: Mapping[str, Vectors], metric: str | None, defaults: dict[str, Any] | None = None
) -> Settings:
    """Return the settings with a variant for each file of vectors that they do not have yet.

    defaults: the tables to start from where there is no settings file.
    """

    def change(table: dict[str, Any]) -> None:
        if config is None:
            table.update(copy.deepcopy(defaults or {}))
        known = _names(table.get("variant"))
        source = next(iter(_names(table.get("preference"))), DEFAULT_SOURCE)
        new = [
            {"name": n, "preference": source, "dimension": v.dimension} for n, v in vectors.items() if n not in known
        ]
        if new and isinstance(table.setdefault("variant", []), list):
            table["variant"] += new
        if metric and isinstance(table.setdefault("metrics", {}), dict):
            table["metrics"]["metric"] = metric

    settings = load_table(config, change)
    for variant in settings.variant:
        if variant.name in vectors and vectors[variant.name].dimension != variant.dimension:
            raise UsageError(
                f"--representation {variant.name} must have dimension {variant.dimension} (of the settings), "
                f"got {vectors[variant.name].dimension}"
            )
    return settings


DEFAULT_SOURCE = "coclick"
"""The preference source where the settings name none."""


def _names(tables: Any) -> list[Any]:
    """Return the names in a list of tables that nothing has checked yet: what is wrong with it is said later."""
    entries = tables if isinstance(tables, list) else []
    return [entry["name"] for entry in entries if isinstance(entry, dict) and "name" in entry]


def _with_vectors(log: Iterable[RecordedEvent], vectors: Mapping[str, Vectors]) -> Iterator[RecordedEvent]:
    from lis_online.replay.vector_log import before_first_impression

    return before_first_impression(log, vectors)


def _size(path: Path) -> int | None:
    """Return the bytes to read, or None where the file is packed."""
    from lis_online.replay.paths import is_file

    return path.stat().st_size if path.suffix == ".jsonl" and is_file(path) else None


def _evaluate(settings: Settings, log: Iterable[RecordedEvent], size: int | None, as_json: bool) -> None:
    from lis_online.cli.report import report
    from lis_online.shards.pipeline import Pipeline

    pipeline = Pipeline(settings)
    with progress("{task.fields[samples]:,} samples") as bar, collecting_seldom():
        task = bar.add_task("evaluating", total=size, samples=0)
        done = 0
        for number, (topic, value) in enumerate(log):
            pipeline.update(topic, value)
            done += len(value or b"")
            if number % 500 == 0:
                bar.update(task, completed=done, samples=pipeline.rank.samples)
        pipeline.finish()
        bar.update(task, total=done, completed=done, samples=pipeline.rank.samples)
    summary = pipeline.summary()
    if as_json:
        print_json(summary)
    else:
        out_console().print(report(summary))
    for sentence in (*_refusals(pipeline.refused), *_too_short(settings, summary)):
        typer.echo(f"lis-online: {sentence}", err=True)


def _refusals(refused: Iterable[Refused]) -> Iterator[str]:
    """Return a sentence for each kind of record that was refused."""
    for topic, reason, records, detail in refused:
        yield f"{records:,} of {topic} refused, {reason}: {detail}{' (the first)' if records > 1 else ''}"


def _too_short(settings: Settings, summary: dict[str, Any]) -> Iterator[str]:
    """Return what a log without numbers lacks: it must be longer than the warm-up, which begins with it.

    Arms have none: where they are all that is asked for, nothing is lacking.
    """
    if summary["samples"] or not summary["from"] or not summary["sources"] | summary["variants"]:
        return
    length = datetime.fromisoformat(summary["to"]) - datetime.fromisoformat(summary["from"])
    yield (
        f"no sample is later than the warm-up of {format_duration(settings.warm_up)} from the first on "
        f"(leakage.memory and leakage.horizon, or metrics.warm_up); the log is {length // MINUTE:,}m long"
    )
