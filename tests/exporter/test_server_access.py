"""The worker's HTTP server beyond this machine: token, TLS, headers, and those who ask slowly or at length."""

from __future__ import annotations

import base64
import contextlib
import http.client
import json
import socket
import ssl
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from lis_online.access import CHALLENGES
from lis_online.errors import SettingsError
from lis_online.exporter import heads
from lis_online.exporter import server as server_module
from lis_online.exporter.collector import LisCollector
from lis_online.exporter.exposition import Exposition
from lis_online.exporter.live_page import FILES
from lis_online.exporter.pages import PATHS, Pages
from lis_online.exporter.rendered import RenderedView
from lis_online.exporter.server import ExporterServer
from lis_online.settings.model import HttpSettings
from tests.exporter.examples import example
from tests.fixtures.certificates import Certificates
from tests.grafana.prometheus import prometheus_of
from tests.streams.processes import wait_until

TOKEN = "recognisable-http-token"
BASIC = "Basic " + base64.b64encode(f"me:{TOKEN}".encode()).decode()


def pages() -> Pages:
    """Return pages with numbers."""
    registry = CollectorRegistry()
    registry.register(LisCollector())
    return Pages(Exposition(registry, RenderedView(example)), summary=lambda: {"samples": 1})


@pytest.fixture
def server(certificates: Certificates) -> Iterator[ExporterServer]:
    """Return a server that the network may reach, with token and certificate."""
    files = {"certificate_file": str(certificates.server), "key_file": str(certificates.server_key)}
    with ExporterServer(pages(), HttpSettings(host="0.0.0.0", port=0, token=TOKEN, **files)) as running:  # type: ignore[arg-type]
        yield running


@pytest.fixture
def plain() -> Iterator[ExporterServer]:
    """Return a server for this machine alone."""
    with ExporterServer(pages()) as running:
        yield running


@pytest.fixture
def tls(certificates: Certificates) -> ssl.SSLContext:
    """Return what a client trusts."""
    return ssl.create_default_context(cafile=str(certificates.ca))


def ask(
    server: ExporterServer,
    path: str,
    tls: ssl.SSLContext,
    method: str = "GET",
    body: bytes | None = None,
    **headers: str,
) -> tuple[int, http.client.HTTPMessage, bytes]:
    """Return status, headers and body."""
    connection = http.client.HTTPSConnection("localhost", server.port, timeout=30, context=tls)
    with contextlib.closing(connection):
        connection.request(method, path, body=body, headers=headers)
        found = connection.getresponse()
        return found.status, found.headers, found.read()


def test_every_path_but_health_asks_for_the_token(server: ExporterServer, tls: ssl.SSLContext) -> None:
    """In either form; and who has none learns no path, no file, no number."""
    for path in (*PATHS, *FILES, "/none"):
        if path in ("/healthz", "/readyz"):
            assert ask(server, path, tls)[0] == 200
            continue
        for wrong in ({}, {"Authorization": f"Bearer {TOKEN}x"}, {"Authorization": "Basic eDp4"}):
            for method in ("GET", "HEAD"):
                status, headers, body = ask(server, path, tls, method, **wrong)
                assert status == 401
                assert headers.get_all("WWW-Authenticate") == list(CHALLENGES)
                assert len(body) < 200 and TOKEN.encode() not in body
        for right in (f"Bearer {TOKEN}", BASIC):
            assert ask(server, path, tls, Authorization=right)[0] == (404 if path == "/none" else 200)


@pytest.mark.parametrize("path", ["/metrics", "/", "/healthz", "/api/v1/summary", "/none", "/live.html", "/live.js"])
def test_every_answer_has_the_headers_and_names_no_program(
    server: ExporterServer, tls: ssl.SSLContext, path: str
) -> None:
    """Not sniffed, not cached, not framed, nothing loaded from elsewhere; refused or not."""
    for authorization in ("", BASIC):
        _, headers, _ = ask(server, path, tls, Authorization=authorization)
        assert headers["Server"] is None
        assert {name: headers[name] for name in EXPECTED} == EXPECTED
        assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
        assert headers["Content-Security-Policy"].startswith(("default-src 'none'", "default-src 'self'"))


EXPECTED = {
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Resource-Policy": "same-origin",
}


def test_plain_text_and_silence_get_no_answer_from_a_port_with_tls(
    server: ExporterServer, tls: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And nobody else waits for them: the handshake is not where connections are accepted."""
    with socket.create_connection(("localhost", server.port), timeout=30):  # says nothing
        with socket.create_connection(("localhost", server.port), timeout=30) as other:
            other.sendall(b"GET /healthz HTTP/1.1\r\n\r\n")
            with contextlib.suppress(ConnectionResetError):
                assert not other.recv(100).startswith(b"HTTP")
        assert ask(server, "/healthz", tls)[0] == 200


def test_who_sends_a_byte_now_and_then_is_hung_up_on(plain: ExporterServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """A timeout of the socket starts anew with every byte; sixteen such connections would be all there are."""
    monkeypatch.setattr(heads, "WITHIN", 0.5)
    with socket.create_connection(("127.0.0.1", plain.port), timeout=30) as slow, contextlib.suppress(OSError):
        slow.sendall(b"GET /metrics HTTP/1.1\r\nX: ")
        while True:  # for as long as it listens: the test's own timeout ends one that listens for ever
            slow.sendall(b"y")
            time.sleep(0.02)


def test_who_begins_no_handshake_is_hung_up_on(server: ExporterServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """A port with TLS waits no longer than one without."""
    monkeypatch.setattr(server_module, "WITHIN", 0.5)
    with socket.create_connection(("localhost", server.port), timeout=30) as silent:
        assert silent.recv(1) == b""


@pytest.mark.parametrize(
    "head",
    [
        b"GET /" + b"x" * 20_000,
        b"GET / HTTP/1.1\r\n" + b"X-Long: " + b"y" * 20_000,
        b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 4_000,
    ],
    ids=["line", "header", "headers"],
)
def test_head_that_is_too_large_is_refused(plain: ExporterServer, head: bytes) -> None:
    """Its memory is bounded, whichever part of it is long; the answer repeats none of it."""
    with socket.create_connection(("127.0.0.1", plain.port), timeout=30) as connection:
        connection.sendall(head)
        said = connection.recv(4_000)
    assert said.startswith((b"HTTP/1.0 431 ", b"HTTP/1.1 431 "))
    assert b"nosniff" in said and b"yyy" not in said and b"xxx" not in said


@pytest.mark.parametrize("said", [b"GET / HTTP/9.9\r\n\r\n", b"NONSENSE\r\n\r\n", b"BREW / HTTP/1.1\r\n\r\n"])
def test_request_that_is_none_is_refused_without_a_page_of_its_own(plain: ExporterServer, said: bytes) -> None:
    """The library's own error pages are HTML, name their program and repeat what was sent."""
    with socket.create_connection(("127.0.0.1", plain.port), timeout=30) as connection:
        connection.sendall(said)
        answer = connection.recv(4_000)
    assert b"<" not in answer and b"BREW" not in answer and b"Python" not in answer
    assert b"nosniff" in answer


def test_body_is_refused(server: ExporterServer, tls: ssl.SSLContext) -> None:
    """There is nothing to send here."""
    assert ask(server, "/metrics", tls, body=b"hello", Authorization=BASIC)[0] == 400
    chunked = {"Transfer-Encoding": "chunked", "Authorization": BASIC}
    assert ask(server, "/metrics", tls, body=b"0\r\n\r\n", **chunked)[0] == 400


def test_address_beyond_this_machine_is_refused_before_the_port_is_taken() -> None:
    """The rule itself is tested in test_access.py."""
    with pytest.raises(SettingsError, match=r"http\.host: must be an address of this machine alone"):
        ExporterServer(pages(), HttpSettings(host="0.0.0.0", port=0))


def test_prometheus_scrapes_over_tls_with_the_token(
    server: ExporterServer, certificates: Certificates, tmp_path: Path
) -> None:
    """The real one, configured as docs/security.md says."""
    secret = tmp_path / "token"
    secret.write_text(TOKEN)
    how: dict[str, Any] = {"scheme": "https", "tls_config": {"ca_file": str(certificates.ca)}}
    right = {**how, "authorization": {"credentials_file": str(secret)}}
    targets = [f"localhost:{server.port}"]
    with prometheus_of(targets, tmp_path, right) as prometheus:
        wait_until(lambda: prometheus.now("up") == [1.0], 60, lambda: json.dumps(prometheus.ask("targets")))
        assert prometheus.now("count(lis_adjusted_impact_score)") != []
