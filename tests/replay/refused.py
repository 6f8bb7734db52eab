"""Records that were refused, on Apache Kafka: what a worker makes of its input topics, without the worker."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec
from kafka import KafkaProducer, TopicPartition

from lis_online.events.topics import topic_names
from lis_online.records import Record
from lis_online.replay.letter_log import reading
from lis_online.replay.reading import read_partition
from lis_online.settings import Settings
from lis_online.shards.join import JoinShard


class Sent(NamedTuple):
    """A record of an input topic. replayed_from: what its header names."""

    topic: str
    partition: int
    key: bytes | None
    value: bytes | None
    replayed_from: bytes | None


def send(settings: Settings, topic: str, values: Sequence[Any], key: bytes | None = b"k", partition: int = 0) -> None:
    """Put records into an input topic. values: bytes as they are, anything else as JSON."""
    producer = KafkaProducer(bootstrap_servers=settings.kafka.bootstrap, max_request_size=100 * 2**20)
    name = topic_names(settings.kafka)[topic]
    for value in values:
        raw = value if isinstance(value, bytes) or value is None else msgspec.json.encode(value)
        producer.send(name, raw, key=key, partition=partition)
    producer.close()


def refuse(settings: Settings) -> int:
    """Read every input topic as join workers do; put the dead letters where they belong, return how many."""
    shards = [JoinShard(settings, partition) for partition in range(settings.kafka.partitions)]
    producer = KafkaProducer(bootstrap_servers=settings.kafka.bootstrap)
    count = 0
    for record in _records(settings):
        for out in shards[record.partition].feed([record]):
            if out.topic == "dead_letters":
                name = topic_names(settings.kafka)[out.topic]
                producer.send(name, out.value, key=out.key, partition=0, headers=list(out.headers))
                count += 1
    producer.close()
    return count


def inputs(settings: Settings) -> list[Sent]:
    """Return what is in the input topics."""
    return [Sent(r.topic, r.partition, r.key, r.value, h.get("lis-replayed-from")) for r, h in _with_headers(settings)]


def replayed(settings: Settings) -> list[Sent]:
    """Return what was sent back, in order of where it came from."""
    return sorted((sent for sent in inputs(settings) if sent.replayed_from), key=lambda sent: sent.replayed_from or b"")


def _records(settings: Settings) -> list[Record]:
    return [record for record, _ in _with_headers(settings)]


def _with_headers(settings: Settings) -> list[tuple[Record, dict[str, bytes]]]:
    found = []
    with reading(settings.kafka) as consumer:
        for topic in ("impressions", "feedback", "representations", "preferences"):
            for partition in range(settings.kafka.partitions):
                place = TopicPartition(topic_names(settings.kafka)[topic], partition)
                end = consumer.end_offsets([place])[place]
                for one in read_partition(consumer, place, 0, end):
                    record = Record(topic, partition, one.offset, one.timestamp, one.value, one.key)
                    found.append((record, dict(one.headers)))
    return found
