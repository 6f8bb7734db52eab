"""A demo run that a Prometheus scrapes: what every picture is of."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from lis_online.cli.demo import HEAD_START
from lis_online.demo.feed import Feed
from lis_online.demo.stage import stage
from lis_online.demo.workers import Workers
from lis_online.errors import LisError
from lis_online.exporter.names import PUBLISHED
from lis_online.simulate.scenarios import scenario
from tests.grafana.prometheus import Prometheus, prometheus_of

SPEED: Final = 180.0
"""How many times as fast as time the feed's clock runs, as in `lis-online demo`."""
PATIENCE: Final = 900.0
"""Seconds without the run's end after which there is no picture."""


@dataclass(frozen=True)
class Run:
    """Where everything is. page: the live page; database: the history's SQLAlchemy address; begun: s since 1970."""

    page: str
    config: Path
    database: str
    prometheus: Prometheus
    begun: float


@contextmanager
def run(folder: Path, hours: float, seed: int) -> Iterator[Run]:
    """Run the demo until `hours` of its feed are published, and yield. Raises LisError if they never are."""
    chosen = scenario("demo")
    start = int(time.time() * 1000) - HEAD_START
    with stage(chosen, folder) as place:
        targets = [f"127.0.0.1:{port}" for port in place.ports.values()]
        with prometheus_of(targets, folder) as prometheus:
            feed = Feed(place.settings, chosen.world, seed, start, SPEED)
            workers = Workers(place.config, folder, place.ports)
            found = Run(f"{place.address('publish')}/", place.config, place.database, prometheus, time.time())
            try:
                feed.start()
                _wait(prometheus, start / 1000 + hours * 3600, workers)
                yield found
            finally:
                feed.stop()
                workers.stop()


def _wait(prometheus: Prometheus, until: float, workers: Workers) -> None:
    deadline = time.monotonic() + PATIENCE
    while max(prometheus.now(PUBLISHED.name), default=0.0) < until:
        workers.check()
        if time.monotonic() > deadline:
            raise LisError(f"the demo must publish its feed up to {until:.0f} within {PATIENCE:.0f} s, and did not")
        time.sleep(1)
