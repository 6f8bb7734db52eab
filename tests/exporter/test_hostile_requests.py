"""A worker's HTTP server and requests that no client sends: refused as the client's fault, and the next is answered."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import settings as tries
from hypothesis import strategies as st

from lis_online.exporter.page import Page
from lis_online.exporter.pages import Pages
from lis_online.exporter.server import ExporterServer


class Health(Pages):
    """One page: the paths and queries of a request are what is tried here."""

    def __init__(self) -> None:
        pass

    def get(self, path: str, accept: str = "", query: str = "") -> Page:
        """Return the page for any path that is none of ours."""
        return Page("ok\n") if path == "/healthz" else Page("not here\n", status=404)


@pytest.fixture(scope="module")
def server() -> Iterator[ExporterServer]:
    """A server on a free port."""
    with ExporterServer(Health()) as server:
        yield server


HEADS = {
    "a torn address": b"GET //[ HTTP/1.1\r\n\r\n",
    "an address that is no IPv6": b"GET http://[::1/healthz HTTP/1.1\r\n\r\n",
    "a host of wide characters": "GET //\u2100/ HTTP/1.1\r\n\r\n".encode(),
    "a long path": b"GET /" + b"a" * 60_000 + b" HTTP/1.1\r\n\r\n",
    "a long query": b"GET /healthz?" + b"a=b&" * 4000 + b" HTTP/1.1\r\n\r\n",
    "many headers": b"GET /healthz HTTP/1.1\r\n" + b"".join(b"X-%d: 1\r\n" % k for k in range(1000)) + b"\r\n",
    "a long header": b"GET /healthz HTTP/1.1\r\nX: " + b"a" * 70_000 + b"\r\n\r\n",
    "NUL in a header": b"GET /healthz HTTP/1.1\r\nAccept: \x00\r\n\r\n",
    "a body": b"GET /healthz HTTP/1.1\r\nContent-Length: 99999999999999999999\r\n\r\n",
    "a length that is none": b"GET /healthz HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
    "chunks": b"GET /healthz HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n",
    "a method that is none": b"FOO /healthz HTTP/1.1\r\n\r\n",
    "a long method": b"G" * 5000 + b" / HTTP/1.1\r\n\r\n",
    "another version": b"GET /healthz HTTP/9.9\r\n\r\n",
    "a version that is none": b"GET /healthz HTTP/x.y\r\n\r\n",
    "no version": b"GET\r\n\r\n",
    "not UTF-8": b"GET /\xff\xfe HTTP/1.1\r\nAccept: \xff\r\n\r\n",
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 200 + b"\r\n\r\n",
    "a path upwards": b"GET /../../etc/passwd HTTP/1.1\r\n\r\n",
    "an encoded path": b"GET /%2e%2e/%00%ff HTTP/1.1\r\n\r\n",
    "a half header": b"GET /healthz HTTP/1.1\r\nAccept\r\n\r\n",
}


def answer(server: ExporterServer, head: bytes) -> bytes:
    """Return what comes back, nothing where the connection was closed."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as connection:
        found = b""
        try:
            connection.sendall(head)
            connection.shutdown(socket.SHUT_WR)
            while piece := connection.recv(65_536):
                found += piece
        except OSError:
            pass  # refused before everything was sent
        return found


def check(server: ExporterServer, head: bytes) -> None:
    """Hold an answer to the rule, and the next one."""
    found = answer(server, head)
    status = int(found.split(b" ", 2)[1]) if found else 400
    assert status < 500 or status in (501, 505), found[:300]
    assert b"Traceback" not in found
    assert answer(server, b"GET /healthz HTTP/1.1\r\n\r\n").endswith(b"\r\n\r\nok\n")


@pytest.mark.parametrize("head", HEADS.values(), ids=HEADS)
def test_a_hostile_request_is_the_clients_fault(server: ExporterServer, head: bytes) -> None:
    """Never 500, never a traceback, and the server goes on."""
    check(server, head)


@tries(max_examples=100)
@given(target=st.binary(max_size=40), header=st.binary(max_size=40))
def test_any_target_and_header_are_answered(server: ExporterServer, target: bytes, header: bytes) -> None:
    """Whatever bytes stand where an address and a header should."""
    check(server, b"GET /" + target.replace(b"\n", b"") + b" HTTP/1.1\r\nAccept: " + header + b"\r\n\r\n")
