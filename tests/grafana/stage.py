"""A worker that read a simulated log from Kafka, its history, and a Prometheus that scraped it meanwhile."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any

from prometheus_client import CollectorRegistry, MetricsHandler
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector
from sqlalchemy import Engine, text

from lis_online.exporter import names
from lis_online.exporter.families import Families
from lis_online.history.annotations import Annotation, annotate
from lis_online.history.engine import transaction
from lis_online.history.rows import DriftRow
from lis_online.history.writer import HistoryWriter
from lis_online.replay.pacing import Pace
from lis_online.replay.producer import Replay, producer_of
from lis_online.settings import Settings
from lis_online.simulate.parameters import VersionParameters
from lis_online.simulate.recorded import START, generate
from lis_online.simulate.scenario import MINUTE
from lis_online.simulate.scenarios import scenario
from streams.topics import create_topics
from tests.fixtures.kafka import ROOT, KafkaBroker, free_port, table_of
from tests.grafana.prometheus import Prometheus, prometheus_of
from tests.streams.processes import wait_until

SLATES = 2700
END = START + SLATES // 60 * MINUTE
"""About the time of the last impression: 60 come a minute."""


@dataclass(frozen=True)
class Stage:
    """What the queries are run against. begun: when the worker began, s since 1970."""

    prometheus: Prometheus
    begun: float


def settings_table(broker: KafkaBroker, folder: Path, database: str) -> dict[str, Any]:
    """Return the demo's settings, smaller: a source, two variants, two versions of one; numbers from the beginning."""
    base = {key: value for key, value in scenario("demo").settings.items() if key != "history"}
    base["metrics"] = {**base["metrics"], "warm_up": "1s"}
    base["preference"] = base["preference"][:1]
    good, weak, _ = base["variant"]
    base["variant"] = [{**good, "versions": 2}, weak]
    kafka = {"partitions": 2, "session_timeout": "3s"}
    return table_of(broker, folder, kafka=kafka, history={"url": database}, http={"port": free_port()}, **base)


def fill(settings: Settings) -> None:
    """Send the log into Kafka: a second version of one variant on the way, and records that are refused."""
    known = scenario("demo")
    second = VersionParameters("good", 0.1, 10 * MINUTE, overlap=10 * MINUTE)
    world = replace(known, world=replace(known.world, versions=(second,), variants=known.world.variants[:2]))
    log = list(generate(world, SLATES, seed=5))
    for number, topic in enumerate(("impressions", "feedback", "representations")):
        for bad in (b"not json", b'{"schema_version": 2}'):
            log.insert(2000 * (number + 1), (log[2000 * (number + 1)][0], topic, bad))
    producer = producer_of(settings.kafka)
    Replay(settings.kafka, producer, Pace(None)).run(((topic, value) for _, topic, value in log), finish=True)
    producer.close()


class Constructed(Collector):
    """Series that a healthy run of half a minute on a CPU does not have: drift, and an accelerator's memory."""

    def collect(self) -> Iterable[Metric]:
        """Return one sample of each."""
        families = Families()
        families.add(names.BUILD, 1, version="constructed")  # among the workers that a reader chooses from
        about = {"kind": "variant", "subject": "good", "number": "adjusted_ais"}
        families.add(names.DRIFT_ACTIVE, 1.0, **about)
        families.add(names.DEVICE_MEMORY, 2.0**30, role="rank", state="allocated")
        return families.get()


@contextmanager
def constructed() -> Iterator[str]:
    """Serve the constructed series; yield their address."""
    registry = CollectorRegistry()
    registry.register(Constructed())
    server = ThreadingHTTPServer(("127.0.0.1", 0), MetricsHandler.factory(registry))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def note(engine: Engine, settings: Settings) -> None:
    """Write a drift event and a deploy, which no short run has."""
    middle = START + 10 * MINUTE
    sentence = "Adjusted AIS fell from 0.0300 to 0.0100."
    levels = (0.03, 0.02, 0.04, 0.01, 0.0, 0.02)
    row = DriftRow(middle, "variant", "good", "adjusted_ais", "all", MINUTE, middle + MINUTE, None, *levels,
                   "representation", sentence, "page_hinkley", 1)  # fmt: skip
    HistoryWriter(engine, settings).write([row])
    with transaction(engine) as connection:
        annotate(connection, Annotation(middle, middle + MINUTE, "deploy 1.4.2", ("deploy",)))


@contextmanager
def stage(broker: KafkaBroker, folder: Path, engine: Engine, database: str) -> Iterator[Stage]:
    """Run everything, and yield once the whole log is published, kept and scraped."""
    table = settings_table(broker, folder, database)
    settings = Settings.of(table)
    worker = f"127.0.0.1:{table['http']['port']}"
    with constructed() as other, prometheus_of([worker, other], folder) as prometheus:
        create_topics(settings)
        with _worker(table, folder) as log:
            fill(settings)
            wait_until(lambda: _published(worker) >= END - MINUTE, 150, log)
            wait_until(lambda: _kept(engine) >= END - MINUTE, 30, log)
            wait_until(lambda: _scraped(prometheus), 30, log)
            note(engine, settings)
            yield Stage(prometheus, prometheus.now("min(process_start_time_seconds)")[0])


@contextmanager
def _worker(table: dict[str, Any], folder: Path) -> Iterator[Any]:
    config, said = folder / "settings.json", folder / "worker.log"
    config.write_text(json.dumps(table))
    command = [sys.executable, "-m", "tests.streams.live_worker", "all", str(config), "1"]
    with said.open("wb") as log:
        process = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log, env=os.environ | {"TMPDIR": str(folder)})
    try:
        yield lambda: said.read_text()[-4000:]
    finally:
        process.kill()
        process.wait()


def _published(worker: str) -> float:
    """Return the time up to which the worker publishes, ms; 0 while it does not."""
    try:
        with urllib.request.urlopen(f"http://{worker}/metrics", timeout=10) as page:
            lines = page.read().decode().splitlines()
    except OSError:
        return 0.0
    return max(
        (float(line.split()[1]) * 1000 for line in lines if line.startswith(f"{names.PUBLISHED.name} ")), default=0.0
    )


def _kept(engine: Engine) -> float:
    with engine.connect() as connection:
        found = connection.execute(text("SELECT extract(epoch FROM max(bucket_end)) * 1000 FROM numbers")).scalar()
    return float(found or 0)


def _scraped(prometheus: Prometheus) -> bool:
    """Whether the whole log was there at two scrapes, and the offsets behind it are known."""
    ended = f"count_over_time(({names.PUBLISHED.name} >= {(END - MINUTE) / 1000})[10s:1s]) >= 2"
    return bool(prometheus.now(ended)) and bool(prometheus.now(f"{names.LAG.name} == 0"))
