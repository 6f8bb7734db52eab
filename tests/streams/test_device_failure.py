from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lis_online.replay.pacing import Pace
from lis_online.replay.producer import Replay, producer_of
from lis_online.settings import Settings
from lis_online.shards.pipeline import Pipeline
from lis_online.simulate.recorded import generate
from lis_online.simulate.scenarios import scenario
from streams.topics import create_topics
from tests.fixtures.kafka import KafkaBroker, free_port, table_of
from tests.streams.processes import wait_until
from tests.streams.test_parity import LiveWorker, Log

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(200)]

STEPS = 12
"""The device fails at the one after: on the way, behind some checkpoints."""


@pytest.fixture
def log() -> Log:
    """A simulated feed."""
    return [(topic, value) for _, topic, value in generate(scenario("demo"), 800, seed=5)]


@pytest.fixture
def on_device_failure() -> str:
    """What the worker does."""
    return "cpu"


@pytest.fixture
def table(kafka_broker: KafkaBroker, tmp_path: Path, on_device_failure: str) -> dict[str, Any]:
    """The scenario's settings."""
    settings = {k: v for k, v in scenario("demo").settings.items() if k not in ("kafka", "checkpoints", "http")}
    settings["metrics"] = {**settings.get("metrics", {}), "warm_up": "1s"}
    settings["training"] = {**settings.get("training", {}), "on_device_failure": on_device_failure}
    checkpoints = {"every": "300ms"}
    return table_of(kafka_broker, tmp_path, http={"port": free_port()}, checkpoints=checkpoints, **settings)


@pytest.fixture
def live(table: dict[str, Any], tmp_path: Path, log: Log) -> Iterator[LiveWorker]:
    """A worker whose device fails, over a whole log; it is not left behind."""
    settings = Settings.of(table)
    create_topics(settings)
    producer = producer_of(settings.kafka)
    Replay(settings.kafka, producer, Pace(None)).run(log, finish=True)
    producer.close()
    worker = LiveWorker(table, tmp_path, seed=STEPS, module="tests.streams.device_worker")
    yield worker
    worker.process.kill()
    worker.process.wait()


def test_worker_goes_on_without_its_device_and_gives_the_same_numbers(
    table: dict[str, Any], live: LiveWorker, log: Log
) -> None:
    """The shard is made anew on the CPU, from its last checkpoint: what the device had done since is done again."""
    offline = Pipeline(Settings.of(table))
    for topic, value in log:
        offline.update(topic, value)
    offline.finish()
    wanted = {**json.loads(json.dumps(offline.summary())), "drift": []}
    wait_until(lambda: live.summary() == wanted, 90, lambda: f"{live.log()}\n{live.summary()}\n{wanted}")
    said = live.log()
    assert said.count("rank: the accelerator must work, got OutOfMemoryError: CUDA out of memory") == 1
    assert "it goes on from the last checkpoint on the CPU, until the worker is started again" in said
    metrics = live.metrics()
    assert metrics['lis_device_failures_total{role="rank"}'] == 1
    assert metrics['lis_rebalances_total{role="rank"}'] == 2
    assert metrics['lis_device_failures_total{role="join"}'] == 0


@pytest.mark.parametrize("on_device_failure", ["stop"])
def test_worker_that_is_to_stop_ends_with_the_reason(live: LiveWorker) -> None:
    """One sentence, exit code 1: its keeper may have another machine."""
    assert live.process.wait(60) == 1
    assert "rank ends: the accelerator must work, got OutOfMemoryError: CUDA out of memory" in live.log()
