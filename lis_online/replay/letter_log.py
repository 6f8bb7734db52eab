"""The dead-letter topic, as `lis-online dead-letters` reads and marks it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

from kafka import KafkaConsumer, TopicPartition

from lis_online.errors import ReplayError, TopicError
from lis_online.events.dead_letters import Letter, Mark, read_letter
from lis_online.events.topics import topic_names
from lis_online.replay.connection import broker_errors, check_connection, client_arguments
from lis_online.replay.reading import read_partition
from lis_online.settings.model import KafkaSettings

FETCH: Final = 4 * 2**20
"""Bytes that are fetched at a time."""

Seen = Callable[[int, int], None]
"""Is told how many offsets of how many were read."""

Read = Letter | Mark | None
"""A record of the topic: None is neither letter nor mark."""


@contextmanager
def reading(kafka: KafkaSettings, purpose: str = "dead-letters") -> Iterator[Any]:
    """Open a consumer that belongs to no group and commits nothing, and close it. Raises BrokerError.

    purpose: ends the name by which the brokers know it.
    """
    check_connection(kafka)
    with broker_errors(kafka):
        consumer = KafkaConsumer(
            **client_arguments(kafka),
            client_id=f"{kafka.prefix}-{purpose}",
            enable_auto_commit=False,
            auto_offset_reset="none",
            max_partition_fetch_bytes=FETCH,
            max_poll_records=FETCH,
        )
        try:
            yield consumer
        finally:
            consumer.close()


class LetterLog:
    """The one partition of the dead-letter topic. consumer: of `reading`. Raises TopicError where it is missing."""

    def __init__(self, kafka: KafkaSettings, consumer: Any) -> None:
        self.name = topic_names(kafka)["dead_letters"]
        self._consumer = consumer
        self._place = TopicPartition(self.name, 0)
        found = consumer.partitions_for_topic(self.name)
        if not found:
            raise TopicError(f"topic {self.name} must exist: run `lis-online topics create`")
        if len(found) != 1:
            raise TopicError(f"topic {self.name} must have 1 partition, got {len(found)}")

    @property
    def first(self) -> int:
        """The oldest offset that retention has left."""
        return int(self._consumer.beginning_offsets([self._place])[self._place])

    @property
    def end(self) -> int:
        """The offset that the next record gets."""
        return int(self._consumer.end_offsets([self._place])[self._place])

    def since(self, time: int) -> int:
        """Return the first offset written at a time, ms, or later; the end where there is none."""
        found = self._consumer.offsets_for_times({self._place: time})[self._place]
        return self.end if found is None else int(found.offset)

    def read(self, first: int, end: int, seen: Seen = lambda done, total: None) -> Iterator[tuple[int, int, Read]]:
        """Yield (offset, time in ms, what it is) of the records at [first, end)."""
        for one in read_partition(self._consumer, self._place, first, end):
            yield one.offset, one.timestamp, read_letter(one.offset, one.timestamp, one.value, one.key, one.headers)
            seen(one.offset + 1 - first, end - first)

    def get(self, offset: int) -> Letter:
        """Return the letter at an offset. Raises ReplayError where there is none."""
        first, end = self.first, self.end
        if not first <= offset < end:
            kept = f"from {first} to {end - 1}" if first < end else "none"
            raise ReplayError(f"{self.name} must have the offset asked for, it has {kept}, got {offset}")
        for _, _, found in self.read(offset, offset + 1):
            if isinstance(found, Letter):
                return found
        raise ReplayError(f"offset {offset} of {self.name} must be a dead letter, and is not")
