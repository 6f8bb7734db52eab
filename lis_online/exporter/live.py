"""/api/v1/live: everything the live page shows, in one small answer."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import parse_qs

import lis_online
from lis_online.exporter.health import WorkerHealth
from lis_online.exporter.live_experiments import experiment_table
from lis_online.exporter.live_health import health_table, moment
from lis_online.exporter.live_numbers import default, numbers_table, shown
from lis_online.exporter.page import JSON, Page
from lis_online.history.windows import window_name
from lis_online.shards.view import PublishView

STALE_AFTER: Final = 300.0
"""Seconds without new numbers after which they are called stale, or `STALE_BUCKETS` buckets where that is longer."""
STALE_BUCKETS: Final = 5

ELSEWHERE: Final = "The numbers are at the worker that has the publish role: open its address."
STANDING_BY: Final = "This worker stands by for the publish role: the numbers are at the worker that has it."
NOT_YET: Final = "No bucket is complete yet: the first numbers come a horizon after the first impressions."


@dataclass(frozen=True)
class Live:
    """What one worker knows now.

    view: returns the publish shard's view, None where there is none. alive, ready: as of `Pages`. bucket: the length of
    a bucket of the metrics, s. clock: seconds since 1970, as the health's.
    """

    view: Callable[[], PublishView | None] = lambda: None
    health: WorkerHealth | None = None
    alive: Callable[[], str | None] = lambda: None
    ready: Callable[[], str | None] = lambda: None
    bucket: float = 60.0
    clock: Callable[[], float] = time.time

    def get(self, query: str = "") -> Page:
        """Return the answer. query: "window=15m" chooses a window; the longest rolling one otherwise.

        The answer has no time of its own: as long as nothing happens it stays the same, and so does its ETag.
        """
        view = self.view()
        try:
            numbers = None if view is None or not view.end else numbers_table(view, _chosen(view, query))
        except ValueError as exc:
            return Page(json.dumps({"error": str(exc)}) + "\n", 400, JSON)
        return _answer(self._table(view, numbers, self.health or WorkerHealth()))

    def _table(self, view: PublishView | None, numbers: dict[str, Any] | None, health: WorkerHealth) -> dict[str, Any]:
        return {
            "version": lis_online.__version__,
            "numbers": numbers,
            "why_none": self._why_none(health) if numbers is None else None,
            "stale_since": None if numbers is None else self._stale_since(health),
            "experiments": [] if view is None else [experiment_table(one) for one in view.experiments.values()],
            "health": health_table(health, self.alive(), self.ready()),
        }

    def _stale_since(self, health: WorkerHealth) -> str | None:
        """Return when the last numbers came, where that is too long ago."""
        times = [shard.published_at or shard.assigned_at for shard in health.get() if shard.role == "publish"]
        since = max(times, default=None)
        limit = max(STALE_AFTER, STALE_BUCKETS * self.bucket)
        return None if since is None or self.clock() - since <= limit else moment(since)

    def _why_none(self, health: WorkerHealth) -> str:
        if "publish" not in health.roles:
            return ELSEWHERE
        return NOT_YET if any(shard.role == "publish" for shard in health.get()) else STANDING_BY


def _chosen(view: PublishView, query: str) -> int:
    """Return the window that a query asks for. Raises ValueError on one that is not there."""
    known = {window_name(length): length for length in shown(view)}
    wanted = parse_qs(query).get("window", [window_name(default(view))])[-1]
    if wanted not in known:
        raise ValueError(f"window must be one of {', '.join(known)}, got {wanted!r}")
    return known[wanted]


def _answer(table: dict[str, Any]) -> Page:
    body = json.dumps(table, allow_nan=False, separators=(",", ":")).encode() + b"\n"
    return Page(body, content_type=JSON, headers={"ETag": f'W/"{hashlib.sha256(body).hexdigest()[:20]}"'})
