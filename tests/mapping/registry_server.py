"""A schema registry on loopback: the part of Confluent's published API that readers use.

No registry could be had as a package (Karapace is not on PyPI, Apicurio's program is not on Maven Central), so this one
answers `GET /schemas/ids/{id}`, `GET /subjects/{subject}/versions/{version}` and `GET /schemas/types` as they do.
"""

from __future__ import annotations

import json
import ssl
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any
from urllib.parse import unquote, urlsplit


class RegistryServer:
    """Its schemas, by id and by (subject, version). status: what it answers instead; asked: paths, in order;
    elsewhere: where it sends everybody.

    tls: it speaks HTTPS at `localhost`, with this context.
    """

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.schemas: dict[int, dict[str, Any]] = {}
        self.subjects: dict[tuple[str, int], dict[str, Any]] = {}
        self.status: int | None = None
        self.elsewhere: str | None = None
        self.asked: list[str] = []
        self.authorization: str | None = None
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.handle_error = lambda request, address: None  # type: ignore[method-assign]
        self._tls = tls
        if tls is not None:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05})

    @property
    def url(self) -> str:
        """Its address."""
        where = "http://127.0.0.1" if self._tls is None else "https://localhost"
        return f"{where}:{self._server.server_port}"

    def __enter__(self) -> RegistryServer:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, exc: BaseException | None, at: TracebackType | None) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def answer(self, path: str, authorization: str | None) -> tuple[int, Any]:
        """Return status and document for a request."""
        self.asked.append(path)
        if self.authorization is not None and authorization != self.authorization:
            return 401, {"error_code": 401, "message": "Unauthorized"}
        if self.status is not None:
            return self.status, {"error_code": self.status, "message": "as told"}
        match urlsplit(path).path.strip("/").split("/"):
            case ["schemas", "types"]:
                return 200, ["JSON", "PROTOBUF", "AVRO"]
            case ["schemas", "ids", number]:
                found = self.schemas.get(int(number))
                return (200, found) if found else (404, {"error_code": 40403, "message": "Schema not found"})
            case ["subjects", subject, "versions", version]:
                found = self.subjects.get((unquote(subject), int(version)))
                return (200, found) if found else (404, {"error_code": 40401, "message": "Subject not found"})
        return 404, {"error_code": 404, "message": "HTTP 404 Not Found"}

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        registry = self

        class Handler(BaseHTTPRequestHandler):
            """Answers GET."""

            def do_GET(self) -> None:
                """Answer with a document."""
                status, document = registry.answer(self.path, self.headers["Authorization"])
                body = json.dumps(document).encode()
                self.send_response(status if registry.elsewhere is None else 307)
                if registry.elsewhere is not None:
                    self.send_header("Location", registry.elsewhere)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                """Say nothing."""

        return Handler
