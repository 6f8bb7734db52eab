"""What the exporter answers on which path, without HTTP."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import lis_online
from lis_online.exporter.exposition import Exposition

TEXT: Final = "text/plain; charset=utf-8"
JSON: Final = "application/json"

PATHS: Final = {
    "/metrics": "every series, for Prometheus (docs/series.md)",
    "/healthz": "200 while the worker is at work, 503 and the reason when it is stuck",
    "/readyz": "200 once the worker has its partitions, 503 before",
    "/api/v1/summary": "the numbers as JSON, as `lis-online evaluate --json` prints them",
}


@dataclass(frozen=True, slots=True)
class Page:
    """An answer."""

    body: str | bytes
    status: int = 200
    content_type: str = TEXT


def _well() -> str | None:
    return None


def _nothing() -> None:
    return None


@dataclass(frozen=True)
class Pages:
    """The answers of one worker.

    alive, ready: return None when all is well, else the sentence that says what is not.
    summary: returns the numbers' JSON table, None where there is none (roles other than publish).
    """

    metrics: Exposition
    alive: Callable[[], str | None] = _well
    ready: Callable[[], str | None] = _well
    summary: Callable[[], Mapping[str, Any] | None] = _nothing

    def get(self, path: str, accept: str = "") -> Page:
        """Return the answer for a path; accept: the request's Accept header."""
        if path == "/metrics":
            text, content_type = self.metrics.get(accept)
            return Page(text, content_type=content_type)
        if path in ("/healthz", "/readyz"):
            return _verdict(self.alive() if path == "/healthz" else self.ready())
        if path == "/api/v1/summary":
            return self._summary()
        if path == "/":
            return Page(_contents())
        return Page(f"no such page: {path!r}\n\n{_contents()}", status=404)

    def _summary(self) -> Page:
        found = self.summary()
        if found is None:
            return Page('{"error": "there are no numbers here; the publish role has them"}\n', 404, JSON)
        return Page(json.dumps(found, allow_nan=False) + "\n", content_type=JSON)


def _verdict(reason: str | None) -> Page:
    return Page("ok\n") if reason is None else Page(f"{reason}\n", status=503)


def _contents() -> str:
    lines = [f"lis-online {lis_online.__version__}", "", *(f"{path:<18}{what}" for path, what in PATHS.items())]
    return "\n".join(lines) + "\n"
