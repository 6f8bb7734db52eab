"""The process that answers: where it listens, how it starts and ends."""

from __future__ import annotations

import base64
import contextlib
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
import tomllib
import warnings
from collections.abc import Iterator
from pathlib import Path
from queue import Queue
from typing import Any
from urllib.request import Request, urlopen

import httpx
import pytest
from sqlalchemy import Engine

from lis_online.access import CHALLENGES, REFUSAL
from lis_online.api import server
from lis_online.api.patience import ImpatientProtocol
from lis_online.errors import SettingsError, UsageError
from lis_online.settings import Settings
from lis_online.simulate.toml import to_toml
from tests.fixtures.certificates import Certificates
from tests.review.history import TABLE

pytestmark = pytest.mark.postgres

TOKEN = "recognisable-http-token"


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_command_answers_and_ends_as_it_is_told_to(filled: Engine, tmp_path: Path, how: signal.Signals) -> None:
    """A real process on a free port: it says where, answers, and neither Ctrl-C nor SIGTERM is an error."""
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
        process.send_signal(how)
        assert process.wait(60) == 0
        assert "Traceback" not in process.stderr.read()
    finally:
        process.kill()
        process.wait()
        process.stderr.close()


def test_address_beyond_this_machine_needs_token_and_certificate(monkeypatch: pytest.MonkeyPatch) -> None:
    """Given as a setting or as an option: the rule is that of a worker."""
    for table, host in (({"host": "0.0.0.0"}, None), ({}, "0.0.0.0"), ({"host": "10.0.0.5"}, "::")):
        with pytest.raises(SettingsError, match=r"http\.host: must be an address of this machine alone, .*http\.token"):
            server.serve(Settings.of({"http": table}), host, 0)


def test_port_that_is_taken_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    """And the program's exit code 2, not a traceback."""
    with server._bound("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(UsageError, match=f"must be a free address: Address already in use, got 127.0.0.1:{port}"):
            server.serve(Settings.of({}), "127.0.0.1", port)


def test_what_one_request_may_cost_is_told_to_uvicorn(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its bytes, how many at once, how long it may take to be asked; the tests below see what comes of it."""
    kept: dict[str, Any] = {}
    monkeypatch.setattr(server._Server, "run", lambda self, sockets: kept.update(vars(self.config)))
    server.serve(Settings.of({}), "127.0.0.1", 0)
    assert (kept["h11_max_incomplete_event_size"], kept["limit_concurrency"]) == (16_384, server.MOST_OPEN)


@pytest.fixture
def answering(filled: Engine, certificates: Certificates, monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """Return the port of a server with TLS and a token, which waits for nobody longer than half a second."""
    monkeypatch.setattr(ImpatientProtocol, "within", 0.5)
    url = filled.url.render_as_string(hide_password=False)
    http = {
        "host": "0.0.0.0",
        "token": TOKEN,
        "certificate_file": str(certificates.server),
        "key_file": str(certificates.server_key),
    }
    settings = Settings.of({**TABLE, "history": {**TABLE["history"], "url": url}, "http": http})
    running: list[server._Server] = []
    port: Queue[int] = Queue()

    class Noted(server._Server):
        def run(self, sockets: list[socket.socket] | None = None) -> None:
            assert sockets is not None
            running.append(self)
            port.put(sockets[0].getsockname()[1])
            super().run(sockets)

    monkeypatch.setattr(server, "_Server", Noted)
    thread = threading.Thread(target=server.serve, args=(settings, None, 0))
    thread.start()
    try:
        yield port.get(timeout=30)
    finally:
        for each in running:
            each.should_exit = True
        thread.join(30)


def test_token_and_certificate_are_asked_for(answering: int, certificates: Certificates) -> None:
    """Health for everybody, the rest for who has the token; the certificate is the one that was given; no banner."""
    tls = ssl.create_default_context(cafile=str(certificates.ca))
    basic = base64.b64encode(f"me:{TOKEN}".encode()).decode()

    def ask(path: str, **headers: str) -> httpx.Response:
        return httpx.get(f"https://localhost:{answering}{path}", headers=headers, verify=tls, timeout=30)

    assert ask("/healthz").status_code == 200
    for path in ("/api/v1/experiments", "/openapi.json", "/nothing"):
        refused = ask(path)
        assert refused.status_code == 401
        assert refused.json() == {"error": REFUSAL}
        assert refused.headers.get_list("www-authenticate") == list(CHALLENGES)
        assert ask(path, Authorization="Bearer " + TOKEN[:-1]).status_code == 401
    for allowed in (f"Bearer {TOKEN}", f"Basic {basic}"):
        found = ask("/api/v1/experiments", Authorization=allowed)
        assert found.status_code == 200
    assert "server" not in found.headers
    for name, value in {
        "x-content-type-options": "nosniff",
        "cache-control": "no-store",
        "referrer-policy": "no-referrer",
        "x-frame-options": "DENY",
        "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    }.items():
        assert found.headers[name] == refused.headers[name] == value


def test_old_tls_and_plain_text_are_not_spoken(answering: int, certificates: Certificates) -> None:
    """TLS 1.2 and later alone."""
    old = ssl.create_default_context(cafile=str(certificates.ca))
    old.set_ciphers("ALL:@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        old.minimum_version, old.maximum_version = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1
    with (
        socket.create_connection(("127.0.0.1", answering), timeout=30) as connection,
        pytest.raises(ssl.SSLError),
    ):
        old.wrap_socket(connection, server_hostname="localhost")
    with pytest.raises(httpx.HTTPError):
        httpx.get(f"http://localhost:{answering}/healthz")


def test_who_asks_slowly_or_at_length_or_with_a_body_is_sent_away(answering: int, certificates: Certificates) -> None:
    """A byte now and then keeps no place; 64 such connections would be all there are."""
    tls = ssl.create_default_context(cafile=str(certificates.ca))

    def connected() -> ssl.SSLSocket:
        plain = socket.create_connection(("localhost", answering), timeout=30)
        return tls.wrap_socket(plain, server_hostname="localhost")

    with connected() as slow, contextlib.suppress(OSError):
        slow.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n")
        while True:  # for as long as it listens: the test's own timeout ends one that listens for ever
            slow.sendall(b"X: y\r\n")
            time.sleep(0.02)
    with connected() as silent:
        assert silent.recv(1) == b""
    with connected() as long:
        long.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"y" * 20_000)
        assert long.recv(1000).startswith(b"HTTP/1.1 400 ")
    with connected() as body:
        body.sendall(
            f"GET /api/v1/experiments HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TOKEN}\r\n"
            "Content-Length: 5\r\n\r\nhello".encode()
        )
        assert body.recv(1000).startswith(b"HTTP/1.1 400 ")
