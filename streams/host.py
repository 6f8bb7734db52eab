"""A shard at work: its thread, its checkpoints, and what it returned but Kafka does not have yet.

The order of effects, which makes them happen once. A turn:

 1. apply: the shard applies records, its state moves;
 2. send: what it returned is sent and acknowledged;
 3. keep: its rows are in the history.

A checkpoint, between two turns:

 4. begin: the state, its positions and what it owes, as they are now;
 5. copy: piece by piece between turns that go on;
 6. data: written and durable, on another thread;
 7. manifest: now the checkpoint exists;
 8. commit: exactly its positions, to Kafka.

A tick, which no record stands for (a partition that brings nothing is passed over):

 9. tick: the shard goes on without the partition;
10. save: state, tick and what it made the shard return are durable (4 to 7 at once);
11. pay: that is sent.

A restore, and a stop:

12. load: the newest whole checkpoint, or nothing;
13. spend: its clean mark counts no more;
14. pay: what it still owed is sent;
15. stop: a last checkpoint (4 to 7 at once);
16. mark: it is the state after all that was ever sent.

A crash between 1 and 7 repeats everything since the last checkpoint: the receivers know the sequence numbers and
revisions and take nothing twice. A crash after 7 repeats what came after that checkpoint; whether 8 happened does not
matter, because a restore sets the committed offsets to its own. No checkpoint begins between 1 and the end of 3
(`whole`): it would drop what was not sent. `tests/streams/test_effects.py` crashes before and after each.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Protocol, TypeVar

from lis_online.checkpoints.store import CheckpointStore, Judge
from lis_online.errors import CheckpointError, RegistryError, StorageError
from lis_online.records import Outgoing, Record
from lis_online.shards.contract import Shard
from lis_online.snapshots.contract import Snapshot
from streams.making import Making, Saved, owed_of
from streams.storage import Patience
from streams.turns import TurnLength

logger = logging.getLogger(__name__)

T = TypeVar("T")
Clock = Callable[[], float]

COPYING, SHARE = 0.02, 0.1
"""How long turns wait for a piece of a checkpoint: seconds, or that share of the last turn if it is more."""


class IdleShard(Shard, Protocol):
    """A join shard: its partitions can be passed over."""

    @property
    def watermark(self) -> int:
        """The time up to which everything has been applied, ms."""
        ...

    def idle(self, topic: str) -> list[Outgoing]:
        """Go on without that topic's partition."""
        ...

    def ahead(self) -> str | None:
        """Return the topic that was read too far ahead of the other."""
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
    """One shard of one partition on this worker. One turn at a time: the caller of a turn, a tick or `finish` holds
    `lock`, and nobody else knows the host while it is restored.

    make_shard: makes it, in the thread where it stays. send: sends records in order and returns once they are
    acknowledged. keep_rows: makes a publish shard's rows durable; None for the other roles. clock: monotonic seconds.
    lock: covers a turn, a piece of a checkpoint. patience: with the store. judge: refuses checkpoints of
    settings that the state cannot be kept under; by default all but the store's.
    """

    def __init__(
        self,
        make_shard: Callable[[], Shard],
        store: CheckpointStore,
        send: Callable[[Sequence[Outgoing]], Awaitable[None]],
        most_records: int,
        keep_rows: Callable[[list[Any]], Awaitable[None]] | None = None,
        clock: Clock = time.monotonic,
        lock: asyncio.Lock | None = None,
        patience: Patience | None = None,
        judge: Judge | None = None,
    ) -> None:
        self.shard: Shard
        self.whole = True
        self.restored = False
        self.saved: Saved | None = None
        self.saved_position = 0
        self.saved_positions: Mapping[str, int] = {}
        self.step_seconds = 0.0
        self._make_shard = make_shard
        self._store = store
        self._send = send
        self._keep_rows = keep_rows
        self._clock = clock
        self.lock = lock or asyncio.Lock()
        self._patience = patience or Patience()
        self._judge = judge
        self._turn = TurnLength(most_records)
        self._ticks = 0
        self._owed: list[Outgoing] = []
        self._making: Making | None = None
        self._checkpointing = False
        # torch and everything else of a shard stays in one thread: off the event loop, and with the
        # same thread-local state from call to call
        self.thread = ThreadPoolExecutor(1, thread_name_prefix="shard")
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="checkpoint")

    @property
    def positions(self) -> Mapping[str, int]:
        """The next offset to read of each logical topic."""
        return self.shard.positions

    @property
    def position(self) -> int:
        """What the checkpoint is named after: grows with every record applied and every partition passed over."""
        return sum(self.shard.positions.values()) + self._ticks

    def ahead(self) -> str | None:
        """Return the main topic of a join shard that was read too far ahead of the other."""
        shard: IdleShard = self.shard  # type: ignore[assignment]
        return shard.ahead()

    # --- restore: steps 12 to 14 -----------------------------------------------------------------------

    async def restore(self) -> None:
        """Make the shard; take the newest checkpoint, if there is one, and send what it still owed.

        An outage of the storage is waited out. It may be cancelled anywhere: that is a crash there.
        """
        self.shard = await self.call(self._make_shard)
        found = await self._patience.insist(lambda: self._in_writer(self._store.load_latest, self._judge))
        if found is None:
            return
        snapshot, self.saved_position = found
        await self.call(self.shard.restore, Snapshot(snapshot.meta["shard"], snapshot.arrays))
        self._ticks, self._owed = snapshot.meta["ticks"], owed_of(snapshot)
        # other settings can set a topic back to its beginning; the position never falls
        self._ticks += max(0, self.saved_position - self.position)
        self.saved_positions = dict(self.positions)
        self.restored = True
        if self._store.changed:  # under these settings from here on, also if it crashes before the next checkpoint
            await self._save_at_once()
        await self._patience.insist(lambda: self._in_writer(self._store.take_clean_mark, self.saved_position))
        await self._pay()

    # --- turns: steps 1 to 3 -----------------------------------------------------------------------------

    async def turn(self, records: Sequence[Record]) -> int:
        """Apply as many of the records as fit a turn, send what comes of it, and return their number.

        Raises RegistryError, with nothing applied, where a schema that one of them needs cannot be fetched.
        """
        taken = records[: self._turn.get()]
        started = self._clock()
        self.whole = False
        try:
            outgoing = await self.call(self.shard.feed, taken)
        except RegistryError:
            self.whole = True
            raise
        self.step_seconds = self._clock() - started
        if len(taken) == self._turn.get():
            self._turn.update(self.step_seconds)
        await self._deliver(outgoing)
        self.whole = True
        return len(taken)

    # --- ticks: steps 9 to 11 ----------------------------------------------------------------------------

    async def pass_over(self, topic: str) -> None:
        """Go on without an idle partition: a tick that no record stands for.

        A tick is not in Kafka, so a restored shard would not repeat it, and would make other slates
        under the sequence numbers of those already sent. Therefore it is in a durable checkpoint,
        together with what it made the shard return, *before* any of that is sent. A crash before
        the checkpoint: nothing was sent, the tick never was. A crash after it: the restored shard
        sends what it owes again, and the receivers skip what they have.

        An outage of the storage is waited out. Raises CheckpointError where another worker has gone on from here.
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
        if not await self._save_at_once():
            raise CheckpointError(f"a checkpoint at {self.position} must be the furthest, another worker's is further")
        await self._pay()
        self.whole = True

    # --- checkpoints: steps 4 to 7 -----------------------------------------------------------------------

    async def checkpoint(self) -> Mapping[str, int] | None:
        """Make the state of now durable while turns go on; return the positions that may be committed.

        None where there is nothing new, where one is being made, where another worker's is further, and where the
        storage failed: that is said, and tried again next time. The lock must be free: it is held piece by piece.
        Raises StorageError where an outage has lasted too long.
        """
        if self._checkpointing:
            return None
        self._checkpointing = True
        try:
            making = await self._copy()
            return None if making is None or not await self._tried(making) else making.positions
        finally:
            self._checkpointing = False

    async def finish(self, ended: bool) -> None:
        """Make the last checkpoint before another worker may have the partition.

        ended: the worker was told to end, and nothing is fed after this: the checkpoint is marked as clean.
        Raises StorageError where the storage fails: the checkpoint before holds.
        """
        if not self.whole or not (self.restored or self.position):
            return
        needed = self.position != self.saved_position or (ended and self._store.written != self.position)
        if needed and not await self._write(await self._copy_at_once()):
            return
        if ended:
            await self._in_writer(self._store.mark_clean, self.position)

    async def close(self) -> None:
        """Wait for the shard's last call, and end its thread. What is being written may go on: it does no harm."""
        self._making = None
        self._writer.shutdown(wait=False)
        await asyncio.get_running_loop().run_in_executor(None, self.thread.shutdown)

    async def _copy(self) -> Making | None:
        """Copy the state between turns. None where there is nothing new, or where it was made at once meanwhile."""
        async with self.lock:
            if not self.whole or self.position == self.saved_position:
                return None
            making = await self._begin()
        while True:
            async with self.lock:
                if self._making is not making:
                    return None
                if await making.step(self.call, max(COPYING, SHARE * self.step_seconds)):
                    self._making = None
                    return making

    async def _copy_at_once(self) -> Making:
        if self._making is not None:  # a shard makes one snapshot at a time; this one will be newer
            await self._making.finish(self.call)
        making = await self._begin()
        await making.finish(self.call)
        self._making = None
        return making

    async def _begin(self) -> Making:
        self._making = making = Making(dict(self.positions), self.position, self._ticks, self._owed, self._clock)
        await making.begin(self.call, self.shard)
        return making

    async def _save_at_once(self) -> bool:
        making = await self._copy_at_once()
        return await self._patience.insist(lambda: self._write(making))

    async def _tried(self, making: Making) -> bool:
        try:
            written = await self._write(making)
        except StorageError as exc:
            self._patience.failed(exc)
            return False
        self._patience.succeeded()
        return written

    async def _write(self, making: Making) -> bool:
        """Write it; True where it is now the newest."""
        if not await self._in_writer(self._store.save, making.snapshot, making.position):
            logger.warning("checkpoint at %d not written: another worker's is further", making.position)
            return False
        if making.position < self.saved_position:
            return False
        self.saved_position, self.saved_positions = making.position, making.positions
        self.saved = making.saved(self._store.saved_bytes)
        return True

    # --- effects -----------------------------------------------------------------------------------------

    async def _deliver(self, outgoing: Sequence[Outgoing]) -> None:
        await self._send(outgoing)
        if self._keep_rows is not None:
            shard: RowsShard = self.shard  # type: ignore[assignment]
            rows = await self.call(shard.take_rows)
            if rows:
                await self._keep_rows(rows)

    async def _pay(self) -> None:
        await self._deliver(self._owed)
        self._owed = []

    async def call(self, function: Callable[..., T], *arguments: Any) -> T:
        """Call something in the shard's thread, between its turns, and return what it returns."""
        return await asyncio.get_running_loop().run_in_executor(self.thread, function, *arguments)

    async def _in_writer(self, function: Callable[..., T], *arguments: Any) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._writer, function, *arguments)
