"""Reads a stretch of one partition through kafka-python."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from lis_online.errors import BrokerError

POLL: Final = 500
"""Milliseconds that one poll waits: the last offsets of a partition may hold no record, so that none comes."""

PATIENCE: Final = 60
"""Polls in a row that may bring nothing of what the broker says it has."""


def read_partition(consumer: Any, place: Any, first: int, end: int) -> Iterator[Any]:
    """Yield kafka-python's records of the offsets [first, end) of a TopicPartition, fetched as they are asked for.

    consumer: a KafkaConsumer in no group. Raises BrokerError where the broker does not bring what it says it has.
    """
    position = first
    while position < end:
        found, position = _fetch(consumer, place, position, end)
        yield from found


def _fetch(consumer: Any, place: Any, position: int, end: int) -> tuple[list[Any], int]:
    """Return records of a partition from a position on, and the position after them.

    One partition at a time is assigned: pausing the others would keep what they had fetched, and kafka-python 3.0.12
    may not give it back when they are resumed. The last offsets of a partition may hold no record.
    """
    consumer.assign([place])
    consumer.seek(place, position)
    for _ in range(PATIENCE):
        found = consumer.poll(timeout_ms=POLL).get(place, [])
        reached = consumer.position(place)
        if found or reached >= end:
            return [one for one in found if one.offset < end], reached
    raise BrokerError(f"Kafka must bring what {place.topic} has from offset {position} on, got nothing")
