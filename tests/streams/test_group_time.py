from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from kafka import KafkaProducer

from lis_online.events.rank_log import VERSION, Block, Control
from lis_online.events.topics import topic_names
from lis_online.records import MAX_TIME
from lis_online.settings import Settings
from streams.group_time import LAST, GroupTime, newest
from streams.topics import create_topics
from tests.fixtures.kafka import free_port


def block(shard: int, watermark: int) -> bytes:
    """Return a block that says nothing but a time."""
    return Block(VERSION, shard, 0, b"", 0, b"", [], watermark).encode()


def test_time_is_that_of_the_most_advanced_shard_that_goes_on() -> None:
    """Ended shards and those that know nothing yet say nothing of time; nor do controls."""
    control = Control(VERSION, []).encode()
    assert newest([block(0, 50), block(1, 70), block(1, 60), block(2, MAX_TIME), block(3, -1), control]) == 70
    assert newest([block(2, MAX_TIME), block(3, -1)]) is None
    assert newest([]) is None


@pytest.fixture
def rank_log(kafka_settings: Settings) -> Iterator[KafkaProducer]:
    """A producer to a new rank log."""
    create_topics(kafka_settings)
    producer = KafkaProducer(bootstrap_servers=kafka_settings.kafka.bootstrap)
    yield producer
    producer.close()


@pytest.mark.kafka
def test_time_is_read_off_the_end_of_the_log(kafka_settings: Settings, rank_log: KafkaProducer) -> None:
    """Its last records alone, however long it is; None while there is nothing."""
    time, name = GroupTime(kafka_settings.kafka), topic_names(kafka_settings.kafka)["samples"]
    assert asyncio.run(time.get()) is None
    for watermark in [10**6, *range(LAST)]:
        rank_log.send(name, block(0, watermark), partition=0)
    rank_log.flush()
    assert asyncio.run(time.get()) == LAST - 1
    rank_log.send(name, b"not a block", partition=0)
    rank_log.flush()
    assert asyncio.run(time.get()) is None


def test_brokers_that_do_not_answer_say_nothing(tmp_path: Path) -> None:
    """An outage is no reason to end: it is asked again."""
    settings = Settings.of({"kafka": {"bootstrap": f"127.0.0.1:{free_port()}"}})
    assert asyncio.run(GroupTime(settings.kafka).get()) is None
