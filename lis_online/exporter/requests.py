"""HTTP requests of the exporter: GET and HEAD alone, from those who have the token, small and soon."""

from __future__ import annotations

import gzip
import logging
from collections.abc import Mapping
from http.client import LineTooLong
from http.server import BaseHTTPRequestHandler
from types import MappingProxyType
from typing import Any, Final
from urllib.parse import urlsplit

from lis_online.access import CHALLENGES, REFUSAL, Gate
from lis_online.exporter.heads import HeadReader
from lis_online.exporter.page import Page
from lis_online.exporter.pages import Pages

logger = logging.getLogger(__name__)

ANSWER_TIMEOUT: Final = 10.0  # s to take an answer
SMALL: Final = 1_000  # bytes under which compression is not worth it
NONE: Final[Mapping[str, str]] = MappingProxyType({})
ALWAYS: Final = {
    "Cache-Control": "no-store",
    "Vary": "Accept, Accept-Encoding",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Frame-Options": "DENY",
}
DATA_POLICY: Final = "default-src 'none'; frame-ancestors 'none'"


def handler_of(pages: Pages, gate: Gate) -> type[BaseHTTPRequestHandler]:
    """Return the handler class that http.server asks for, bound to the pages."""
    return type("PagesHandler", (_Handler,), {"pages": pages, "gate": gate})


class _Handler(BaseHTTPRequestHandler):
    pages: Pages
    gate: Gate

    def setup(self) -> None:
        super().setup()
        self.rfile.close()
        self.rfile: Any = HeadReader(self.connection)

    def handle_one_request(self) -> None:
        self.requestline, self.request_version, self.command = "", "", ""
        try:
            super().handle_one_request()
        except LineTooLong:
            self.send_error(431)

    def do_GET(self) -> None:
        self._answer(self._page())

    def do_HEAD(self) -> None:
        self._answer(self._page())

    def _refuse(self) -> None:
        page = Page(f"{self.command} is not answered here; use GET\n", status=405)
        self._answer(page, {"Allow": "GET, HEAD"})

    do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = _refuse  # noqa: N815, the names http.server calls

    _challenges: tuple[str, ...] = ()

    def _page(self) -> Page:
        try:
            asked = urlsplit(self.path)
        except ValueError:  # an address with half a bracket
            return Page("the address cannot be read\n", status=400)
        try:
            if not self.gate.lets(asked.path, self.headers.get("Authorization", "")):
                self._challenges = CHALLENGES
                return Page(f"{REFUSAL}\n", status=401)
            if self.headers.get("Content-Length", "0") != "0" or "Transfer-Encoding" in self.headers:
                return Page("a request must have no body\n", status=400)
            return self.pages.get(asked.path, self.headers.get("Accept", ""), asked.query)
        except Exception:
            logger.exception("%s could not be answered", self.path)
            return Page("internal error: see the log\n", status=500)

    def _answer(self, page: Page, headers: Mapping[str, str] = NONE) -> None:
        if page.headers.get("ETag") in self.headers.get("If-None-Match", "").split(", "):
            page = Page(b"", 304, page.content_type, page.headers)
        body = page.body if isinstance(page.body, bytes) else page.body.encode()
        headers = {
            "Content-Security-Policy": DATA_POLICY,
            **headers,
            **page.headers,
            "Content-Type": page.content_type,
            **ALWAYS,
        }
        if len(body) > SMALL and "gzip" in self.headers.get("Accept-Encoding", ""):
            body = gzip.compress(body, compresslevel=1)
            headers["Content-Encoding"] = "gzip"
        length = {} if page.status == 304 else {"Content-Length": str(len(body))}
        self._send(page.status, {**headers, **length}, b"" if self.command == "HEAD" else body)

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Say what is wrong with a request that cannot be read, without repeating any of it."""
        body = f"{self.responses.get(code, ('request refused', ''))[0].lower()}\n".encode()
        length = {"Content-Length": str(len(body)), "Content-Type": "text/plain; charset=utf-8"}
        self.close_connection = True
        self.request_version = "HTTP/1.0"  # to one of version 0.9, which a torn line counts as, no header is sent
        self._send(code, {"Content-Security-Policy": DATA_POLICY, **ALWAYS, **length}, body)

    def _send(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        self.connection.settimeout(ANSWER_TIMEOUT)
        self.send_response_only(status)  # `send_response` adds a header that names the program
        for name, value in {"Date": self.date_time_string(), **headers}.items():
            self.send_header(name, value)
        for challenge in self._challenges:
            self.send_header("WWW-Authenticate", challenge)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        logger.debug(format, *args)
