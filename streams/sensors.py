"""From the runners to the exporter: what /metrics, /healthz, /readyz and /api show of a worker."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from prometheus_client import CollectorRegistry

from lis_online.events.topics import topic_names
from lis_online.exporter.collector import LisCollector, register
from lis_online.exporter.exposition import Exposition
from lis_online.exporter.health import WorkerHealth
from lis_online.exporter.live import Live
from lis_online.exporter.pages import Pages
from lis_online.exporter.rendered import RenderedView
from lis_online.exporter.server import ExporterServer
from lis_online.settings import Settings
from lis_online.shards.device_use import DeviceUse
from lis_online.shards.view import PublishView
from streams.lag import Part
from streams.runner import Runner

STUCK_AFTER = 300.0
"""Seconds without progress, with records to read, after which a worker says that it is stuck."""

STANDING_AFTER = 900.0
"""Seconds with records to read and an unmoved watermark after which a worker is not ready."""

SUMMARY_SECONDS = 10.0
"""Seconds a request for the summary waits for the shard's turn to end."""


@contextmanager
def exporter_of(
    settings: Settings,
    runners: Mapping[str, Runner],
    health: WorkerHealth,
    clock: Callable[[], float] = time.monotonic,
) -> Iterator[ExporterServer]:
    """Serve a worker over HTTP while the context lasts. clock: the runners' own.

    Raises SettingsError on a port that is taken, or an address that must not be.
    """
    publish = runners.get("publish")
    registry = CollectorRegistry()
    register(registry, LisCollector(health, lambda: devices(runners), settings.events.user_sample))
    numbers = RenderedView(lambda: current_view(publish))
    pages = Pages(
        Exposition(registry, numbers),
        alive=lambda: stuck(runners, health, clock()),
        ready=lambda: unready(runners, health),
        summary=lambda: summary(publish),
        live=Live(
            lambda: current_view(publish),
            health,
            lambda: stuck(runners, health, clock()),
            lambda: unready(runners, health),
            settings.metrics.bucket / 1000,
        ),
    )
    with numbers, ExporterServer(pages, settings.http) as server:
        yield server


def current_view(publish: Runner | None) -> PublishView | None:
    """Return the publish shard's view; None where it is on another worker."""
    host = publish.hosts.get(0) if publish is not None else None
    view: PublishView | None = getattr(host.shard, "current", None) if host is not None else None
    return view


def devices(runners: Mapping[str, Runner]) -> Iterator[tuple[str, DeviceUse]]:
    """Yield the roles whose shards compute on a device, and its use now."""
    for role, runner in runners.items():
        for host in runner.hosts.values():
            found: DeviceUse | None = getattr(host.shard, "device_use", None)
            if found is not None:
                yield role, found


def applied_parts(settings: Settings, runners: Mapping[str, Runner]) -> list[Part]:
    """Return what every shard of this worker has applied of every topic, under Kafka's names."""
    topics = topic_names(settings.kafka)
    return [
        Part(role, topics[topic], partition, offset)
        for role, runner in runners.items()
        for partition, offsets in runner.applied().items()
        for topic, offset in offsets.items()
    ]


def summary(publish: Runner | None) -> Mapping[str, Any] | None:
    """Return the publish shard's summary and drift events, computed in the shard's own thread between two turns."""
    host = publish.hosts.get(0) if publish is not None else None
    if host is None:
        return None
    shard: Any = host.shard
    found: Mapping[str, Any] = host.thread.submit(shard.live_summary).result(SUMMARY_SECONDS)
    return found


def stuck(runners: Mapping[str, Runner], health: WorkerHealth, now: float) -> str | None:
    """Return the sentence that says what only a restart would end, None while all is well: what /healthz answers.

    Not an outage of Kafka or of the history: a restart ends neither, and after half an hour without its history the
    worker ends by itself (`streams.keeping`).
    """
    return health.stuck(STUCK_AFTER) or silent(runners, now)


def unready(runners: Mapping[str, Runner], health: WorkerHealth) -> str | None:
    """Return the sentence that says why this worker cannot do its work now, None while it can: what /readyz answers.

    An outage counts: a new version that was given a wrong address must not replace the old one.
    """
    return waiting(runners) or health.cut_off() or health.standing(STANDING_AFTER)


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
