"""From the runners to the exporter: what /metrics, /healthz, /readyz and /api show of a worker."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping
from typing import Any

from prometheus_client import CollectorRegistry

from lis_online.exporter.collector import LisCollector, register
from lis_online.exporter.health import WorkerHealth
from lis_online.exporter.pages import Pages
from lis_online.exporter.server import ExporterServer
from lis_online.settings import Settings
from lis_online.shards.contract import Shard
from lis_online.shards.view import PublishView
from streams.runner import Runner
from streams.watch import Watch

STUCK_AFTER = 300.0
"""Seconds without progress, with records to read, after which a worker says that it is stuck."""

SUMMARY_SECONDS = 10.0
"""Seconds a request for the summary waits for the shard's turn to end."""


class HealthWatch(Watch):
    """Passes a runner's reports on to the worker's health. Cheap: no call per record."""

    def __init__(self, health: WorkerHealth, role: str) -> None:
        self._health = health
        self._role = role
        self._here: set[int] = set()
        self._reasons: dict[int, dict[str, None]] = {}

    def assigned(self, partitions: Collection[int]) -> None:
        """Start the series of new partitions, end those of the others."""
        for partition in self._here - set(partitions):
            self._health.revoked(self._role, partition)
        for partition in partitions:
            self._health.assigned(self._role, partition)
            self._reasons[partition] = {}
            self._health.paused(self._role, partition, None)
        self._here = set(partitions)

    def applied(self, partition: int, shard: Shard, records: int, seconds: float) -> None:
        """Count the step; join shards also know fates, join and rank shards a watermark."""
        self._health.applied(self._role, partition, records, seconds)
        watermark = getattr(shard, "watermark", None)
        if watermark is not None:
            self._health.passed(self._role, partition, watermark)
        counts = getattr(shard, "counts", None)
        if counts is not None:
            self._health.counted(self._role, partition, counts)

    def checkpointed(self, partition: int, position: int) -> None:
        """Note a checkpoint."""
        self._health.saved(self._role, partition, position)

    def lagging(self, partition: int, behind: Mapping[str, int]) -> None:
        """Note how much is left to read."""
        self._health.lagged(self._role, partition, sum(behind.values()))

    def paused(self, partition: int, reason: str) -> None:
        """Note the reason; of several the first is shown."""
        self._reasons.setdefault(partition, {})[reason] = None
        self._show_reason(partition)

    def resumed(self, partition: int, reason: str) -> None:
        """Forget the reason."""
        if self._reasons.get(partition, {}).pop(reason, self) is None:
            self._show_reason(partition)

    def _show_reason(self, partition: int) -> None:
        if partition in self._here:
            self._health.paused(self._role, partition, next(iter(self._reasons[partition]), None))


def exporter_of(
    settings: Settings,
    runners: Mapping[str, Runner],
    health: WorkerHealth,
    clock: Callable[[], float] = time.monotonic,
) -> ExporterServer:
    """Return the HTTP server of a worker, not started. clock: the runners' own.

    Raises SettingsError on a port that is taken.
    """
    publish = runners.get("publish")
    registry = CollectorRegistry()
    register(registry, LisCollector(lambda: current_view(publish), health))
    pages = Pages(
        registry,
        alive=lambda: health.stuck(STUCK_AFTER) or silent(runners, clock()),
        ready=lambda: waiting(runners),
        summary=lambda: summary(publish),
    )
    return ExporterServer(pages, settings.http.host, settings.http.port)


def current_view(publish: Runner | None) -> PublishView | None:
    """Return the publish shard's view; None where it is on another worker."""
    host = publish.hosts.get(0) if publish is not None else None
    view: PublishView | None = getattr(host.shard, "current", None) if host is not None else None
    return view


def summary(publish: Runner | None) -> Mapping[str, Any] | None:
    """Return the publish shard's summary, computed in the shard's own thread between two turns."""
    host = publish.hosts.get(0) if publish is not None else None
    if host is None:
        return None
    shard: Any = host.shard
    found: Mapping[str, Any] = host.thread.submit(shard.summary).result(SUMMARY_SECONDS)
    return found


def silent(runners: Mapping[str, Runner], now: float) -> str | None:
    """Return the sentence that names a role whose event loop or consumer does not answer any more."""
    for role, runner in runners.items():
        if now - runner.turned_at > STUCK_AFTER:
            return f"{role} has not looked at Kafka for {now - runner.turned_at:.0f} s"
    return None


def waiting(runners: Mapping[str, Runner]) -> str | None:
    """Return the sentence that names a role that has not been given its partitions yet."""
    for role, runner in runners.items():
        if not runner.ready:
            return f"{role} has not been given its partitions yet"
    return None
