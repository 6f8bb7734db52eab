from __future__ import annotations

import random
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lis_online.checkpoints.store import CheckpointStore
from lis_online.settings import Settings
from lis_online.shards.fingerprint import fingerprint
from streams.topics import create_topics
from tests.fixtures.kafka import KafkaBroker, table_of
from tests.streams.processes import Inputs, ToyWorkers, outcome, wait_until

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(180)]


@pytest.fixture
def idle_after() -> str:
    """When a partition counts as idle: not within a test, unless it says so."""
    return "10m"


@pytest.fixture
def table(kafka_broker: KafkaBroker, tmp_path: Path, idle_after: str) -> dict[str, Any]:
    """The settings file: checkpoints are made often, and a worker that was killed is noticed soon."""
    kafka = {"session_timeout": "3s", "idle_after": idle_after}
    return table_of(kafka_broker, tmp_path, checkpoints={"every": "300ms"}, kafka=kafka)


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
    store = CheckpointStore(settings.checkpoints.directory, role, partition, 3, fingerprint(settings, role))
    found = store.load_latest()
    assert found is not None, f"no checkpoint of {role} {partition}"
    chains: dict[str, str] = found[0].meta["shard"]["chains"]
    return chains


def saved_chains_or_none(settings: Settings, role: str, partition: int) -> dict[str, str]:
    """Return the chains of a shard's newest checkpoint, none where there is none."""
    return saved_chains(settings, role, partition) if checkpointed(settings, role, partition) else {}


def checkpointed(settings: Settings, role: str, partition: int) -> int:
    """Return the position of a shard's newest checkpoint, 0 without one."""
    store = CheckpointStore(settings.checkpoints.directory, role, partition, 3, fingerprint(settings, role))
    newest = store.newest()
    return 0 if newest is None else newest.position


def test_state_after_kills_equals_that_of_shards_that_never_stopped(
    settings: Settings, workers: ToyWorkers, inputs: Inputs
) -> None:
    """The state and the history after any number of crashes equal those of a run without any."""
    chance = random.Random(7)
    inputs.send(400)
    for _ in range(3):
        victim = workers.start("all")
        rows = len(workers.rows())
        wait_until(lambda rows=rows: len(workers.rows()) > rows, 120, workers.log)  # it has got somewhere new
        inputs.send(200)
        time.sleep(chance.uniform(0, 0.8))
        workers.stop(victim, signal.SIGKILL)
    inputs.send(100)
    joins, rank, rows = outcome(inputs.records, settings.kafka.partitions)
    last = workers.start("all")
    wait_until(lambda: len(workers.rows()) >= len(rows), 120, workers.log)
    assert workers.stop(last, signal.SIGTERM) == 0, workers.log()
    assert "the worker has ended, as it was told to" in workers.log()
    assert workers.rows() == rows
    assert [saved_chains(settings, "join", partition) for partition in (0, 1)] == joins
    assert saved_chains(settings, "rank", 0) == rank


def test_worker_that_was_stopped_and_continues_changes_nothing(
    settings: Settings, workers: ToyWorkers, inputs: Inputs
) -> None:
    """A worker that sleeps through the loss of its partitions and wakes up neither sends, saves nor commits
    anything that another one's state depends on.
    """
    inputs.send(200)
    sleeper = workers.start("join")
    wait_until(lambda: checkpointed(settings, "join", 0) > 0, 120, workers.log)
    sleeper.send_signal(signal.SIGSTOP)
    inputs.send(200)
    other = workers.start("join")
    everything = 4 * 400  # records of each partition
    wait_until(lambda: all(checkpointed(settings, "join", p) == everything for p in (0, 1)), 120, workers.log)
    sleeper.send_signal(signal.SIGCONT)
    inputs.send(100)
    everything = 4 * 500
    wait_until(lambda: all(checkpointed(settings, "join", p) == everything for p in (0, 1)), 120, workers.log)
    joins, _, _ = outcome(inputs.records, settings.kafka.partitions)
    assert [workers.stop(each, signal.SIGTERM) for each in (sleeper, other)] == [0, 0], workers.log()
    assert [saved_chains(settings, "join", partition) for partition in (0, 1)] == joins


def test_record_that_cannot_be_applied_ends_the_worker_with_its_reason_once(
    settings: Settings, workers: ToyWorkers, inputs: Inputs
) -> None:
    """What cannot be skipped without a wrong number ends the process with 1, for its keeper to see."""
    inputs.send(3)
    inputs.poison("feedback")
    worker = workers.start("join")
    assert worker.wait(40) == 1
    said = workers.log()
    assert said.count("join ends: poison") == 1
    assert said.count("Traceback (most recent call last)") == 1


@pytest.mark.parametrize("idle_after", ["1s"])
def test_idle_partition_is_passed_over_and_a_restart_keeps_it(
    settings: Settings, workers: ToyWorkers, inputs: Inputs
) -> None:
    """A partition that brings nothing holds nobody up, and what passed it over is part of the state."""
    worker = workers.start("join")
    wait_until(lambda: workers.ready() == 1, 120, workers.log)
    deadline = time.monotonic() + 40
    while "idle" not in saved_chains_or_none(settings, "join", 0):
        assert time.monotonic() < deadline, workers.log()
        inputs.send(1, topics=("impressions",))
        time.sleep(0.2)
    workers.stop(worker, signal.SIGKILL)
    ticks = saved_chains(settings, "join", 0)["idle"]
    restarted = workers.start("join")
    wait_until(lambda: workers.ready() == 2, 120, workers.log)
    assert workers.stop(restarted, signal.SIGTERM) == 0, workers.log()
    assert saved_chains(settings, "join", 0)["idle"] == ticks


def test_worker_goes_on_while_its_checkpoints_are_away(settings: Settings, workers: ToyWorkers, inputs: Inputs) -> None:
    """A folder that cannot be written to stops no record and no end, and loses none."""
    folder = Path(settings.checkpoints.directory)
    away = folder.with_name("away")
    inputs.send(200)
    worker = workers.start("join")
    wait_until(lambda: all(checkpointed(settings, "join", p) == 4 * 200 for p in (0, 1)), 120, workers.log)
    folder.rename(away)
    folder.write_text("a file where the folder was")
    inputs.send(100)
    wait_until(lambda: "must let itself" in workers.log(), 120, workers.log)
    assert workers.stop(worker, signal.SIGTERM) == 0, workers.log()
    assert workers.log().count("trying again until it works") <= 2  # once for each shard
    assert "whoever goes on begins at the one before" in workers.log()
    folder.unlink()
    away.rename(folder)
    restarted = workers.start("join")
    wait_until(lambda: all(checkpointed(settings, "join", p) == 4 * 300 for p in (0, 1)), 120, workers.log)
    assert workers.stop(restarted, signal.SIGTERM) == 0, workers.log()
    joins, _, _ = outcome(inputs.records, settings.kafka.partitions)
    assert [saved_chains(settings, "join", partition) for partition in (0, 1)] == joins
