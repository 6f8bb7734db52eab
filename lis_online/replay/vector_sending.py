"""Vectors into the topic `representations`: what is there already is not sent again.

So a send that was interrupted goes on where it was when it is run again, and one that ended changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, NamedTuple

import numpy as np
from kafka import KafkaConsumer, TopicPartition

from lis_online.errors import EventRefused, TopicError
from lis_online.events.decode import decode_representation, vector_of
from lis_online.events.topics import topic_names
from lis_online.replay.connection import broker_errors, check_connection, client_arguments
from lis_online.replay.reading import read_partition
from lis_online.replay.vectors import Vectors
from lis_online.settings import Settings

TOPIC = "representations"


class Held(NamedTuple):
    """The newest vector that the topic has of an item. ts: valid from, ms; digest: of the vector as float16."""

    version: str
    ts: int
    digest: bytes


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be sent of a file, given what the topic has.

    to_send: of the file, what the topic has not; unchanged: vectors that are there already; newer: items whose vector
    in the topic is valid from a later time, and would be lost to compaction; replaced: items of `to_send` that have
    another vector of the same version; passed: items of `to_send` that have one of another version.
    """

    to_send: Vectors
    unchanged: int
    newer: int
    replaced: list[str]
    passed: int

    @classmethod
    def of(cls, vectors: Vectors, held: Mapping[str, Held], version: str, ts: int) -> Plan:
        """Return the plan for vectors of a version that are valid from ts, ms."""
        send = np.zeros(len(vectors.item_id), bool)
        unchanged = newer = passed = 0
        replaced: list[str] = []
        for row, item in enumerate(vectors.item_id.tolist()):
            there = held.get(item)
            if there is not None and there.version == version and there.digest == digest(vectors.vector[row]):
                unchanged += 1
            elif there is not None and there.ts > ts:
                newer += 1
            else:
                send[row] = True
                if there is not None and there.version == version:
                    replaced.append(item)
                passed += there is not None and there.version != version
        return cls(vectors.take(send), unchanged, newer, replaced, passed)


def digest(vector: np.ndarray) -> bytes:
    """Return 16 bytes that stand for a vector, float16 [dimension]."""
    return blake2b(np.ascontiguousarray(vector, "<f2").tobytes(), digest_size=16).digest()


def held_vectors(
    settings: Settings, variant: str, dimension: int, progress: Callable[[int, int], None] = lambda done, total: None
) -> dict[str, Held]:
    """Return the newest vector of each item of a variant, by item, as the topic has them now.

    A record that the join shards would refuse is none. progress: told of offsets read and of all.
    Raises BrokerError, and TopicError where the topic is missing.
    """
    name = topic_names(settings.kafka)[TOPIC]
    check_connection(settings.kafka)
    found: dict[str, Held] = {}
    with broker_errors(settings.kafka):
        consumer = KafkaConsumer(
            **client_arguments(settings.kafka),
            client_id=f"{settings.kafka.prefix}-vectors",
            enable_auto_commit=False,
            auto_offset_reset="none",
        )
        try:
            partitions = consumer.partitions_for_topic(name)
            if not partitions:
                raise TopicError(f"topic {name} must exist: run `lis-online topics create`")
            places = [TopicPartition(name, partition) for partition in sorted(partitions)]
            oldest, ends = consumer.beginning_offsets(places), consumer.end_offsets(places)
            total, done = sum(ends[place] - oldest[place] for place in places), 0
            for place in places:
                for record in read_partition(consumer, place, oldest[place], ends[place]):
                    _note(found, record, variant, dimension)
                    progress(done + record.offset + 1 - oldest[place], total)
                done += ends[place] - oldest[place]
        finally:
            consumer.close()
    return found


def _note(found: dict[str, Held], record: Any, variant: str, dimension: int) -> None:
    prefix = f"{variant}|".encode()
    if record.key is None or not record.key.startswith(prefix):
        return
    if record.value is None:
        found.pop(record.key[len(prefix) :].decode(errors="replace"), None)
        return
    try:
        event = decode_representation(record.value)
        held = Held(event.version, event.ts, digest(vector_of(event, dimension)))
    except EventRefused:
        return
    if event.variant == variant:
        found[event.item_id] = held
