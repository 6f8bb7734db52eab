"""`lis-online topics`: the Kafka topics, made and checked."""

from __future__ import annotations

import typer

from lis_online.cli.options import Config
from lis_online.settings import load

app = typer.Typer(name="topics", help="The Kafka topics.", no_args_is_help=True)


@app.command()
def create(config: Config = None) -> None:
    """Create the topics that are missing, with partitions, compaction and retention; then check all of them."""
    from streams.topics import create_topics

    settings = load(config)
    created = create_topics(settings)
    typer.echo(f"created {', '.join(created)}" if created else "every topic is there already")


@app.command()
def check(config: Config = None) -> None:
    """Exit with 2 when a topic is missing or has the wrong shape: partitions, cleanup policy, retention."""
    from streams.topics import check_topics, topic_shapes

    settings = load(config)
    check_topics(settings)
    listed = ", ".join(f"{shape.name} ({shape.partitions})" for shape in topic_shapes(settings))
    typer.echo(f"topics at {settings.kafka.bootstrap} are as they must be: {listed}")
