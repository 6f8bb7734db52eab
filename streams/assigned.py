"""A partition that is this worker's, from one assignment to the next."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from lis_online.records import Record
from streams.catch_up import CatchUp
from streams.host import ShardHost
from streams.idle import IdleWatch
from streams.roles import Role


@dataclass
class Assigned:
    """A shard at work, what it waits for, and how long its partitions have brought nothing.

    feeding: held by who feeds the shard, from the first record of a batch to the last.
    """

    partition: int
    role: Role
    host: ShardHost
    gate: CatchUp
    idle: IdleWatch
    empty_to: dict[str, int] = field(default_factory=dict)
    held: str | None = None
    feeding: asyncio.Lock = field(default_factory=asyncio.Lock)

    def admit(self, records: Sequence[Record]) -> list[Record]:
        """Return the records to feed now; those that must wait for the side topics are kept."""
        if not self.gate.waiting_for:
            return list(records)
        now: list[Record] = []
        later: list[Record] = []
        for record in records:
            (later if record.topic in self.role.main else now).append(record)
        for topic in {record.topic for record in now}:
            self.gate.read(topic)
        self.gate.hold(later)
        return now

    def release(self) -> list[Record]:
        """Return the records that waited, once the side topics were read; else none."""
        self.gate.update(self.host.positions)
        return self.gate.take()

    def note_ends(self, ends: Mapping[str, int], behind: Mapping[str, int]) -> None:
        """Remember the ends that nothing is behind of: the last offsets of a log may hold no record."""
        self.empty_to |= {topic: end for topic, end in ends.items() if not behind[topic]}

    def applied(self) -> dict[str, int]:
        """Return the offset of each topic up to which all is applied. May be called from any thread."""
        positions = dict(self.host.positions)
        return {topic: max(positions.get(topic, 0), self.empty_to.get(topic, 0)) for topic in self.role.topics}

    def idle_topic(self, ends: Mapping[str, int], behind: Mapping[str, int]) -> str | None:
        """Return a main topic whose partition is to be passed over, None as long as there is none.

        ends: end offsets of the topics; behind: how many offsets lie between the shard and them.
        """
        if self.gate.waiting_for:
            return None
        main = self.role.main
        return self.idle.update(
            {topic: ends[topic] for topic in main}, {topic: ends[topic] - behind[topic] for topic in main}
        )

    def too_far_ahead(self, behind: Mapping[str, int]) -> str | None:
        """Return the main topic to read no further for now: its records wait for those of the other, which has more.

        behind: how many offsets of each topic are not applied. One that waits for nothing is not held: it is idle.
        """
        if self.gate.waiting_for or not self.role.main:
            return None
        ahead = self.host.ahead()
        return ahead if any(behind[topic] for topic in self.role.main if topic != ahead) else None

    @property
    def silent(self) -> bool:
        """Whether all main partitions have brought nothing for long: to be asked after `idle_topic`."""
        return not self.gate.waiting_for and self.idle.silent
