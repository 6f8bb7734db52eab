"""`lis-online replay`: a recorded log into Kafka."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from lis_online.cli.options import Config
from lis_online.settings import load

if TYPE_CHECKING:
    from lis_online.replay.producer import Replayed

app = typer.Typer(name="replay", help="Send a recorded log into Kafka.", no_args_is_help=True)


@app.callback()
def replay() -> None:
    """Send a recorded log into Kafka."""


@app.command()
def events(
    path: Annotated[str, typer.Argument(help='A recorded log: .jsonl, .jsonl.gz or .parquet; "-" reads a pipe.')],
    config: Config = None,
    speed: Annotated[str, typer.Option(help='Times as fast as it happened, such as 100x; "max": at once.')] = "1x",
    finish: Annotated[bool, typer.Option("--finish", help="End every partition: the pipeline drains.")] = False,
) -> None:
    """Send a log of the event schema, or of your own format as the settings map it.

    Example: lis-online replay events run/events.jsonl -c run/lis-online.toml --speed 100x --finish
    """
    from lis_online.events.recorded_log import read
    from lis_online.mapping.codec import Codec
    from lis_online.replay.pacing import Pace, parse_speed
    from lis_online.replay.producer import Replay, producer_of

    pace = Pace(parse_speed(speed))
    settings = load(config)
    kafka, codec = settings.kafka, Codec(settings.mapping)
    producer = producer_of(kafka)
    try:
        with _progress() as progress:
            task = progress.add_task("replaying", figures="")

            def show(replayed: Replayed) -> None:
                late = f", {replayed.behind:.0f} s behind its speed" if replayed.behind >= 1 else ""
                progress.update(task, figures=f"{replayed.total:,} records{late}")

            replayed = Replay(kafka, producer, pace, codec).run(read(path), finish, show)
    except KeyboardInterrupt:
        producer.flush()  # what was sent is there; the log can be replayed again, duplicates are dropped
        raise
    finally:
        producer.close(timeout=5)
    counts = ", ".join(f"{count} {topic}" for topic, count in sorted(replayed.records.items()))
    typer.echo(f"sent {counts or 'nothing'}{', and the end' if replayed.finished else ''}")


def _progress() -> Progress:
    """Return a line on standard error that says how far it is."""
    console = Console(stderr=True)
    return Progress(
        SpinnerColumn(),
        TextColumn("{task.description} {task.fields[figures]}"),
        TimeElapsedColumn(),
        console=console,
        disable=not console.is_terminal,
    )
