"""What Kafka still has of the input topics, from a time on: the records a backfill reads.

Each partition in its own order; the partitions merged by event time, so that all of them are about equally far and what
the shards hold stays small. Vectors come first, all of them: a compacted topic has them in no order of time.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from kafka import KafkaConsumer, TopicPartition

from lis_online.backfill.beginning import WHOLE, Beginning, TimeOf
from lis_online.errors import ReplayError, TopicError
from lis_online.events.topics import INPUTS, MAIN, topic_names
from lis_online.events.wire import END_TICK
from lis_online.history.times import iso
from lis_online.mapping.codec import Codec
from lis_online.records import Record
from lis_online.replay.connection import broker_errors, check_connection, client_arguments
from lis_online.replay.reading import read_partition
from lis_online.settings import Settings
from lis_online.settings.model import KafkaSettings

CHUNK: Final = 256 * 1024
"""Bytes that are fetched of a partition at a time: each partition holds so much while it waits for the others."""

Timed = tuple[int, Record]
"""A record and the event time of its partition so far, ms."""


@dataclass(frozen=True, slots=True)
class Part:
    """What is read of one partition: the offsets [first, end). lost: older ones are gone, and could belong to it."""

    topic: str
    partition: int
    first: int
    end: int
    lost: bool


def read_retained(settings: Settings, start: int, until: int, partial: bool = False) -> Iterator[Record]:
    """Yield the records of the input topics from `start` on, to the ends they have now, and an end tick for each.

    start: ms; what happened before is passed over, but for vectors. until: vectors of that time or later are left out.
    Raises BrokerError, TopicError where a topic is missing or of another shape, and, unless partial, ReplayError where
    retention has taken records that could belong to what was asked.
    """
    check_connection(settings.kafka)
    with broker_errors(settings.kafka):
        consumer = KafkaConsumer(
            **client_arguments(settings.kafka),
            client_id=f"{settings.kafka.prefix}-backfill",
            enable_auto_commit=False,
            auto_offset_reset="none",
            max_partition_fetch_bytes=CHUNK,
            max_poll_records=CHUNK,
        )
        try:
            parts = _parts(consumer, settings, start)
            if not partial:
                _check_retention(consumer, settings.kafka, parts, start)
            yield from _vectors(consumer, settings, [part for part in parts if part.topic == WHOLE], until)
            yield from _merged(consumer, settings, [part for part in parts if part.topic != WHOLE], start)
        finally:
            consumer.close()


def _parts(consumer: Any, settings: Settings, start: int) -> list[Part]:
    """Return what is to be read of each partition.

    A record's own time is at most `max_ahead` after that of its sending, or it is refused: what was sent earlier than
    that before the start happened before the start.
    """
    names = topic_names(settings.kafka)
    places = {
        TopicPartition(names[topic], partition): topic
        for topic in INPUTS
        for partition in range(_count(consumer, names[topic], settings.kafka))
    }
    oldest, ends = consumer.beginning_offsets(list(places)), consumer.end_offsets(list(places))
    sent = max(0, start - settings.events.max_ahead)
    timed = [place for place, topic in places.items() if topic != WHOLE]
    found, any_time = (consumer.offsets_for_times(dict.fromkeys(timed, time)) for time in (sent, 0))
    parts = []
    for place, topic in places.items():
        at = found.get(place)
        first = oldest[place] if topic == WHOLE else ends[place] if at is None else at.offset
        lost = topic != WHOLE and oldest[place] > 0 and at == any_time[place]
        parts.append(Part(topic, place.partition, first, ends[place], lost))
    return parts


def _count(consumer: Any, name: str, kafka: KafkaSettings) -> int:
    found = consumer.partitions_for_topic(name)
    if not found:
        raise TopicError(f"topic {name} must exist: run `lis-online topics create`")
    if len(found) != kafka.partitions:
        raise TopicError(f"topic {name} must have {kafka.partitions} partition(s) (kafka.partitions), got {len(found)}")
    return len(found)


def _check_retention(consumer: Any, kafka: KafkaSettings, parts: list[Part], start: int) -> None:
    """Raise ReplayError where records before the oldest of a partition are gone that could be needed."""
    lost = [part for part in parts if part.lost]
    if not lost:
        return
    names = topic_names(kafka)
    places = {TopicPartition(names[part.topic], part.partition): 0 for part in lost}
    oldest = {place: at.timestamp for place, at in consumer.offsets_for_times(places).items() if at is not None}
    since = f"what was sent from {iso(max(oldest.values()))} on" if oldest else "nothing"
    topics = ", ".join(sorted({names[part.topic] for part in lost}))
    raise ReplayError(
        f"Kafka must have what happened from {iso(start)} on (--from less the warm-up and what it needs), got {since} "
        f"in {topics}: begin later, read a recorded log instead, or take what there is with --partial"
    )


def _vectors(consumer: Any, settings: Settings, parts: list[Part], until: int) -> Iterator[Record]:
    time_of = Codec(settings.mapping).time
    for part in parts:
        for record in _records(consumer, settings.kafka, part):
            if (time_of(record.topic, record.value) or 0) < until:
                yield record


def _merged(consumer: Any, settings: Settings, parts: list[Part], start: int) -> Iterator[Record]:
    ahead, time_of = settings.events.max_ahead, Codec(settings.mapping).time
    streams = [_timed(_records(consumer, settings.kafka, part), part, start, ahead, time_of) for part in parts]
    yield from (record for _, record in heapq.merge(*streams, key=lambda timed: timed[0]))


def _timed(records: Iterator[Record], part: Part, start: int, max_ahead: int, time_of: TimeOf) -> Iterator[Timed]:
    """Yield a partition's records from a time on, each with the event time reached; then the end tick of a main one.

    The time never goes back; a clock that runs ahead, whose record is refused, does not move it.
    """
    beginning, reached = Beginning(start), 0
    for record in records:
        ts = time_of(record.topic, record.value)
        if beginning.keeps(ts):
            if ts is not None and ts <= record.timestamp + max_ahead:
                reached = max(reached, ts)
            yield reached, record
    if part.topic in MAIN:
        yield reached, Record(part.topic, part.partition, part.end, -1, END_TICK)


def _records(consumer: Any, kafka: KafkaSettings, part: Part) -> Iterator[Record]:
    """Yield the records of a partition, fetched as they are asked for."""
    place = TopicPartition(topic_names(kafka)[part.topic], part.partition)
    for one in read_partition(consumer, place, part.first, part.end):
        yield Record(part.topic, part.partition, one.offset, one.timestamp, one.value, one.key)
