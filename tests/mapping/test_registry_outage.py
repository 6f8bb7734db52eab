"""A join worker, a process with Apache Kafka, through an outage of the schema registry."""

from __future__ import annotations

import signal
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from kafka import KafkaProducer

from lis_online.events import rank_log
from lis_online.events.batches import SlateBatch
from lis_online.events.topics import MAIN, topic_names
from lis_online.records import Record
from lis_online.settings import Settings
from lis_online.shards.join import JoinShard
from streams.topics import create_topics
from tests.fixtures.kafka import KafkaBroker, free_port, table_of
from tests.mapping.bookshop import messages, table_of_the_page
from tests.mapping.encodings import BOOK, DEED, MAPPING, SHELF, avro_of, registered
from tests.mapping.registry_server import RegistryServer
from tests.privacy.places import records_of
from tests.streams.processes import wait_until
from tests.streams.test_parity import LiveWorker

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(200)]

NEW = 9
"""The id of a schema that comes into use while the registry is away."""

Sent = list[tuple[str, int, bytes]]
"""(topic, reader, value)."""


@pytest.fixture
def registry() -> Iterator[RegistryServer]:
    """A registry with the shop's schemas; deeds have two of the same fields."""
    with RegistryServer() as server:
        server.schemas = {1: registered(DEED), 2: registered(SHELF, ("shop.Book", "books", 1)), NEW: registered(DEED)}
        server.subjects = {("books", 1): registered(BOOK)}
        yield server


@pytest.fixture
def table(kafka_broker: KafkaBroker, tmp_path: Path, registry: RegistryServer) -> dict[str, Any]:
    """The page's settings with one partition, in Avro."""
    page = table_of_the_page()
    kafka = {"partitions": 1, "session_timeout": "3s", "idle_after": "10m"}
    found = table_of(kafka_broker, tmp_path, kafka=kafka, http={"port": free_port()}, checkpoints={"every": "300ms"})
    mapping = {**MAPPING, "registry": {"url": registry.url}}
    return {**found, "events": page["events"], "leakage": page["leakage"], "mapping": mapping}


def shop() -> tuple[Sent, Sent]:
    """Return the shop's messages of 20 minutes, and of as many after that, whose deeds are of the new schema."""
    now = time.time_ns() // 1_000_000
    log = [one for one in messages(now - 45 * 60_000, 900, 2_600) if one[0] == "feedback" or "shelf" in one[2]]
    sent = [(topic, reader, avro_of(topic, message)) for topic, reader, message in log]
    half = len(sent) // 2
    changed = [
        (topic, reader, b"\0" + NEW.to_bytes(4, "big") + value[5:] if topic == "feedback" else value)
        for topic, reader, value in sent[half:]
    ]
    return sent[:half], changed


def send(settings: Settings, sent: Sent) -> None:
    """Send messages, and wait until they are there."""
    producer = KafkaProducer(bootstrap_servers=settings.kafka.bootstrap, linger_ms=20)
    for topic, reader, value in sent:
        producer.send(topic_names(settings.kafka)[topic], value, key=str(reader).encode())
    producer.flush()
    producer.close()


def answer(table: dict[str, Any], path: str) -> tuple[int, str]:
    """Return status and text of a page of the worker."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{table['http']['port']}{path}", timeout=10) as page:
            return page.status, page.read().decode()
    except urllib.error.HTTPError as exc:
        with exc:
            return exc.code, exc.read().decode()


def slates(values: Sequence[bytes]) -> dict[str, np.ndarray]:
    """Return the columns of all slates of blocks, in order."""
    blocks = [block for value in values if isinstance(block := rank_log.decode(value), rank_log.Block)]
    batches = [SlateBatch.decode(block.slates).columns() for block in blocks if block.slates]
    return {name: np.concatenate([batch[name] for batch in batches]) for name in batches[0]}


def without_outage(settings: Settings) -> list[bytes]:
    """Return the blocks of a shard that is fed what Kafka has, by a registry that answers."""
    names = topic_names(settings.kafka)
    fed = [
        Record(topic, 0, one.offset, one.timestamp, one.value, one.key)
        for topic in MAIN
        for one in records_of(settings.kafka, names[topic])
    ]
    shard = JoinShard(settings, 0, judge_clock="record")
    return [one.value for one in shard.feed(fed) if one.topic == "samples"]


def test_outage_of_the_registry_is_waited_out_and_loses_nothing(
    table: dict[str, Any], registry: RegistryServer, tmp_path: Path
) -> None:
    """It goes away before a schema that nobody has seen comes into use: the worker says so, refuses nothing, goes on
    once the registry is back, and what it has sent is what a shard makes of the same records without any of that.
    """
    settings = Settings.of(table)
    create_topics(settings)
    before, after = shop()
    send(settings, before)
    worker = LiveWorker(table, tmp_path, seed=3, role="join")

    def applied() -> float:
        return worker.metrics().get('lis_records_applied_total{partition="0",role="join"}', 0)

    try:
        wait_until(lambda: worker.get("/readyz") is not None and applied() == len(before), 60, worker.log)
        registry.status = 503
        send(settings, after)
        told = 503, "join shard 0 cannot reach the schema registry\n"
        wait_until(lambda: answer(table, "/readyz") == told, 60, worker.log)
        assert answer(table, "/healthz") == (200, "ok\n")
        paused = 'lis_paused{partition="0",reason="registry_unreachable",role="join"}'
        assert worker.metrics()[paused] == 1
        assert applied() < len(before) + len(after)
        registry.status = None
        wait_until(lambda: applied() == len(before) + len(after), 60, worker.log)
        assert answer(table, "/readyz") == (200, "ok\n")
        assert worker.metrics()[paused] == 0
        worker.process.send_signal(signal.SIGTERM)
        assert worker.process.wait(30) == 0
    finally:
        worker.process.kill()
        worker.process.wait()
    assert worker.log().count("must answer, got 503") == 1
    names = topic_names(settings.kafka)
    assert records_of(settings.kafka, names["dead_letters"]) == []
    sent = slates([one.value for one in records_of(settings.kafka, names["samples"])])
    wanted = slates(without_outage(settings))
    assert sent.keys() == wanted.keys()
    assert all(np.array_equal(column, wanted[name]) for name, column in sent.items())
    assert (len(sent["n_items"]), sent["label"].any()) == (len(wanted["n_items"]), True)
    assert len(sent["n_items"]) > 600
    assert registry.asked.count(f"/schemas/ids/{NEW}") > 1
