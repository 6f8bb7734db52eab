"""Where commands print: a terminal's own width and colours, or whole lines where there is none.

NO_COLOR, FORCE_COLOR and TERM=dumb are kept by rich; whether lines are cut to a width is decided here, by whether a
terminal is there at all.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Final

from rich.console import Console, ConsoleOptions, RenderResult
from rich.measure import Measurement
from rich.text import Text

if TYPE_CHECKING:
    from typing import TextIO

WHOLE: Final = 100_000
"""Columns where there is no terminal, in a file, a pipe or a log: no line is broken or cut."""


def out_console() -> Console:
    """Return a console on standard output."""
    return _console(sys.stdout, stderr=False)


def error_console() -> Console:
    """Return a console on standard error."""
    return _console(sys.stderr, stderr=True)


def is_watched() -> bool:
    """Say whether somebody can watch how far a command is: standard error is a terminal that can move its cursor."""
    return sys.stderr.isatty() and not Console(stderr=True).is_dumb_terminal


def _console(stream: TextIO, *, stderr: bool) -> Console:
    if stream.isatty():
        return Console(stderr=stderr, highlight=False)
    # with a height too: rich takes a dumb terminal for 80 columns wide otherwise
    return Console(stderr=stderr, highlight=False, width=WHOLE, height=25)


class Stacked:
    """Words that stand below each other on a terminal, where width is scarce, and on one line elsewhere."""

    def __init__(self, *parts: Text) -> None:
        self._parts = parts

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        yield self._text(console)

    def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Measurement:
        return Measurement.get(console, options, self._text(console))

    def _text(self, console: Console) -> Text:
        return Text(" " if console.width >= WHOLE else "\n").join(self._parts)
