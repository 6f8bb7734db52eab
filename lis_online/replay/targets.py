"""The input topics, as a replay of dead letters looks at them before it sends anything."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from kafka import TopicPartition

from lis_online.errors import EventRefused, TopicError
from lis_online.events import reasons
from lis_online.events.dead_letters import Letter, Place
from lis_online.events.topics import topic_names
from lis_online.mapping.codec import Codec
from lis_online.records import Record
from lis_online.replay.letter_marks import Partition
from lis_online.replay.reading import read_partition
from lis_online.settings import Settings
from lis_online.shards.join import JoinShard

REPLAYED_FROM: Final = "lis-replayed-from"
"""The header of a record that was sent back: topic, partition and offset of the refused one."""

TAIL: Final = 500
"""How many last records of a partition its event time is read off."""


class Targets:
    """The partitions that letters came from. consumer: a KafkaConsumer in no group.

    Every method raises TopicError where a partition is not there any more.
    """

    def __init__(self, settings: Settings, consumer: Any) -> None:
        self._settings = settings
        self._names = topic_names(settings.kafka)
        self._consumer = consumer
        self._codec = Codec(settings.mapping)
        self._highest: dict[Partition, int] = {}

    def ends(self, partitions: Iterable[Partition]) -> dict[Partition, int]:
        """Return the offset that the next record of each partition gets."""
        places = {partition: self._place(partition) for partition in partitions}
        found = self._consumer.end_offsets(list(places.values())) if places else {}
        return {partition: int(found[place]) for partition, place in places.items()}

    def sent_back(self, starts: Mapping[Partition, int]) -> set[Place]:
        """Return the places that records say they were sent back from. starts: where to look from, by partition."""
        found: set[Place] = set()
        for partition, first in starts.items():
            for one in self._from(partition, first):
                for name, value in one.headers:
                    if name == REPLAYED_FROM and (place := _parse(value)) is not None:
                        found.add(place)
        return found

    def newest(self, starts: Mapping[Partition, int], keys: set[bytes]) -> dict[tuple[Partition, bytes], int]:
        """Return the last offset of each of these keys, by partition."""
        found: dict[tuple[Partition, bytes], int] = {}
        for partition, first in starts.items():
            for one in self._from(partition, first):
                if one.key in keys:
                    found[partition, one.key] = one.offset
        return found

    def is_late(self, letter: Letter) -> bool:
        """Say whether a main record is behind its partition's watermark, as the last records there show it."""
        ts = self._codec.time(letter.place.topic, letter.value)
        partition = letter.place[:2]
        if partition not in self._highest:
            self._highest[partition] = self._highest_time(partition)
        return ts is not None and ts <= self._highest[partition] - self._settings.events.allowed_lateness - 1

    def refusal(self, letter: Letter, now: int) -> EventRefused | None:
        """Return why a join shard of these settings would refuse the letter if it were sent now, ms; None: it takes it.

        What was cut cannot be whole again.
        """
        if not letter.whole:
            return EventRefused(reasons.TOO_LARGE, f"{letter.length} bytes were cut to {len(letter.value)}")
        topic, partition, _ = letter.place
        shard = JoinShard(self._settings, partition)
        for sent in shard.feed([Record(topic, partition, 0, now, letter.value, letter.key)]):
            if sent.topic == "dead_letters":
                headers = {name: value.decode(errors="replace") for name, value in sent.headers}
                return EventRefused(headers["reason"], headers["detail"])
        return None

    def _highest_time(self, partition: Partition) -> int:
        (end,) = self.ends([partition]).values()
        ahead = self._settings.events.max_ahead
        times = [
            (self._codec.time(partition[0], one.value), one.timestamp) for one in self._from(partition, end - TAIL)
        ]
        return max((ts for ts, sent in times if ts is not None and ts <= sent + ahead), default=-1)

    def _from(self, partition: Partition, first: int) -> Iterable[Any]:
        """Yield the records of a partition from an offset, or from the oldest that is left, to its end."""
        place = self._place(partition)
        oldest = int(self._consumer.beginning_offsets([place])[place])
        (end,) = self.ends([partition]).values()
        return read_partition(self._consumer, place, max(first, oldest), end)

    def _place(self, partition: Partition) -> TopicPartition:
        name, number = self._names[partition[0]], partition[1]
        if number not in (self._consumer.partitions_for_topic(name) or ()):
            raise TopicError(f"topic {name} must have partition {number}, where a letter came from")
        return TopicPartition(name, number)


def _parse(value: bytes | None) -> Place | None:
    """Return the place that a header names, None where it names none.

    >>> _parse(b"feedback:2:7"), _parse(b"feedback"), _parse(None)
    (Place(topic='feedback', partition=2, offset=7), None, None)
    """
    topic, *numbers = (value or b"").decode(errors="replace").split(":")
    if len(numbers) != 2 or not all(number.isascii() and number.isdigit() for number in numbers):
        return None
    return Place(topic, int(numbers[0]), int(numbers[1]))
