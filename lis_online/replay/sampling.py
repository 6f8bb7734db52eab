"""The newest records of a topic, read by nobody in a group: nothing is committed, nothing is moved."""

from __future__ import annotations

from typing import Any

from kafka import TopicPartition

from lis_online.errors import TopicError
from lis_online.records import Record
from lis_online.replay.reading import read_partition


def newest_records(consumer: Any, topic: str, name: str, count: int) -> list[Record]:
    """Return up to `count` of the newest records of a topic, spread over its partitions, each partition's in order.

    consumer: a KafkaConsumer in no group. topic: its logical name; name: what Kafka calls it. Raises TopicError where
    it is missing.
    """
    partitions = sorted(consumer.partitions_for_topic(name) or ())
    if not partitions:
        raise TopicError(f"topic {name} must exist, and is not there")
    places = [TopicPartition(name, partition) for partition in partitions]
    oldest, ends = consumer.beginning_offsets(places), consumer.end_offsets(places)
    found = []
    for place, share in zip(places, _shares([ends[p] - oldest[p] for p in places], count), strict=True):
        for one in read_partition(consumer, place, ends[place] - share, ends[place]):
            found.append(Record(topic, place.partition, one.offset, one.timestamp, one.value, one.key))
    return found


def _shares(sizes: list[int], count: int) -> list[int]:
    """Return how much is taken of each size: as equally as they allow, `count` together.

    >>> _shares([5, 0, 1], 4), _shares([9, 9], 3)
    ([3, 0, 1], [2, 1])
    """
    taken = [0] * len(sizes)
    while count and any(share < size for share, size in zip(taken, sizes, strict=True)):
        open_ones = [place for place, size in enumerate(sizes) if taken[place] < size]
        for place in open_ones[:count]:
            step = min(sizes[place] - taken[place], max(1, count // len(open_ones)))
            taken[place] += step
            count -= step
    return taken
