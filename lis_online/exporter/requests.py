"""HTTP requests of the exporter: GET and HEAD alone, small and soon."""

from __future__ import annotations

import gzip
import logging
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler
from types import MappingProxyType
from typing import Final
from urllib.parse import urlsplit

import lis_online
from lis_online.exporter.page import Page
from lis_online.exporter.pages import Pages

logger = logging.getLogger(__name__)

REQUEST_TIMEOUT: Final = 10.0  # s to send a request or take a piece of an answer
SMALL: Final = 1_000  # bytes under which compression is not worth it
NONE: Final[Mapping[str, str]] = MappingProxyType({})
ALWAYS: Final = {"Cache-Control": "no-store", "Vary": "Accept, Accept-Encoding", "X-Content-Type-Options": "nosniff"}


def handler_of(pages: Pages) -> type[BaseHTTPRequestHandler]:
    """Return the handler class that http.server asks for, bound to the pages."""
    return type("PagesHandler", (_Handler,), {"pages": pages})


class _Handler(BaseHTTPRequestHandler):
    pages: Pages
    timeout = REQUEST_TIMEOUT
    server_version = f"lis-online/{lis_online.__version__}"
    sys_version = ""

    def do_GET(self) -> None:
        self._answer(self._page())

    def do_HEAD(self) -> None:
        self._answer(self._page())

    def _refuse(self) -> None:
        page = Page(f"{self.command} is not answered here; use GET\n", status=405)
        self._answer(page, {"Allow": "GET, HEAD"})

    do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = _refuse  # noqa: N815, the names http.server calls

    def _page(self) -> Page:
        try:
            asked = urlsplit(self.path)
            return self.pages.get(asked.path, self.headers.get("Accept", ""), asked.query)
        except Exception:
            logger.exception("%s could not be answered", self.path)
            return Page("internal error: see the log\n", status=500)

    def _answer(self, page: Page, headers: Mapping[str, str] = NONE) -> None:
        if page.headers.get("ETag") in self.headers.get("If-None-Match", "").split(", "):
            page = Page(b"", 304, page.content_type, page.headers)
        body = page.body if isinstance(page.body, bytes) else page.body.encode()
        headers = {**headers, **page.headers, "Content-Type": page.content_type, **ALWAYS}
        if len(body) > SMALL and "gzip" in self.headers.get("Accept-Encoding", ""):
            body = gzip.compress(body, compresslevel=1)
            headers["Content-Encoding"] = "gzip"
        self.send_response(page.status)
        length = {} if page.status == 304 else {"Content-Length": str(len(body))}
        for name, value in {**headers, **length}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        logger.debug(format, *args)
