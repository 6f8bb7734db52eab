from __future__ import annotations

import random
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lis_online.settings import Settings
from lis_online.shards.checkpoint import CheckpointStore
from lis_online.shards.fingerprint import fingerprint
from streams.topics import create_topics
from tests.fixtures.kafka import KafkaBroker, table_of
from tests.streams.processes import Inputs, ToyWorkers, outcome, wait_until

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(180)]


@pytest.fixture
def table(kafka_broker: KafkaBroker, tmp_path: Path) -> dict[str, Any]:
    """The settings file: checkpoints are made often."""
    return table_of(kafka_broker, tmp_path, checkpoints={"every": "300ms"})


@pytest.fixture
def settings(table: dict[str, Any]) -> Settings:
    """The settings, with their topics created."""
    settings = Settings.of(table)
    create_topics(settings)
    return settings


@pytest.fixture
def workers(table: dict[str, Any], tmp_path: Path) -> Iterator[ToyWorkers]:
    """Worker processes that are gone after the test."""
    workers = ToyWorkers(table, tmp_path)
    yield workers
    workers.kill_all()


@pytest.fixture
def inputs(settings: Settings) -> Iterator[Inputs]:
    """What is sent to the input topics."""
    inputs = Inputs(settings)
    yield inputs
    inputs.close()


def saved_chains(settings: Settings, role: str, partition: int) -> dict[str, str]:
    """Return the chains of a shard's newest checkpoint."""
    store = CheckpointStore(Path(settings.checkpoints.directory), role, partition, 3, fingerprint(settings))
    found = store.load_latest()
    assert found is not None, f"no checkpoint of {role} {partition}"
    chains: dict[str, str] = found[0].meta["shard"]["chains"]
    return chains


def test_state_after_kills_equals_that_of_shards_that_never_stopped(
    settings: Settings, workers: ToyWorkers, inputs: Inputs
) -> None:
    """The state and the history after any number of crashes equal those of a run without any."""
    chance = random.Random(7)
    inputs.send(400)
    for _ in range(3):
        victim = workers.start("all")
        rows = len(workers.rows())
        wait_until(lambda rows=rows: len(workers.rows()) > rows, 40, workers.log)  # it has got somewhere new
        inputs.send(200)
        time.sleep(chance.uniform(0, 0.8))
        workers.stop(victim, signal.SIGKILL)
    inputs.send(100)
    joins, rank, rows = outcome(inputs.records, settings.kafka.partitions)
    last = workers.start("all")
    wait_until(lambda: len(workers.rows()) >= len(rows), 40, workers.log)
    assert workers.stop(last, signal.SIGTERM) == 0, workers.log()
    assert workers.rows() == rows
    assert [saved_chains(settings, "join", partition) for partition in (0, 1)] == joins
    assert saved_chains(settings, "rank", 0) == rank
