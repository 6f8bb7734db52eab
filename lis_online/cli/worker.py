"""`lis-online worker`: a role of the live path."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from lis_online.cli.options import Config
from lis_online.settings import load

RoleName = Annotated[
    Literal["join", "rank", "publish", "all"], typer.Argument(help="What it does; all: the three in one process.")
]


def worker(role: RoleName, config: Config = None) -> None:
    """Run a worker until SIGTERM or Ctrl-C; it ends with a last checkpoint.

    Exit code 0: it was told to end. 1: something could not go on, the log says what; start it again, and it goes
    on from its checkpoint. 2: settings, topics or the history are not as they must be.

    Example: lis-online worker all -c lis-online.toml
    """
    settings = load(config)
    from streams.live import run_worker  # Faust takes a second to import: only here

    raise typer.Exit(run_worker(role, settings))
