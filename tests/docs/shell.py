"""What a reader of the documents types: commands that end, and workers and servers that run on beside them."""

from __future__ import annotations

import io
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Mapping
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import NamedTuple

import pytest

from lis_online.cli.main import run
from tests.documents import ROOT, split
from tests.streams.processes import wait_until

STARTS = 120
"""Seconds until a server answers at most: a guard against hanging."""
ENDS = 60


class Printed(NamedTuple):
    """How a command ended, and what it printed."""

    code: int
    out: str
    err: str


class Running:
    """A process that runs on. typed: its command line; address: where it answers 200 once it is ready.

    It must have the port to itself: another's answer there would hide that it has none.
    """

    def __init__(
        self, typed: str, address: str, words: list[str], folder: Path, environment: Mapping[str, str]
    ) -> None:
        assert not _answers(address), f"{typed}: {address} is another's"
        self._typed, self._address = typed, address
        self._log = folder / f"{words[0]}-{address.rpartition(':')[2].partition('/')[0]}.log"
        with self._log.open("wb") as log:
            command = [sys.executable, "-m", "lis_online", *words]
            self._process = subprocess.Popen(
                command, cwd=folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment
            )
        self._ready = False

    def wait(self) -> None:
        """Wait until it is ready. Raises AssertionError where it is not, with what it said."""
        if not self._ready:
            wait_until(lambda: self._process.poll() is not None or _answers(self._address), STARTS, self._said)
            self._ready = True
        assert self._process.poll() is None, self._said()

    def end(self) -> None:
        """Ask it to end, with SIGTERM. Raises AssertionError where that is an error."""
        self._process.send_signal(signal.SIGTERM)
        code = self._process.wait(ENDS)
        assert code == 0, f"ended with {code}: {self._said()}"

    def kill(self) -> None:
        """Leave nothing behind."""
        self._process.kill()
        self._process.wait()

    def _said(self) -> str:
        return f"{self._typed}\n{self._log.read_text()[-3000:]}"


class Keyboard(io.TextIOWrapper):
    """Standard input of somebody at a terminal who says yes, and of a pipe that names a user."""

    def __init__(self, *, piped: bool) -> None:
        super().__init__(io.BytesIO(b"u7\n" if piped else b"y\n"))
        self._piped = piped

    def isatty(self) -> bool:
        """Return whether somebody can be asked."""
        return not self._piped


class Shell:
    """Runs commands in a folder. environment: all variables; SERVE_PORT is that of a server whose line names none."""

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        self._folder, self._environment = folder, dict(environment)
        self._running: list[Running] = []

    def run(self, typed: str) -> Printed:
        """Run a command to its end; start a worker or server, for which the next command waits."""
        variables, words, _ = split(typed)
        if words[:2] in (["lis-online", "worker"], ["lis-online", "serve"]):
            self._running.append(self._start(typed, {**self._environment, **variables}, words[1:]))
            return Printed(0, "", "")
        self.wait()
        return self._here(variables, words[1:]) if words[0] == "lis-online" else self._beside(words)

    def wait(self) -> None:
        """Wait until everything that was started is ready: it has read its settings then."""
        for running in self._running:
            running.wait()

    def end(self) -> None:
        """End what runs on. Raises AssertionError where something did not start, or end, well."""
        try:
            self.wait()
            for running in self._running:
                running.end()
        finally:
            for running in self._running:
                running.kill()

    def _here(self, variables: Mapping[str, str], words: list[str]) -> Printed:
        """Run `lis-online` in this process, as its console script does: an import for each would take minutes."""
        out, err = io.StringIO(), io.StringIO()
        with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
            patch.chdir(self._folder)
            patch.syspath_prepend(str(self._folder))
            for name, value in {**self._environment, **variables}.items():
                patch.setenv(name, value)
            patch.setattr(sys, "argv", ["lis-online", *words])
            patch.setattr(sys, "stdin", Keyboard(piped="--stdin" in words))
            with pytest.raises(SystemExit) as ended:
                run()
            for name in [name for name in sys.modules if name.partition(".")[0] == "my_pkg"]:
                del sys.modules[name]  # the next reader has another
        return Printed(int(ended.value.code or 0), out.getvalue(), err.getvalue())

    def _start(self, typed: str, environment: Mapping[str, str], words: list[str]) -> Running:
        if words[0] == "worker":
            address = f"http://127.0.0.1:{environment['LIS_HTTP__PORT']}/readyz"
        else:
            words = words if "--port" in words else [*words, "--port", environment["SERVE_PORT"]]
            address = f"http://127.0.0.1:{words[words.index('--port') + 1]}/healthz"
        return Running(typed, address, words, self._folder, environment)

    def _beside(self, words: list[str]) -> Printed:
        """Run another program: curl where the reader is, the others where the files of the project are."""
        fails = ["--fail", "--show-error"] if words[0] == "curl" else []
        place = self._folder if words[0] == "curl" else ROOT
        command = [words[0], *fails, *words[1:]]
        done = subprocess.run(command, cwd=place, capture_output=True, text=True, timeout=STARTS, check=False)
        return Printed(done.returncode, done.stdout, done.stderr)


def _answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(address, timeout=5) as answer:
            return bool(answer.status == 200)
    except urllib.error.HTTPError as exc:
        exc.close()
    except OSError:
        pass
    return False
