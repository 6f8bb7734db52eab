"""What the exporter answers on which path, without HTTP."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import lis_online
from lis_online.exporter.exposition import Exposition
from lis_online.exporter.live import Live
from lis_online.exporter.live_page import FILES, static, wants_page
from lis_online.exporter.page import JSON, Page

PATHS: Final = {
    "/": "the live page for a browser, this list for others (docs/live.md)",
    "/help": "this list",
    "/metrics": "every series, for Prometheus (docs/series.md)",
    "/healthz": "200 while the worker is at work, 503 and the reason when it is stuck",
    "/readyz": "200 while the worker has its partitions and what it needs, 503 and the reason when not",
    "/api/v1/live": "what the live page shows, as JSON; ?window=15m chooses a window",
    "/api/v1/summary": "the numbers as JSON, as `lis-online evaluate --json` prints them, and drift events",
}


def _well() -> str | None:
    return None


def _nothing() -> None:
    return None


@dataclass(frozen=True)
class Pages:
    """The answers of one worker.

    alive, ready: return None when all is well, else the sentence that says what is not.
    summary: returns the numbers' JSON table, None where there is none (roles other than publish). live: what the
    live page shows.
    """

    metrics: Exposition
    alive: Callable[[], str | None] = _well
    ready: Callable[[], str | None] = _well
    summary: Callable[[], Mapping[str, Any] | None] = _nothing
    live: Live = field(default_factory=Live)

    def get(self, path: str, accept: str = "", query: str = "") -> Page:
        """Return the answer for a path; accept: the request's Accept header; query: what follows the ?."""
        if path == "/metrics":
            text, content_type = self.metrics.get(accept)
            return Page(text, content_type=content_type)
        if path in ("/healthz", "/readyz"):
            return _verdict(self.alive() if path == "/healthz" else self.ready(), accept)
        if path == "/api/v1/summary":
            return self._summary()
        if path == "/api/v1/live":
            return self.live.get(query)
        if path in FILES or (path == "/" and wants_page(accept)):
            return static("/live.html" if path == "/" else path)
        if path in ("/", "/help"):
            return Page(_contents())
        return Page(f"no such page: {path!r}\n\n{_contents()}", status=404)

    def _summary(self) -> Page:
        found = self.summary()
        if found is None:
            return Page('{"error": "there are no numbers here; the publish role has them"}\n', 404, JSON)
        return Page(json.dumps(found, allow_nan=False) + "\n", content_type=JSON)


def _verdict(reason: str | None, accept: str) -> Page:
    """Return ok or the sentence; as JSON for those who ask for that."""
    status = 200 if reason is None else 503
    if JSON in accept:
        return Page(
            json.dumps({"status": "ok" if reason is None else "failing", "reason": reason}) + "\n", status, JSON
        )
    return Page(f"{reason or 'ok'}\n", status)


def _contents() -> str:
    lines = [f"lis-online {lis_online.__version__}", "", *(f"{path:<18}{what}" for path, what in PATHS.items())]
    return "\n".join(lines) + "\n"
