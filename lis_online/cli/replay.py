"""`lis-online replay`: a recorded log into Kafka."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from lis_online.cli.app import App
from lis_online.cli.options import AsJson, Config, print_json
from lis_online.cli.progress import counter
from lis_online.settings import load

if TYPE_CHECKING:
    from lis_online.replay.producer import Replayed

app = App(name="replay", help="Send a recorded log into Kafka.")


@app.callback()
def replay() -> None:
    """Send a recorded log into Kafka."""


@app.command()
def events(
    path: Annotated[str, typer.Argument(help='A recorded log: .jsonl, .jsonl.gz or .parquet; "-" reads a pipe.')],
    config: Config = None,
    speed: Annotated[str, typer.Option(help='Times as fast as it happened, such as 100x; "max": at once.')] = "1x",
    finish: Annotated[bool, typer.Option("--finish", help="End every partition: the pipeline drains.")] = False,
    as_json: AsJson = False,
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
        with counter("{task.fields[figures]}") as line:
            task = line.add_task("replaying", figures="")

            def show(replayed: Replayed) -> None:
                late = f", {replayed.behind:.0f} s behind its speed" if replayed.behind >= 1 else ""
                line.update(task, figures=f"{replayed.total:,} records{late}")

            replayed = Replay(kafka, producer, pace, codec).run(read(path), finish, show)
    except KeyboardInterrupt:
        producer.flush()  # what was sent is there; the log can be replayed again, duplicates are dropped
        raise
    finally:
        producer.close(timeout=5)
    if as_json:
        print_json({"sent": replayed.records, "finished": replayed.finished})
        return
    counts = ", ".join(f"{count} {topic}" for topic, count in sorted(replayed.records.items()))
    typer.echo(f"sent {counts or 'nothing'}{', and the end' if replayed.finished else ''}")
