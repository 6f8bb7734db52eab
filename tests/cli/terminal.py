"""The command line as a person has it: arguments in, exit code and what was printed out."""

from __future__ import annotations

import sys
from typing import NamedTuple

import pytest

from lis_online.cli.main import run


class Printed(NamedTuple):
    """How a command ended and what it printed."""

    code: int
    out: str
    err: str


class Terminal:
    """Runs commands in this process, through the same `run` as the console script."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
        self._monkeypatch, self._capfd = monkeypatch, capfd
        monkeypatch.setenv("COLUMNS", "200")

    def run(self, *arguments: str) -> Printed:
        """Run `lis-online` with these arguments."""
        self._monkeypatch.setattr(sys, "argv", ["lis-online", *arguments])
        self._capfd.readouterr()
        with pytest.raises(SystemExit) as ended:
            run()
        out, err = self._capfd.readouterr()
        return Printed(int(ended.value.code or 0), out, err)

    def refused(self, *arguments: str) -> str:
        """Run a command that must be refused in one line; return the line."""
        printed = self.run(*arguments)
        lines = printed.err.splitlines()
        assert (printed.code, printed.out, len(lines)) == (2, "", 1), printed
        assert lines[0].startswith("lis-online: ")
        return lines[0].removeprefix("lis-online: ")
