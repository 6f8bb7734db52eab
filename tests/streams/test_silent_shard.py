from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lis_online.events.topics import MAIN
from lis_online.replay.pacing import Pace
from lis_online.replay.producer import Replay, producer_of
from lis_online.replay.routing import route
from lis_online.settings import Settings
from lis_online.shards.pipeline import Pipeline
from lis_online.simulate.recorded import generate
from lis_online.simulate.scenarios import scenario
from streams.topics import create_topics
from tests.fixtures.kafka import KafkaBroker, free_port, table_of
from tests.streams.processes import wait_until
from tests.streams.test_parity import LiveWorker, Log

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(200)]

PARTITIONS, SILENT = 3, 2
MINUTE = 60_000


@pytest.fixture
def table(kafka_broker: KafkaBroker, tmp_path: Path) -> dict[str, Any]:
    """The scenario's settings; a partition is idle after a second."""
    settings = {k: v for k, v in scenario("demo").settings.items() if k not in ("kafka", "checkpoints", "http")}
    settings["metrics"] = {**settings.get("metrics", {}), "warm_up": "1s"}
    kafka = {"partitions": PARTITIONS, "session_timeout": "3s", "idle_after": "1s"}
    return table_of(kafka_broker, tmp_path, kafka=kafka, http={"port": free_port()}, **settings)


@pytest.fixture
def live(table: dict[str, Any], tmp_path: Path) -> Iterator[LiveWorker]:
    """A worker that is not left behind."""
    create_topics(Settings.of(table))
    worker = LiveWorker(table, tmp_path, seed=1)
    yield worker
    worker.process.kill()
    worker.process.wait()


def send(settings: Settings, log: Log, finish: bool) -> None:
    """Send a log as fast as it goes."""
    producer = producer_of(settings.kafka)
    Replay(settings.kafka, producer, Pace(None)).run(log, finish=finish)
    producer.close()


def two_parts() -> tuple[Log, Log]:
    """Return a feed of which one partition has no users in the first 17 minutes; then it has."""
    events = list(generate(scenario("demo"), 1500, seed=5))
    cut = events[0][0] + 17 * MINUTE
    first = [
        (topic, value)
        for at, topic, value in events
        if at < cut and not (topic in MAIN and route(topic, value, PARTITIONS).partition == SILENT)
    ]
    return first, [(topic, value) for at, topic, value in events if at >= cut]


def test_silent_partition_holds_nobody_up_and_loses_nothing_when_it_begins(
    table: dict[str, Any], live: LiveWorker
) -> None:
    """Numbers flow while a join shard has no user at all; then it begins, and with a SIGKILL in between the numbers are
    those of a run over the same log without Kafka, where nothing is silent.
    """
    settings = Settings.of(table)
    first, second = two_parts()
    offline = Pipeline(settings)
    for topic, value in first + second:
        offline.update(topic, value)
    offline.finish()
    wanted = {**json.loads(json.dumps(offline.summary())), "drift": []}
    send(settings, first, finish=False)
    wait_until(lambda: live.summary().get("samples", 0) > 1000, 60, lambda: f"{live.log()}\n{live.summary()}")
    assert "join 2 brings nothing: it follows the others' time" in live.log()
    live.process.kill()
    live.process.wait()
    live.start()
    send(settings, second, finish=True)
    wait_until(lambda: live.summary() == wanted, 90, lambda: f"{live.log()}\n{live.summary()}\n{wanted}")
