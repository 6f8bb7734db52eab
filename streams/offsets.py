"""What the log says of itself: where it begins and ends, what was committed, how far it was read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from faust.types import TP

from lis_online.errors import CheckpointError

ByTopic = Mapping[str, int]
"""Logical topic -> offset, all of one partition."""


@dataclass(frozen=True)
class LogSurvey:
    """One partition of a role's topics when it was assigned.

    begins, ends: first offset there and the one after the last. committed: the group's next offset, 0 for none.
    """

    begins: ByTopic
    ends: ByTopic
    committed: ByTopic

    def refuse_gaps(self, who: str, positions: ByTopic, restored: bool) -> None:
        """Refuse to go on where records between the state and the log are missing: every number would be wrong.

        Raises CheckpointError saying what is missing and what to do.
        """
        afresh = "start afresh under another kafka.prefix"
        for topic, begin in self.begins.items():
            position, end = positions.get(topic, 0), self.ends[topic]
            if not restored and self.committed[topic] > begin:
                raise CheckpointError(
                    f"{who}: a checkpoint must be there, as {topic} is committed up to {self.committed[topic]}: set "
                    f"checkpoints.directory to where it is, or {afresh}"
                )
            if restored and 0 < position < begin:  # at 0 nothing was read: it may begin anywhere
                raise CheckpointError(
                    f"{who}: {topic} must still have offset {position}, it begins at {begin}: retention was shorter "
                    f"than the worker was away; {afresh}"
                )
            if position > end:
                raise CheckpointError(
                    f"{who}: {topic} must reach offset {position}, it ends at {end}: the topic is another one than the "
                    f"checkpoint's; {afresh}"
                )

    def unread(self, topics: tuple[str, ...], positions: ByTopic) -> dict[str, int]:
        """Return the ends of those of the topics that hold something after the positions."""
        return {
            topic: self.ends[topic]
            for topic in topics
            if max(positions.get(topic, 0), self.begins[topic]) < self.ends[topic]
        }


class Offsets:
    """The offsets of a Faust app's consumer.

    Two private members of faust-streaming 0.15.3 are used, because there is no public way to
    commit an offset of one's own choice: `Consumer._commit` and `Consumer._read_offset`.
    """

    def __init__(self, app: Any) -> None:
        self._app = app

    async def survey(self, tps: Mapping[str, TP]) -> LogSurvey:
        """Return the state of one partition of each topic."""
        consumer = self._app.consumer
        begins = await consumer.earliest_offsets(*tps.values())
        committed = await consumer.seek_to_committed()
        return LogSurvey(
            begins={topic: begins[tp] for topic, tp in tps.items()},
            ends=(await self.ends({0: tps}))[0],
            committed={topic: committed.get(tp) or 0 for topic, tp in tps.items()},
        )

    async def ends(self, partitions: Mapping[int, Mapping[str, TP]]) -> dict[int, dict[str, int]]:
        """Return the offset after the last record of each partition's topics, asked from the broker at once."""
        tps = [tp for topics in partitions.values() for tp in topics.values()]
        ends = await self._app.consumer.highwaters(*tps) if tps else {}
        return {
            partition: {topic: ends[tp] for topic, tp in topics.items()} for partition, topics in partitions.items()
        }

    async def behind(self, tps: Mapping[str, TP], ends: ByTopic, positions: ByTopic) -> dict[str, int]:
        """Return how many offsets of each topic are not applied yet.

        The last offsets of a log may hold no record (markers of transactions; what compaction took): where the
        consumer stands at the end and all it handed over is applied, nothing is behind.
        """
        behind = {}
        for topic, tp in tps.items():
            position = positions.get(topic, 0)
            behind[topic] = max(0, ends[topic] - position)
            if behind[topic] and await self._nothing_more(tp, ends[topic], position):
                behind[topic] = 0
        return behind

    async def commit(self, offsets: Mapping[TP, int]) -> bool:
        """Commit next offsets; False where the group has moved on without this worker."""
        return bool(offsets) and bool(await self._app.consumer._commit(offsets))

    async def set_back(self, tps: Mapping[TP, int]) -> None:
        """Read on from these offsets, where topics begin, and commit 0: aiokafka seeks to no committed offset of 0."""
        if tps:
            await self._app.consumer._commit(dict.fromkeys(tps, 0))
            await self._app.consumer.seek_wait(tps)

    async def _nothing_more(self, tp: TP, end: int, position: int) -> bool:
        handed_over = self._app.consumer._read_offset[tp]
        if handed_over is not None and handed_over >= position:
            return False
        reached = await self._app.consumer.position(tp)
        return reached is not None and reached >= end
