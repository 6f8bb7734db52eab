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
        view, health = self.view(), self.health or WorkerHealth()
        if view is not None:
            wanted = parse_qs(query).get("window", [window_name(default(view))])[-1]
            chosen = next((length for length in shown(view) if window_name(length) == wanted), None)
            if chosen is None:
                return _refused([window_name(length) for length in shown(view)], wanted)
        has_numbers = view is not None and view.end > 0
        table: dict[str, Any] = {
            "version": lis_online.__version__,
            "numbers": numbers_table(view, chosen) if view is not None and has_numbers else None,
            "why_none": None if has_numbers else self._why_none(health),
            "stale_since": self._stale_since(health) if has_numbers else None,
            "experiments": [] if view is None else [experiment_table(one) for one in view.experiments.values()],
            "health": health_table(health, self.alive(), self.ready()),
        }
        return _answer(table)

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


def _answer(table: dict[str, Any], status: int = 200) -> Page:
    body = json.dumps(table, allow_nan=False, separators=(",", ":")).encode() + b"\n"
    return Page(body, status, JSON, {"ETag": f'"{hashlib.sha256(body).hexdigest()[:20]}"'})


def _refused(known: list[str], got: str) -> Page:
    return Page(json.dumps({"error": f"window must be one of {', '.join(known)}, got {got!r}"}) + "\n", 400, JSON)
