"""What a worker's registry holds: its health, read at each scrape, nothing kept in between."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from prometheus_client import CollectorRegistry, PlatformCollector, ProcessCollector
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

import lis_online
from lis_online.exporter import names
from lis_online.exporter.families import Families, empty
from lis_online.exporter.health import WorkerHealth
from lis_online.exporter.health_series import add_devices, add_health
from lis_online.shards.device_use import DeviceUse

Devices = Callable[[], Iterable[tuple[str, DeviceUse]]]
"""Returns the roles that compute on a device, and its use now."""


class LisCollector(Collector):
    """The health of a worker. The numbers of a publish shard are added by `exposition.Exposition`.

    health: None where no worker runs. devices: asked at each scrape. user_sample: of the settings, None where no
    worker runs.
    """

    def __init__(
        self, health: WorkerHealth | None = None, devices: Devices = tuple, user_sample: float | None = None
    ) -> None:
        self._health = health
        self._devices = devices
        self._user_sample = user_sample

    def describe(self) -> Iterable[Metric]:
        """Return every family there may be, empty: a registry then refuses a second collector of any of them."""
        return [empty(series) for series in names.every()]

    def collect(self) -> Iterable[Metric]:
        """Return the families that have a number now."""
        families = Families()
        families.add(names.BUILD, 1, version=lis_online.__version__)
        families.add(names.USER_SAMPLE, self._user_sample)
        add_devices(families, self._devices())
        if self._health is not None:
            add_health(families, self._health)
        return families.get()


def register(registry: CollectorRegistry, collector: LisCollector) -> None:
    """Put the collector into a registry, with the process's own memory, CPU and file numbers."""
    registry.register(collector)
    ProcessCollector(registry=registry)
    PlatformCollector(registry=registry)
