"""A shard at work: its thread, its checkpoints, and what it returned but Kafka does not have yet."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Protocol, TypeVar

from lis_online.checkpoints.store import CheckpointStore
from lis_online.shards.contract import Outgoing, Record, Shard, Snapshot
from streams.turns import TurnLength

logger = logging.getLogger(__name__)

T = TypeVar("T")
Clock = Callable[[], float]


class IdleShard(Shard, Protocol):
    """A join shard: its partitions can be passed over."""

    @property
    def watermark(self) -> int:
        """The time up to which everything has been applied, ms."""
        ...

    def idle(self, topic: str) -> list[Outgoing]:
        """Go on without that topic's partition."""
        ...

    def silent(self, time: int) -> list[Outgoing]:
        """Go on to a time without any of them."""
        ...


class RowsShard(Shard, Protocol):
    """A publish shard: it hands over rows for the history."""

    def take_rows(self) -> list[Any]:
        """Return the rows since the last call."""
        ...


class ShardHost:
    """One shard of one partition on this worker. One turn at a time: the caller holds a lock.

    make_shard: makes it, in the thread where it stays. send: sends records in order and returns
    once they are acknowledged. keep_rows: makes a publish shard's rows durable; None for the other
    roles. clock: monotonic seconds.

    The order of effects, which makes them happen once:

    1. the shard applies records (its state moves),
    2. what it returned is sent and acknowledged, its rows are in the history,
    3. the checkpoint is durable: state, positions, and nothing owed,
    4. the caller commits the offsets.

    A crash between 1 and 3 repeats everything since the last checkpoint; the receivers know the
    sequence numbers and revisions and take nothing twice. `whole` is False between 1 and the end
    of 2: a checkpoint then would drop what was not sent, so none is made.
    """

    def __init__(
        self,
        make_shard: Callable[[], Shard],
        store: CheckpointStore,
        send: Callable[[Sequence[Outgoing]], Awaitable[None]],
        most_records: int,
        keep_rows: Callable[[list[Any]], Awaitable[None]] | None = None,
        clock: Clock = time.monotonic,
    ) -> None:
        self.shard: Shard
        self.whole = True
        self.restored = False
        self.saved_position = 0
        self.step_seconds = 0.0
        self._make_shard = make_shard
        self._store = store
        self._send = send
        self._keep_rows = keep_rows
        self._clock = clock
        self._turn = TurnLength(most_records)
        self._ticks = 0
        self._owed: list[Outgoing] = []
        # torch and everything else of a shard stays in one thread: off the event loop, and with the
        # same thread-local state from call to call
        self.thread = ThreadPoolExecutor(1, thread_name_prefix="shard")

    @property
    def positions(self) -> Mapping[str, int]:
        """The next offset to read of each logical topic."""
        return self.shard.positions

    @property
    def position(self) -> int:
        """What the checkpoint is named after: grows with every record applied and every partition passed over."""
        return sum(self.shard.positions.values()) + self._ticks

    async def restore(self) -> None:
        """Make the shard; take the newest checkpoint, if there is one, and send what it still owed."""
        self.shard = await self.call(self._make_shard)
        found = await self.call(self._store.load_latest)
        if found is None:
            return
        snapshot, self.saved_position = found
        await self.call(self.shard.restore, Snapshot(snapshot.meta["shard"], snapshot.arrays))
        self._ticks = snapshot.meta["ticks"]
        self.restored = True
        await self._send([_outgoing(*owed) for owed in snapshot.meta["owed"]])

    async def turn(self, records: Sequence[Record]) -> int:
        """Apply as many of the records as fit a turn, send what comes of it, and return their number."""
        taken = records[: self._turn.get()]
        started = self._clock()
        self.whole = False
        outgoing = await self.call(self.shard.feed, taken)
        self.step_seconds = self._clock() - started
        if len(taken) == self._turn.get():
            self._turn.update(self.step_seconds)
        await self._deliver(outgoing)
        self.whole = True
        return len(taken)

    async def pass_over(self, topic: str) -> None:
        """Go on without an idle partition: a tick that no record stands for.

        A tick is not in Kafka, so a restored shard would not repeat it, and would make other slates
        under the sequence numbers of those already sent. Therefore it is in a durable checkpoint,
        together with what it made the shard return, *before* any of that is sent. A crash before
        the checkpoint: nothing was sent, the tick never was. A crash after it: the restored shard
        sends what it owes again, and the receivers skip what they have.
        """
        shard: IdleShard = self.shard  # type: ignore[assignment]
        await self._tick(shard.idle, topic)

    async def pass_silence(self, time: int) -> bool:
        """Go on to a time, ms, without any main partition, as in `pass_over`; False where it is there already."""
        shard: IdleShard = self.shard  # type: ignore[assignment]
        if shard.watermark >= time:
            return False
        await self._tick(shard.silent, time)
        return True

    async def _tick(self, function: Callable[..., list[Outgoing]], argument: str | int) -> None:
        self.whole = False
        self._owed = await self.call(function, argument)
        self._ticks += 1
        await self._save()
        await self._deliver(self._owed)
        self._owed = []
        self.whole = True

    async def checkpoint(self) -> Mapping[str, int] | None:
        """Make the state durable; return the positions that may be committed, None where there is nothing new."""
        if not self.whole or self.position == self.saved_position:
            return None
        return await self._save()

    async def close(self) -> None:
        """Wait for the thread's last call, and end it."""
        await asyncio.get_running_loop().run_in_executor(None, self.thread.shutdown)

    async def _deliver(self, outgoing: Sequence[Outgoing]) -> None:
        await self._send(outgoing)
        if self._keep_rows is not None:
            shard: RowsShard = self.shard  # type: ignore[assignment]
            rows = await self.call(shard.take_rows)
            if rows:
                await self._keep_rows(rows)

    async def _save(self) -> Mapping[str, int]:
        positions, position = dict(self.positions), self.position
        await self.call(self._write, position)
        self.saved_position = position
        return positions

    def _write(self, position: int) -> None:
        snapshot = self.shard.snapshot()
        meta = {"shard": snapshot.meta, "ticks": self._ticks, "owed": [list(record) for record in self._owed]}
        if not self._store.save(Snapshot(meta, snapshot.arrays), position):
            logger.warning("checkpoint at %d not written: another worker's is further", position)

    async def call(self, function: Callable[..., T], *arguments: Any) -> T:
        """Call something in the shard's thread, between its turns, and return what it returns."""
        return await asyncio.get_running_loop().run_in_executor(self.thread, function, *arguments)


def _outgoing(topic: str, value: bytes, partition: int | None, key: bytes | None, headers: list[Any]) -> Outgoing:
    return Outgoing(topic, value, partition, key, tuple((name, value) for name, value in headers))
