"""The topics of a role, by the names that shards know and by those on the broker."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from faust.types import TP

from lis_online.records import Record
from streams.roles import Role
from streams.transport import Fetched


class RoleTopics:
    """Maps a role's partitions and records. names: logical topic -> topic of the broker, of every role's topics."""

    def __init__(self, role: Role, names: Mapping[str, str]) -> None:
        self._role = role
        self._names = names
        self._logical = {name: logical for logical, name in names.items()}

    def names(self) -> list[str]:
        """Return the topics that the role reads, as the broker knows them."""
        return [self._names[logical] for logical in self._role.topics]

    def tps(self, partition: int, topics: Iterable[str]) -> set[TP]:
        """Return a partition of some of the topics."""
        return {TP(self._names[topic], partition) for topic in topics}

    def by_topic(self, partition: int) -> dict[str, TP]:
        """Return a partition of each topic that the role reads."""
        return {topic: TP(self._names[topic], partition) for topic in self._role.topics}

    def offsets(self, partition: int, positions: Mapping[str, int]) -> dict[TP, int]:
        """Return a partition's offsets above 0."""
        return {TP(self._names[topic], partition): offset for topic, offset in positions.items() if offset}

    def partitions(self, assignment: Iterable[TP]) -> set[int]:
        """Return the partitions that are assigned."""
        return {tp.partition for tp in assignment if tp.topic in self._logical}

    def records(self, message: Fetched) -> Iterator[Record]:
        """Yield the records of a fetch."""
        topic, partition = self._logical[message.topic], message.partition
        for one in message.records:
            timestamp = -1 if one.timestamp is None else one.timestamp
            yield Record(topic, partition, one.offset, timestamp, one.value, one.key)
