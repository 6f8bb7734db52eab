"""A variant that is added between two starts of a real worker, on Apache Kafka and PostgreSQL."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, text

from lis_online.checkpoints.store import CheckpointStore
from lis_online.replay.pacing import Pace
from lis_online.replay.producer import Replay, producer_of
from lis_online.settings import Settings
from lis_online.shards.fingerprint import fingerprint
from lis_online.shards.pipeline import Pipeline
from lis_online.shards.rank import RankShard
from lis_online.snapshots.contract import Snapshot
from streams.topics import create_topics
from tests.fixtures.kafka import ROOT, KafkaBroker, free_port, table_of
from tests.shards import village
from tests.streams.processes import wait_until
from tests.streams.test_parity import LiveWorker, Log, lags

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(280)]

VILLAGE = village.table()
VARIANTS = VILLAGE["variant"]
ADDED = VARIANTS[0]["name"]


@pytest.fixture
def table(kafka_broker: KafkaBroker, tmp_path: Path, postgres_url: str, history_engine: Engine) -> dict[str, Any]:
    """The village's settings without its first variant."""
    del history_engine
    left_out = ("kafka", "history", "checkpoints", "http", "variant", "experiment")
    settings = {name: section for name, section in VILLAGE.items() if name not in left_out}
    kafka = {"partitions": 2, "session_timeout": "3s", "idle_after": "10m"}
    places = {"http": {"port": free_port()}, "history": {"url": postgres_url}}
    return table_of(kafka_broker, tmp_path, kafka=kafka, variant=VARIANTS[1:], **places, **settings)


@pytest.fixture
def workers() -> Iterator[list[LiveWorker]]:
    """Workers to fill in; none is left behind."""
    started: list[LiveWorker] = []
    yield started
    for each in started:
        each.process.kill()
        each.process.wait()


def send(settings: Settings, records: Log, finish: bool) -> None:
    """Send records to the input topics."""
    producer = producer_of(settings.kafka)
    Replay(settings.kafka, producer, Pace(None)).run(records, finish=finish)
    producer.close()


def vectors(settings: Settings, name: str) -> int:
    """Return how many items have a vector of a variant in the rank shard's newest checkpoint."""
    store = CheckpointStore(settings.checkpoints.directory, "rank", 0, 3, fingerprint(settings, "rank"))
    found = store.load_latest()
    assert found is not None
    shard = RankShard(settings, shards=settings.kafka.partitions)
    shard.restore(Snapshot(found[0].meta["shard"], found[0].arrays))
    place = [variant.name for variant in settings.variant].index(name)
    return int((shard.snapshot().arrays[f"vectors/{place}/0.since"] > 0).sum())


def refused(table: dict[str, Any], folder: Path) -> str:
    """Return what a worker says that does not start under these settings."""
    path = folder / "refused.json"
    path.write_text(json.dumps({**table, "http": {"port": free_port()}}))
    command = [sys.executable, "-m", "tests.streams.live_worker", "all", str(path), "1"]
    environment = os.environ | {"TMPDIR": str(folder)}
    ended = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 1
    return ended.stderr


def numbers(summary: dict[str, Any]) -> dict[str, Any]:
    """Return the numbers of the sources and of the variants that were there from the start."""
    plain = {name: summary[name] for name in ("samples", "slates", "from", "to", "unleaked", "twin", "sources")}
    variants = {
        name: {key: value for key, value in one.items() if key not in ("versions", "overlap")}
        for name, one in summary["variants"].items()
        if name != ADDED
    }
    return json.loads(json.dumps({**plain, "variants": variants}))


def test_a_variant_that_is_added_moves_nobody_and_warms_up(
    table: dict[str, Any], tmp_path: Path, workers: list[LiveWorker], history_engine: Engine
) -> None:
    """SIGTERM, change, start: the others' numbers are those of a run without it, and its vectors of before are there.

    A worker that is killed right after the change changes nothing; settings that cannot be kept are refused.
    """
    before, records = Settings.of(table), village.feed()
    more = {**table, "variant": VARIANTS}
    create_topics(before)
    half = len(records) // 2
    send(before, records[:half], finish=False)
    live = LiveWorker(table, tmp_path, seed=1)
    workers.append(live)
    wait_until(lambda: live.summary().get("samples", 0) > 0, 60, live.log)
    wait_until(lambda: bool(live.metrics()) and not lags(live.metrics()), 60, live.log)
    letters = live.summary()["events"]["dead_letters"]
    live.process.send_signal(signal.SIGTERM)
    assert live.process.wait(30) == 0
    said = refused({**table, "leakage": {**table["leakage"], "folds": 3}}, tmp_path)
    assert "leakage.folds was" in said and "and is 3. What the rankers have learnt" in said
    workers.append(live := LiveWorker(more, tmp_path, seed=2))
    wait_until(lambda: live.get("/readyz") is not None, 60, live.log)
    live.process.kill()
    live.process.wait()
    send(before, records[half:], finish=True)
    offline = Pipeline(before)
    for topic, value in records:
        offline.update(topic, value)
    offline.finish()
    wanted = numbers(offline.summary())
    live.start()
    wait_until(lambda: live.summary().get("samples") == wanted["samples"], 90, live.log)
    found = live.summary()
    assert numbers(found) == wanted
    assert ADDED in found["variants"] and found["events"]["dead_letters"] <= letters
    wait_until(lambda: not lags(live.metrics()), 40, lambda: f"{lags(live.metrics())}")
    live.process.send_signal(signal.SIGTERM)
    assert live.process.wait(30) == 0
    held = [vectors(Settings.of(more), variant["name"]) for variant in VARIANTS]
    assert held[0] == held[1] > 100
    with history_engine.connect() as connection:
        rows = connection.execute(text("SELECT configuration_id, sum(samples) FROM buckets GROUP BY 1")).all()
        assert len(rows) == 2 and sum(int(samples) for _, samples in rows) == offline.rank.samples
