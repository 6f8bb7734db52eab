"""What a long command shows while it works: on standard error, so that standard output is the result alone.

Nothing is shown where standard error is no terminal.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    ProgressColumn,
    SpinnerColumn,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from lis_online.cli.consoles import is_watched

Step = TypeVar("Step")


def progress(counted: str) -> Progress:
    """Return a bar for work whose end is known.

    counted: what follows the bar, a format of the task's fields.
    """
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TextColumn(counted))
    return _progress(*columns, TimeRemainingColumn())


def counter(counted: str) -> Progress:
    """Return a line for work whose end is not known. counted: a format of the task's fields."""
    return _progress(SpinnerColumn(), TextColumn("{task.description}"), TextColumn(counted), TimeElapsedColumn())


@contextmanager
def waiting(said: str) -> Iterator[None]:
    """Say what is waited for. Nothing may be printed meanwhile."""
    with _progress(SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn(), transient=True) as line:
        line.add_task(said)
        yield


def waited(steps: Iterable[Step], said: str) -> Iterator[Step]:
    """Yield steps as they come, and say what is waited for while the next one is made."""
    iterator = iter(steps)
    while True:
        with waiting(said):
            try:
                step = next(iterator)
            except StopIteration:
                return
        yield step


def _progress(*columns: ProgressColumn, transient: bool = False) -> Progress:
    # standard output is not redirected: it would go to standard error's terminal, where it may be a file's
    return Progress(
        *columns,
        console=Console(stderr=True),
        transient=transient,
        redirect_stdout=False,
        disable=not is_watched(),
    )
