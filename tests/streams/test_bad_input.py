"""A live join worker and what nobody should send, on Apache Kafka: it goes on, and says what it refused."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import msgspec
import pytest
from aiokafka import AIOKafkaProducer
from kafka import KafkaAdminClient, TopicPartition
from kafka.admin import ConfigResource, ConfigResourceType

from fuzz.hostile import TOPICS, Hostile
from lis_online.events import rank_log
from lis_online.events.batches import SlateBatch
from lis_online.events.dead_letters import KEPT_BYTES, KEPT_KEY_BYTES, Letter
from lis_online.events.topics import topic_names
from lis_online.events.wire import END_TICK
from lis_online.records import MAX_TIME
from lis_online.replay.letter_log import LetterLog, reading
from lis_online.replay.reading import read_partition
from lis_online.settings import Settings
from streams.topics import create_topics
from tests.fixtures.kafka import ROOT, KafkaBroker, table_of
from tests.join.logs import impression
from tests.streams.processes import wait_until

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(200)]

MB = 2**20
LARGEST = 70 * MB
CODECS = ("zstd", "lz4", "snappy", "gzip")


@pytest.fixture
def table(kafka_broker: KafkaBroker, tmp_path: Path) -> dict[str, Any]:
    """Settings whose input topics take records of 70 MB, each with another compression, as brokers may be set."""
    table = table_of(kafka_broker, tmp_path, kafka={"partitions": 1})
    settings = Settings.of(table)
    create_topics(settings)
    admin = KafkaAdminClient(bootstrap_servers=kafka_broker.bootstrap)
    names = topic_names(settings.kafka)
    for topic, codec in zip(TOPICS, CODECS, strict=True):
        configs = {"max.message.bytes": str(LARGEST), "compression.type": codec}
        admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, names[topic], configs)])
    admin.close()
    return table


@pytest.fixture
def worker(table: dict[str, Any], tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A join worker."""
    path = tmp_path / "settings.json"
    path.write_bytes(msgspec.json.encode(table))
    command = [sys.executable, "-m", "tests.streams.live_worker", "join", str(path), "1"]
    with (tmp_path / "log").open("ab") as log:
        process = subprocess.Popen(
            command, cwd=ROOT, stdout=log, stderr=log, env=os.environ | {"TMPDIR": str(tmp_path)}
        )
    yield process
    process.kill()
    process.wait()


def blocks(settings: Settings) -> list[rank_log.Block]:
    """Return the rank log."""
    name = topic_names(settings.kafka)["samples"]
    place = TopicPartition(name, 0)
    with reading(settings.kafka) as consumer:
        end = consumer.end_offsets([place])[place]
        records = [rank_log.decode(one.value) for one in read_partition(consumer, place, 0, end)]
    return [record for record in records if isinstance(record, rank_log.Block)]


async def flood(settings: Settings, now: int) -> None:
    """Send what nobody should between two good impressions, and the end."""
    names = topic_names(settings.kafka)
    hostile, noise = Hostile(Random(4)), Random(1).randbytes(MB)
    # kafka-python's checksums take half a second a megabyte
    producer = AIOKafkaProducer(bootstrap_servers=settings.kafka.bootstrap, max_request_size=LARGEST)
    await producer.start()

    async def send(topic: str, value: bytes | None, key: bytes = b"k") -> None:
        await producer.send_and_wait(names[topic], value, key=key, partition=0)

    await send("impressions", msgspec.json.encode(impression("r1", ts=now)))
    await send("impressions", noise * 60)
    await send("feedback", b"{", noise * 20)
    for topic in TOPICS:
        await send(topic, b"[" * 2 * MB)
        for _ in range(50):
            await send(topic, hostile.record(topic))
        await send(topic, None)
    await send("impressions", msgspec.json.encode(impression("r2", ts=now)))
    for topic in ("impressions", "feedback"):
        await send(topic, END_TICK)
    await producer.stop()


def test_nothing_that_is_sent_stops_a_worker(
    table: dict[str, Any], tmp_path: Path, worker: subprocess.Popen[bytes]
) -> None:
    """Any compression, 60 MB in one value, 20 in a key, hostile records: refused, and what follows is read."""
    settings = Settings.of(table)
    asyncio.run(flood(settings, time.time_ns() // 1_000_000))

    def log() -> str:
        return (tmp_path / "log").read_text()[-4000:]

    def finished() -> bool:
        assert worker.poll() is None, log()
        return any(block.watermark == MAX_TIME for block in blocks(settings))

    wait_until(finished, 100, log)
    with reading(settings.kafka) as consumer:
        letters = LetterLog(settings.kafka, consumer)
        found = [one for *_, one in letters.read(0, letters.end) if isinstance(one, Letter)]
        assert len(found) == letters.end
    assert sum(len(SlateBatch.decode(block.slates)) for block in blocks(settings) if block.slates) >= 2
    assert {one.reason for one in found} >= {"malformed", "too_large", "schema_version"}
    (value,) = [one for one in found if one.length == 60 * MB]
    assert (value.place, len(value.value), value.whole) == (("impressions", 0, 1), KEPT_BYTES, False)
    (key,) = [one for one in found if one.place == ("feedback", 0, 0)]
    assert (key.value, len(key.key or b""), key.whole) == (b"{", KEPT_KEY_BYTES, False)
