"""What /metrics shows: read from its source at each scrape, nothing kept in between."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from prometheus_client import CollectorRegistry, PlatformCollector, ProcessCollector
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

import lis_online
from lis_online.exporter import names
from lis_online.exporter.families import Families, empty
from lis_online.exporter.health import WorkerHealth
from lis_online.exporter.health_series import add_health
from lis_online.exporter.view_series import add_view
from lis_online.shards.view import PublishView


class LisCollector(Collector):
    """The numbers of a publish shard and the health of a worker.

    view: returns the publish shard's current view, None while there is none (and on other
    roles). health: the worker's, None where no worker runs (`evaluate`).
    """

    def __init__(
        self, view: Callable[[], PublishView | None] = lambda: None, health: WorkerHealth | None = None
    ) -> None:
        self._view = view
        self._health = health

    def describe(self) -> Iterable[Metric]:
        """Return every family there may be, empty, so that a registry refuses a second collector of them."""
        return [empty(series) for series in names.every()]

    def collect(self) -> Iterable[Metric]:
        """Return the families that have a number now."""
        families = Families()
        families.add(names.BUILD, 1, version=lis_online.__version__)
        if self._health is not None:
            add_health(families, self._health)
        view = self._view()
        if view is not None:
            add_view(families, view)
        return families.get()


def register(registry: CollectorRegistry, collector: LisCollector) -> None:
    """Put the collector into a registry, with the process's own memory, CPU and file numbers."""
    registry.register(collector)
    ProcessCollector(registry=registry)
    PlatformCollector(registry=registry)
