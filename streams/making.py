"""A checkpoint in the making, from its beginning to the snapshot that is written."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from lis_online.records import Outgoing
from lis_online.shards.contract import Shard
from lis_online.snapshots.contract import Saving, Snapshot

Call = Callable[..., Awaitable[Any]]
"""Calls something in the shard's thread."""

AT_ONCE: Final = 3600.0
"""Seconds given to copying where the stream has to wait for it."""


@dataclass(frozen=True)
class Saved:
    """A checkpoint that has become durable.

    bytes: of its data. seconds: from its beginning until it was durable. pause: the longest that a turn waited for it.
    """

    position: int
    bytes: int
    seconds: float
    pause: float


class Making:
    """The state as it was when it began, its positions, its ticks and what it owed.

    clock: monotonic seconds.
    """

    def __init__(
        self,
        positions: Mapping[str, int],
        position: int,
        ticks: int,
        owed: Sequence[Outgoing],
        clock: Callable[[], float],
    ) -> None:
        self.positions = positions
        self.position = position
        self.snapshot: Snapshot
        self._ticks = ticks
        self._owed = [list(record) for record in owed]
        self._clock = clock
        self._saving: Saving
        self._complete = False
        self._began = clock()
        self._pause = 0.0

    async def begin(self, call: Call, shard: Shard) -> None:
        """Begin to copy the shard."""
        self._saving = await self._timed(call, shard.begin_snapshot)

    async def step(self, call: Call, seconds: float) -> bool:
        """Copy on for about that long; True where the snapshot is there."""
        if not self._complete:
            self._complete = await self._timed(call, self._step, seconds)
        return self._complete

    async def finish(self, call: Call) -> None:
        """Copy to the end."""
        while not await self.step(call, AT_ONCE):
            pass

    def saved(self, bytes_: int) -> Saved:
        """Return what is told of it, now that it is durable."""
        return Saved(self.position, bytes_, self._clock() - self._began, self._pause)

    def _step(self, seconds: float) -> bool:
        if not self._saving.step(seconds):
            return False
        state = self._saving.get()
        meta = {"shard": state.meta, "ticks": self._ticks, "owed": self._owed}
        self.snapshot = Snapshot(meta, state.arrays)
        return True

    async def _timed(self, call: Call, function: Callable[..., Any], *arguments: Any) -> Any:
        started = self._clock()
        found = await call(function, *arguments)
        self._pause = max(self._pause, self._clock() - started)
        return found


def owed_of(snapshot: Snapshot) -> list[Outgoing]:
    """Return what the state of a checkpoint still owed when it was written."""
    return [
        Outgoing(topic, value, partition, key, tuple((name, content) for name, content in headers))
        for topic, value, partition, key, headers in snapshot.meta["owed"]
    ]
