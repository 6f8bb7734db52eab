"""The worker's HTTP server, asked over a real socket."""

from __future__ import annotations

import http.client
import json
import socket
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from lis_online.errors import SettingsError
from lis_online.exporter import server as module
from lis_online.exporter.collector import LisCollector
from lis_online.exporter.exposition import Exposition
from lis_online.exporter.pages import Pages
from lis_online.exporter.rendered import RenderedView
from lis_online.exporter.server import ExporterServer
from lis_online.settings.model import HttpSettings
from tests.exporter.examples import example


@pytest.fixture
def state() -> dict[str, Any]:
    """Return what the pages' callables answer; a test changes it."""
    return {"alive": None, "ready": None, "summary": {"samples": 1_000}}


@pytest.fixture
def server(state: dict[str, Any]) -> Iterator[ExporterServer]:
    """Return a server on a free port."""
    registry = CollectorRegistry()
    registry.register(LisCollector())

    def answer(name: str) -> Any:
        found = state[name]
        if isinstance(found, Exception):
            raise found
        return found

    pages = Pages(
        Exposition(registry, RenderedView(example)),
        lambda: answer("alive"),
        lambda: answer("ready"),
        lambda: answer("summary"),
    )
    with ExporterServer(pages) as running:
        yield running


def get(server: ExporterServer, path: str, method: str = "GET", **headers: str) -> tuple[int, str, str]:
    """Return status, content type and body."""
    request = urllib.request.Request(server.address + path, method=method, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=5) as response:
            return response.status, response.headers["Content-Type"], response.read().decode()
    except urllib.error.HTTPError as exc:
        with exc:
            return exc.code, exc.headers["Content-Type"], exc.read().decode()


def test_it_listens_on_loopback_on_a_free_port(server: ExporterServer) -> None:
    """Nothing is open to the network unless somebody asks for it."""
    assert server.address == f"http://127.0.0.1:{server.port}"
    assert server.port > 0


@pytest.mark.parametrize(
    ("accept", "content_type", "last"),
    [
        ("", "text/plain", "\n"),
        ("application/openmetrics-text; version=1.0.0", "application/openmetrics-text", "# EOF\n"),
    ],
)
def test_metrics_come_in_the_format_that_was_asked_for(
    server: ExporterServer, accept: str, content_type: str, last: str
) -> None:
    """Prometheus asks for OpenMetrics, a person with curl for nothing."""
    status, found, body = get(server, "/metrics", Accept=accept)
    assert status == 200
    assert found.startswith(content_type)
    assert "lis_adjusted_impact_score{" in body
    assert body.endswith(last)


def test_metrics_are_compressed_for_those_who_can_read_it(server: ExporterServer) -> None:
    """Thousands of series every 15 s."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=5)
    connection.request("GET", "/metrics", headers={"Accept-Encoding": "gzip"})
    response = connection.getresponse()
    assert response.headers["Content-Encoding"] == "gzip"
    assert response.read()[:2] == b"\x1f\x8b"
    connection.close()


@pytest.mark.parametrize(("path", "name"), [("/healthz", "alive"), ("/readyz", "ready")])
def test_health_is_200_or_503_with_the_reason(
    server: ExporterServer, state: dict[str, Any], path: str, name: str
) -> None:
    """A supervisor reads the status, a person the sentence."""
    assert get(server, path)[::2] == (200, "ok\n")
    state[name] = "join shard 0 is stuck"
    assert get(server, path)[::2] == (503, "join shard 0 is stuck\n")


def test_the_summary_is_json_or_404(server: ExporterServer, state: dict[str, Any]) -> None:
    """A role without numbers says so."""
    status, content_type, body = get(server, "/api/v1/summary")
    assert (status, content_type, json.loads(body)) == (200, "application/json", {"samples": 1_000})
    state["summary"] = None
    status, _, body = get(server, "/api/v1/summary")
    assert status == 404
    assert "publish role" in json.loads(body)["error"]


def test_the_root_lists_the_addresses_and_other_paths_are_404(server: ExporterServer) -> None:
    """Somebody who knows the port finds the rest."""
    assert all(path in get(server, "/")[2] for path in ("/metrics", "/healthz", "/readyz", "/api/v1/summary"))
    status, _, body = get(server, "/metric")
    assert status == 404
    assert "/metrics" in body


def test_only_get_and_head_are_answered(server: ExporterServer) -> None:
    """There is nothing to change here."""
    assert get(server, "/metrics", method="HEAD")[::2] == (200, "")
    for method in ("POST", "PUT", "DELETE", "OPTIONS"):
        assert get(server, "/metrics", method=method)[0] == 405


def test_an_error_in_a_page_is_500_and_the_next_request_is_answered(
    server: ExporterServer, state: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    """The traceback goes to the log, not to whoever asked."""
    state["alive"] = RuntimeError("a secret detail")
    status, _, body = get(server, "/healthz")
    assert status == 500
    assert "secret" not in body
    assert "a secret detail" in caplog.text
    assert get(server, "/readyz")[0] == 200


def test_a_client_that_goes_away_in_the_middle_does_no_harm(server: ExporterServer) -> None:
    """Port scanners and impatient scrapers."""
    for sent in (b"", b"GET /met", b"\x00\xff\r\n\r\n", b"GET /metrics HTTP/1.1\r\n\r\n"):
        with socket.create_connection(("127.0.0.1", server.port), timeout=5) as connection:
            connection.sendall(sent)
    assert get(server, "/healthz")[0] == 200


def test_more_requests_than_the_limit_are_refused_at_once(
    server: ExporterServer, state: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Slow clients must not take a thread each without end; when they are gone, others are answered."""
    waiting = [socket.create_connection(("127.0.0.1", server.port), timeout=5) for _ in range(module.MOST_REQUESTS)]
    with socket.create_connection(("127.0.0.1", server.port), timeout=5) as extra:
        assert extra.recv(100).startswith(b"HTTP/1.0 503")
    for connection in waiting:
        connection.close()
    for _ in range(100):
        if get_or_none(server) == 200:
            break
        threading.Event().wait(0.05)
    assert get(server, "/healthz")[0] == 200


def get_or_none(server: ExporterServer) -> int | None:
    """Return the status of /healthz, None where the connection was refused."""
    try:
        return get(server, "/healthz")[0]
    except OSError:
        return None


def test_stop_frees_the_port_and_may_be_called_twice() -> None:
    """A worker that restarts takes the same port again."""
    pages = Pages(Exposition(CollectorRegistry()))
    first = ExporterServer(pages)
    first.start()
    port = first.port
    first.stop()
    first.stop()
    with ExporterServer(pages, HttpSettings(port=port)) as second:
        assert get(second, "/healthz")[0] == 200


def test_a_server_that_never_started_can_be_stopped() -> None:
    """A worker may fail between the two."""
    ExporterServer(Pages(Exposition(CollectorRegistry()))).stop()


def test_a_port_that_is_taken_is_a_wrong_setting(server: ExporterServer) -> None:
    """The sentence names setting, rule and value."""
    with pytest.raises(SettingsError, match=f"http: must be a free address: .*, got 127.0.0.1:{server.port}"):
        ExporterServer(Pages(Exposition(CollectorRegistry())), HttpSettings(port=server.port))
