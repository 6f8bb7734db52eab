"""A worker's HTTP server: /metrics, /healthz, /readyz and /api, on its own thread."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from http.server import ThreadingHTTPServer
from types import TracebackType
from typing import Any, Final

from lis_online.access import Gate, address, check_access, listening_tls
from lis_online.errors import SettingsError
from lis_online.exporter.heads import WITHIN
from lis_online.exporter.pages import Pages
from lis_online.exporter.requests import handler_of
from lis_online.settings.model import HttpSettings

MOST_REQUESTS: Final = 16
"""Requests answered at once; a scraper needs one. More are refused, so that they cannot take the worker's memory."""
BUSY: Final = b"HTTP/1.0 503 Service Unavailable\r\nContent-Length: 0\r\nRetry-After: 1\r\n\r\n"
LOOPBACK: Final = HttpSettings(port=0)
"""A free port that this machine alone can reach."""


class ExporterServer:
    """A server of `Pages` on a thread of its own. Port 0 takes a free one.

    Raises SettingsError when the address cannot be had, or must not be (`check_access`). Use it as a context, or call
    `stop`.
    """

    def __init__(self, pages: Pages, http: HttpSettings = LOOPBACK) -> None:
        check_access(http)
        try:
            self._server = _server_class(http.host)(
                (http.host, http.port), handler_of(pages, Gate(http)), tls=listening_tls(http)
            )
        except OSError as exc:
            said = f"must be a free address: {exc.strerror}, got {http.host}:{http.port}"
            raise SettingsError([("http", said)]) from exc
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.1,), name="exporter", daemon=True)
        self._http = http

    @property
    def port(self) -> int:
        """The port that it really has."""
        return int(self._server.server_address[1])

    @property
    def address(self) -> str:
        """The address for a browser, such as http://127.0.0.1:9464."""
        return address(self._http, self.port)

    def start(self) -> None:
        """Begin to answer."""
        self._thread.start()

    def stop(self) -> None:
        """Answer nothing more and free the port; a second call does nothing."""
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()
        self._server.server_close()

    def __enter__(self) -> ExporterServer:
        """Begin to answer."""
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop."""
        self.stop()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 32  # 5, the default, makes the sixth of a burst wait a second for its second try
    block_on_close = False  # a scraper that reads slowly must not hold up the worker's end

    def __init__(self, *arguments: Any, tls: ssl.SSLContext | None) -> None:
        self._slots = threading.BoundedSemaphore(MOST_REQUESTS)
        self._tls = tls
        super().__init__(*arguments)

    def process_request(self, request: Any, client_address: Any) -> None:
        if not self._slots.acquire(blocking=False):
            request.settimeout(1.0)
            with contextlib.suppress(OSError):  # whoever asked may be gone
                request.sendall(BUSY if self._tls is None else b"")
            self.shutdown_request(request)
            return
        super().process_request(request, client_address)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            if self._tls is not None:
                request = self._wrapped(self._tls, request)
            if request is not None:
                super().process_request_thread(request, client_address)
        finally:
            self._slots.release()

    def _wrapped(self, tls: ssl.SSLContext, request: socket.socket) -> socket.socket | None:
        """Shake hands, here on the request's own thread: the one that accepts must not wait for anybody."""
        request.settimeout(WITHIN)
        try:
            return tls.wrap_socket(request, server_side=True)
        except OSError:  # no TLS, or none that we speak: the other side's affair
            request.close()
            return None

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A connection that broke is the other side's affair; `requests.py` logs our own errors."""


class _Server6(_Server):
    address_family = socket.AF_INET6


def _server_class(host: str) -> type[_Server]:
    return _Server6 if ":" in host else _Server
