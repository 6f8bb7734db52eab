"""From checkpoints and the log to shards at work."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from lis_online.checkpoints.admission import Admission
from lis_online.checkpoints.store import CheckpointStore
from lis_online.records import Outgoing
from lis_online.settings import Settings
from lis_online.shards.contract import Shard
from lis_online.shards.fingerprint import fingerprint
from streams.assigned import Assigned
from streams.catch_up import CatchUp
from streams.host import ShardHost
from streams.idle import IdleWatch
from streams.offsets import Offsets
from streams.registry_wait import RegistryWait
from streams.role_topics import RoleTopics
from streams.roles import Role
from streams.storage import Patience, longest_outage
from streams.watch import Watch

ShardFactory = Callable[[int], Shard]
"""Makes the empty shard of a partition."""


@dataclass
class Restorer:
    """Restores a role's shards. keep: takes a turn's rows; stopping: whether the worker was told to end.

    send, commit: of a partition; lock: over a turn, or a piece of a checkpoint; clock: monotonic seconds.
    """

    role: Role
    settings: Settings
    topics: RoleTopics
    offsets: Offsets
    registry: RegistryWait
    watch: Watch
    send: Callable[[int, Sequence[Outgoing]], Awaitable[None]]
    commit: Callable[[int, Mapping[str, int]], Awaitable[bool]]
    keep: Callable[[list[Any]], Awaitable[None]] | None
    stopping: Callable[[], bool]
    lock: asyncio.Lock
    clock: Callable[[], float]

    def __post_init__(self) -> None:
        self._fingerprint = fingerprint(self.settings, self.role.name)

    async def restore(self, partitions: Iterable[int], make_shard: ShardFactory) -> dict[int, Assigned]:
        """Return the shards of some partitions, and commit the offsets of their checkpoints.

        One after the other: their arrays are in memory.
        """
        hosts: list[ShardHost] = []
        restored = {}
        try:
            for partition in sorted(partitions):
                hosts.append(self._host(partition, make_shard))
                restored[partition] = await self._restored(partition, hosts[-1])
        except BaseException:
            await close(hosts)
            raise
        return restored

    def store(self, partition: int) -> CheckpointStore:
        """Return where a partition's checkpoints are."""
        checkpoints = self.settings.checkpoints
        return CheckpointStore(checkpoints.directory, self.role.name, partition, checkpoints.keep, self._fingerprint)

    def _host(self, partition: int, make_shard: ShardFactory) -> ShardHost:
        store = self.store(partition)
        return ShardHost(
            partial(make_shard, partition),
            store,
            partial(self.send, partition),
            self.role.batch,
            self.keep,
            self.clock,
            self.lock,
            self._patience(partition),
            Admission(store, self.role.name, self._fingerprint).judge,
        )

    async def _restored(self, partition: int, host: ShardHost) -> Assigned:
        await self.registry.insist(partition, host.restore)
        tps = self.topics.by_topic(partition)
        log = await self.offsets.survey(tps)
        log.refuse_gaps(f"{self.role.name} {partition}", host.positions, host.restored)
        assigned = Assigned(
            partition,
            self.role,
            host,
            CatchUp(log.unread(self.role.side, host.positions)),
            IdleWatch(self.settings.kafka.idle_after / 1000, self.clock),
        )
        await self.commit(partition, host.positions)
        again = [topic for topic, offset in host.positions.items() if not offset]  # other settings set it back
        await self.offsets.set_back({tps[topic]: log.begins[topic] for topic in again})
        return assigned

    def _patience(self, partition: int) -> Patience:
        return Patience(
            f"{self.role.name} {partition}",
            longest_outage(self.settings),
            stopping=self.stopping,
            failed=partial(self.watch.checkpoint_failed, partition),
        )


async def close(hosts: Iterable[ShardHost]) -> None:
    """Close hosts, one after the other."""
    for host in hosts:
        await host.close()
