"""The progress bar of long commands."""

from __future__ import annotations

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn


def progress(counted: str) -> Progress:
    """Return a bar on standard error, so that standard output is the result alone; nothing where that is no terminal.

    counted: what follows the bar, a format of the task's fields.
    """
    console = Console(stderr=True)
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn(counted),
        TimeRemainingColumn(),
        console=console,
        disable=not console.is_terminal,
    )
