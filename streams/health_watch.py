"""From a runner to the worker's health."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Final

from lis_online.exporter.exemplars import Origin
from lis_online.exporter.health import WorkerHealth
from lis_online.records import Outgoing, Record
from lis_online.shards.contract import Shard
from streams.making import Saved
from streams.watch import Watch

DEAD_LETTERS: Final = "dead_letters"
"""The topic of dead letters (`lis_online.events.dead_letters`), as shards say it."""


class HealthWatch(Watch):
    """Passes a runner's reports on to the worker's health. Cheap: no call per record."""

    def __init__(self, health: WorkerHealth, role: str) -> None:
        self._health = health
        self._role = role
        self._here: set[int] = set()
        self._reasons: dict[int, dict[str, None]] = {}
        health.begin(role)

    def assigned(self, partitions: Collection[int]) -> None:
        """Count the rebalance; start the series of new partitions, end those of the others."""
        for shard in self._health.get():  # those too that a late report brought back
            if shard.role == self._role and shard.partition not in partitions:
                self._health.revoked(self._role, shard.partition)
        for partition in partitions:
            self._health.assigned(self._role, partition)
            self._reasons[partition] = {}
            self._health.paused(self._role, partition, None)
        self._health.rebalanced(self._role, len(partitions))
        self._here = set(partitions)

    def applied(self, partition: int, shard: Shard, records: Sequence[Record], seconds: float) -> None:
        """Count the step; join shards also know fates, join and rank shards a watermark, publish shards a revision."""
        last = Origin(records[-1].topic, records[-1].partition, records[-1].offset) if records else None
        self._health.applied(self._role, partition, len(records), seconds, last)
        watermark = getattr(shard, "watermark", None)
        if watermark is not None:
            self._health.passed(self._role, partition, watermark)
        counts = getattr(shard, "counts", None)
        if counts is not None:
            self._health.counted(self._role, partition, counts)
        current = getattr(shard, "current", None)
        if current is not None:
            self._health.published(self._role, partition, current.revision)

    def checkpointed(self, partition: int, saved: Saved) -> None:
        """Note a checkpoint and its cost."""
        self._health.saved(self._role, partition, saved.position, saved.bytes, saved.seconds, saved.pause)

    def checkpoint_failed(self, partition: int) -> None:
        """Count a try that failed."""
        self._health.save_failed(self._role, partition)

    def sent(self, partition: int, outgoing: Sequence[Outgoing]) -> None:
        """Note the last dead letter of each reason."""
        for headers in (dict(one.headers) for one in outgoing if one.topic == DEAD_LETTERS):
            origin = Origin(headers["topic"].decode(), int(headers["partition"]), int(headers["offset"]))
            self._health.refused(self._role, partition, headers["reason"].decode(), origin)

    def committed(self, partition: int, taken: bool) -> None:
        """Count the commit."""
        self._health.committed(self._role, partition, taken)

    def device_failed(self) -> None:
        """Count the failure."""
        self._health.device_failed(self._role)

    def paused(self, partition: int, reason: str) -> None:
        """Note the reason; of several the first is shown."""
        self._reasons.setdefault(partition, {})[reason] = None
        self._show_reason(partition)

    def resumed(self, partition: int, reason: str) -> None:
        """Forget the reason."""
        if self._reasons.get(partition, {}).pop(reason, self) is None:
            self._show_reason(partition)

    def _show_reason(self, partition: int) -> None:
        if partition in self._here:
            self._health.paused(self._role, partition, next(iter(self._reasons[partition]), None))
