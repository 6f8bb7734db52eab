"""Output where there is no terminal, and where there is one: nothing is cut in a pipe, colours come and go as asked."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import typer
from rich.text import Text

from lis_online.cli.consoles import Stacked, is_watched, out_console
from lis_online.cli.progress import progress, waited
from lis_online.cli.report_parts import titled_table
from tests.cli.terminal import Terminal
from tests.documents import ROOT

LONG = "a-name-of-many-words-that-nobody-would-cut-" * 6
ESCAPE = "\x1b["


class Stream(io.StringIO):
    """A stream in memory that says whether it is a terminal."""

    def __init__(self, terminal: bool) -> None:
        super().__init__()
        self._terminal = terminal

    def isatty(self) -> bool:
        """Say what it was made as."""
        return self._terminal


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No developer's own colours."""
    for name in ("NO_COLOR", "FORCE_COLOR", "COLUMNS", "TTY_COMPATIBLE", "TTY_INTERACTIVE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")


def table_on(monkeypatch: pytest.MonkeyPatch, *, terminal: bool) -> str:
    """Return a table with a long name and a number in two parts, as standard output has it."""
    stream = Stream(terminal)
    monkeypatch.setattr(sys, "stdout", stream)
    table = titled_table("Variants", ("variant name", "number", "diagnosis"))
    table.add_row(LONG, Stacked(Text("+0.0123"), Text("[0.0100, 0.0150]", "green")), "aligned")
    out_console().print(table)
    return stream.getvalue()


def test_a_pipe_has_a_row_in_a_line_and_every_value_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    """`grep` finds a variant with its numbers beside it, and no ellipsis instead of them."""
    found = table_on(monkeypatch, terminal=False)
    [row] = [line for line in found.splitlines() if "aligned" in line]
    assert row.split() == [LONG, "+0.0123", "[0.0100,", "0.0150]", "aligned"]
    assert "variant name" in found and "…" not in found and ESCAPE not in found


def test_a_terminal_is_not_written_beyond_its_width(monkeypatch: pytest.MonkeyPatch) -> None:
    """There a number's interval stands below it, in colour."""
    monkeypatch.setenv("COLUMNS", "80")
    found = table_on(monkeypatch, terminal=True)
    assert "+0.0123 [0.0100" not in found and ESCAPE in found
    plain = Text.from_ansi(found).plain
    assert max(map(len, plain.splitlines())) <= 80


@pytest.mark.parametrize(
    ("variable", "value", "terminal", "coloured"),
    [
        ("NO_COLOR", "1", True, False),
        ("TERM", "dumb", True, False),
        ("FORCE_COLOR", "1", False, True),
        ("TERM", "xterm-256color", False, False),
        ("TERM", "xterm-256color", True, True),
    ],
)
def test_colours_are_as_the_environment_asks(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, terminal: bool, coloured: bool
) -> None:
    """And colours that are forced into a pipe do not bring a width with them."""
    monkeypatch.setenv(variable, value)
    found = table_on(monkeypatch, terminal=terminal)
    assert (f"{ESCAPE}32m" in found) == coloured
    assert terminal or LONG in found


def test_forced_colours_on_a_dumb_terminal_do_not_cut_a_pipe(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rich takes a dumb terminal for 80 columns wide."""
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "dumb")
    assert LONG in table_on(monkeypatch, terminal=False)


@pytest.mark.parametrize(
    ("terminal", "term", "watched"), [(True, "xterm", True), (True, "dumb", False), (False, "xterm", False)]
)
def test_progress_is_for_a_terminal_that_can_show_it(
    monkeypatch: pytest.MonkeyPatch, terminal: bool, term: str, watched: bool
) -> None:
    """A log of a night's run is not full of bars, colours forced or not; standard output never has any."""
    monkeypatch.setenv("TERM", term)
    monkeypatch.setenv("FORCE_COLOR", "1")
    out, err = Stream(terminal=True), Stream(terminal)
    monkeypatch.setattr(sys, "stdout", out)
    monkeypatch.setattr(sys, "stderr", err)
    assert is_watched() == watched
    with progress("{task.completed}") as bar:
        task = bar.add_task("reading", total=2)
        bar.advance(task, 2)
        typer.echo("kept")
    for step in waited(["one", "two"], "pruning"):
        typer.echo(step)
    assert out.getvalue() == "kept\none\ntwo\n"
    assert ("reading" in err.getvalue()) == ("pruning" in err.getvalue()) == watched
    assert watched or not err.getvalue()


def test_errors_are_one_line_however_long(terminal: Terminal) -> None:
    """A line of a log, not eighty columns of it."""
    sentence = terminal.refused("config", "check", "-c", LONG)
    assert sentence == f"{LONG}: cannot read the file: File name too long"


def test_a_reader_that_goes_away_hears_nothing() -> None:
    """`lis-online config show | head -1`: no traceback, no word on standard error."""
    read, write = os.pipe()
    os.close(read)
    try:
        done = subprocess.run(command("config", "show"), stdout=write, stderr=subprocess.PIPE, cwd=ROOT, check=False)
    finally:
        os.close(write)
    assert (done.returncode, done.stderr) == (1, b"")


def test_interrupting_ends_with_130_and_no_traceback(tmp_path: Path) -> None:
    """While it reads a pipe that nothing comes from."""
    settings = tmp_path / "lis-online.toml"
    settings.write_text('[kafka]\nbootstrap = "127.0.0.1:1"\n')
    process = subprocess.Popen(
        command("forget", "--stdin", "--yes", "-c", str(settings)),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=ROOT,
    )
    with process:
        assert process.stdin is not None
        process.stdin.write(b"user\n" * 100_000)  # more than a pipe holds: it returns once the command reads
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (130, b"")
    assert b"Traceback" not in err


def command(*arguments: str) -> list[str]:
    """Return what runs `lis-online` in a process of its own."""
    return [sys.executable, "-c", "from lis_online.cli.main import run; run()", *arguments]
