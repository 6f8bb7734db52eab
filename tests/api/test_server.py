"""The process that answers: where it listens, how it starts and ends."""

from __future__ import annotations

import logging
import signal
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest
from sqlalchemy import Engine

from lis_online.api import server
from lis_online.errors import UsageError
from lis_online.simulate.toml import to_toml
from tests.review.history import TABLE

pytestmark = pytest.mark.postgres


def test_command_answers_and_ends_with_ctrl_c(filled: Engine, tmp_path: Path) -> None:
    """A real process on a free port: it says where, answers, and Ctrl-C is no error."""
    url = filled.url.render_as_string(hide_password=False)
    file = tmp_path / "lis-online.toml"
    file.write_text(to_toml({**TABLE, "history": {**TABLE["history"], "url": url}}))
    assert tomllib.loads(file.read_text())["history"]["url"] == url
    command = [
        sys.executable,
        "-c",
        "from lis_online.cli.main import run; run()",
        "serve",
        "-c",
        str(file),
        "--port",
        "0",
    ]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    try:
        said = next(line for line in process.stderr if "answering at http://127.0.0.1:" in line)
        address = said.rsplit(" ", 1)[1].strip()
        with urlopen(f"{address}/healthz", timeout=60) as found:
            assert (found.status, found.read()) == (200, b'{"status":"ok"}')
        with urlopen(Request(f"{address}/healthz", method="HEAD"), timeout=60) as found:
            assert (found.status, found.headers["content-length"], found.read()) == (200, "15", b"")
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 0
        assert "Traceback" not in process.stderr.read()
    finally:
        process.kill()
        process.wait()
        process.stderr.close()


def test_address_beyond_this_machine_needs_a_word_and_is_loud(caplog: pytest.LogCaptureFixture) -> None:
    """There is no password; who exposes it has said so."""
    for host in ("0.0.0.0", "::", "10.0.0.5", "example.org"):
        with pytest.raises(UsageError, match=r"--host must be an address of this machine alone, .*--insecure-bind"):
            server.check_host(host, insecure_bind=False)
    with caplog.at_level(logging.WARNING):
        server.check_host("127.0.0.1", insecure_bind=False)
        assert caplog.text == ""
        server.check_host("0.0.0.0", insecure_bind=True)
    assert "0.0.0.0 answers everybody who reaches it, without a password" in caplog.text


def test_port_that_is_taken_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    """And the program's exit code 2, not a traceback."""
    from lis_online.settings import Settings

    with server._bound("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(UsageError, match=f"must be a free address: Address already in use, got 127.0.0.1:{port}"):
            server.serve(Settings.of({}), "127.0.0.1", port)


def test_a_long_request_line_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Uvicorn is told how much of a request it keeps."""
    kept: dict[str, Any] = {}
    from lis_online.settings import Settings

    monkeypatch.setattr(server._Server, "run", lambda self, sockets: kept.update(vars(self.config)))
    server.serve(Settings.of({}), "127.0.0.1", 0)
    assert (kept["h11_max_incomplete_event_size"], kept["limit_concurrency"]) == (16_384, server.MOST_OPEN)
