"""A role at work: takes records from Faust, feeds the shards, checkpoints, commits."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import faust
from aiokafka.errors import KafkaError

from lis_online.errors import DeviceError, LisError, StorageError
from lis_online.events.topics import topic_names
from lis_online.records import Outgoing, Record
from lis_online.settings import Settings
from streams.assigned import Assigned
from streams.group_time import GroupTime
from streams.host import ShardHost
from streams.keeping import RowKeeper, RowSink
from streams.offsets import Offsets
from streams.registry_wait import RegistryWait
from streams.restoring import Restorer, ShardFactory, close
from streams.role_topics import RoleTopics
from streams.roles import PUBLISH, Role
from streams.sending import Sender
from streams.telling import telling
from streams.transport import Fetched
from streams.watch import BROKER_UNREACHABLE, CATCHING_UP, HISTORY_UNREACHABLE, REGISTRY_UNREACHABLE, Watch

logger = logging.getLogger(__name__)

TICK = 0.5
"""Seconds between looks at end offsets."""

GATHER = 0.05
"""Seconds that a batch waits to fill."""


class Runner:
    """One role's shards on this worker, wired to a Faust app.

    Faust restarts nothing here and acknowledges nothing: `noack_take` hands over batches, and
    offsets are committed behind checkpoints alone. One lock covers a turn (state and what was sent of it)
    and a piece of a checkpoint, so none sees half of another. A checkpoint is written without it, and shards are
    restored without it: nobody knows them before all of them are, and a hand-over ends it wherever it is, like a crash
    there (`streams/host.py`).

    After every rebalance all state comes from the checkpoints again, and the committed offsets are set
    to theirs: the seek that follows lands there, an older checkpoint or not. Records fetched before a
    rebalance carry its generation and are dropped.
    """

    def __init__(
        self,
        app: faust.App,
        role: Role,
        settings: Settings,
        make_shard: ShardFactory,
        sink: RowSink | None = None,
        watch: Watch | None = None,
        clock: Callable[[], float] = time.monotonic,
        fallback: ShardFactory | None = None,
    ) -> None:
        self.app = app
        self.role = role
        self.failure: BaseException | None = None
        self.on_failure: Callable[[], None] = lambda: None
        self.stopping = False
        self.ready = False
        self.turned_at = clock()
        self._settings = settings
        self._make_shard = make_shard
        self._fallback = fallback
        self._leaving_device = False
        self._watch = watch or Watch()
        self._clock = clock
        names = topic_names(settings.kafka)
        self._topics = RoleTopics(role, names)
        self._sender = Sender(self._produce, names)
        self._keeper = RowKeeper(sink, lambda: self.stopping, paused=self._history_paused)
        self._registry = RegistryWait(lambda: self.stopping, self._registry_paused)
        self._offsets = Offsets(app)
        self._group_time = GroupTime(settings.kafka)
        self._lock = asyncio.Lock()
        self._shards: dict[int, Assigned] = {}
        self._restorer = Restorer(
            role,
            settings,
            self._topics,
            self._offsets,
            self._registry,
            self._watch,
            self._send,
            self._commit,
            self._keeper.keep if role.name == PUBLISH.name else None,
            lambda: self.stopping,
            self._lock,
            clock,
        )
        self._restoring: asyncio.Task[dict[int, Assigned]] | None = None
        self._wire()

    @property
    def hosts(self) -> Mapping[int, ShardHost]:
        """The shards at work that are here now, by partition. May be read from any thread."""
        return {partition: assigned.host for partition, assigned in list(self._shards.items())}

    def applied(self) -> dict[int, dict[str, int]]:
        """Return each partition's offsets up to which all is applied, by topic. May be called from any thread."""
        return {partition: assigned.applied() for partition, assigned in list(self._shards.items())}

    def _wire(self) -> None:
        app = self.app
        topic = app.topic(
            *self._topics.names(),
            key_type=bytes,
            value_type=bytes,
            key_serializer="raw",
            value_serializer="raw",
            acks=False,  # Faust must not track offsets that it never commits
        )
        app.agent(topic, name=f"{app.conf.id}-agent")(self._consume)
        app.timer(self._settings.checkpoints.every / 1000)(self._guarded(self._checkpoint))
        app.timer(TICK)(self._guarded(self._look_at_ends))
        app.on_partitions_revoked.connect(self.hand_over, weak=False)
        app.on_rebalance_complete.connect(self._guarded(self._take_over), weak=False)
        app.on_before_shutdown.connect(self.hand_over, weak=False)  # revocation is not signalled then

    def _history_paused(self, paused: bool) -> None:
        for partition in self._shards:
            (self._watch.paused if paused else self._watch.resumed)(partition, HISTORY_UNREACHABLE)

    def _registry_paused(self, partition: int, paused: bool) -> None:
        (self._watch.paused if paused else self._watch.resumed)(partition, REGISTRY_UNREACHABLE)

    # --- records -----------------------------------------------------------------------------------

    async def _consume(self, stream: Any) -> None:
        async for events in stream.noack_take(self.role.fetches, within=GATHER):
            await self._guarded(self._apply)([event.message for event in events])

    async def _apply(self, messages: Sequence[Fetched]) -> None:
        # whose they are is settled now: a rebalance on the way may bring the partition back at another place
        batches = [(self._shards.get(partition), batch) for partition, batch in self._by_partition(messages).items()]
        for assigned, batch in batches:
            if assigned is None:
                continue  # of a partition that is no longer ours
            records = assigned.admit(batch)
            self._hold_back(assigned)
            await self._feed(assigned, records)

    async def _feed(self, assigned: Assigned, records: Sequence[Record]) -> None:
        """Feed what waited for the side topics, then the records, then what they let go; one call after the other.

        The agent and the look at end offsets both come here. Turns of two calls must not mingle: a record that is fed
        before an earlier one of its topic makes the shard skip that one.
        """
        async with assigned.feeding:
            await self._take_turns(assigned, [*self._released(assigned), *records])
            await self._take_turns(assigned, self._released(assigned))

    async def _take_turns(self, assigned: Assigned, records: Sequence[Record]) -> None:
        """Feed in turns. Between turns the lock is free: for a checkpoint, a rebalance, the end."""
        done = 0
        while done < len(records):
            taken = await self._registry.insist(assigned.partition, partial(self._turn, assigned, records[done:]))
            if taken is None:
                return  # the rest is read again from the checkpoint, here or elsewhere
            done += taken

    async def _turn(self, assigned: Assigned, records: Sequence[Record]) -> int | None:
        async with self._lock:
            if not self._is_current(assigned):
                return None
            taken = await assigned.host.turn(records)
            self._watch.applied(assigned.partition, assigned.host.shard, records[:taken], assigned.host.step_seconds)
            return taken

    def _released(self, assigned: Assigned) -> list[Record]:
        if released := assigned.release():
            self._let_go(assigned)
        return released

    def _is_current(self, assigned: Assigned) -> bool:
        return self._shards.get(assigned.partition) is assigned and not self.stopping

    def _by_partition(self, messages: Sequence[Fetched]) -> dict[int, list[Record]]:
        generation, assignment = self.app.consumer_generation_id, self.app.consumer.assignment()
        batches: dict[int, list[Record]] = {}
        for message in messages:
            # what was fetched before a rebalance belongs to whoever has the partition now
            if message.generation_id == generation and message.tp in assignment:
                batches.setdefault(message.partition, []).extend(self._topics.records(message))
        return batches

    async def _send(self, partition: int, outgoing: Sequence[Outgoing]) -> None:
        await self._sender.send(outgoing)
        self._watch.sent(partition, outgoing)

    async def _produce(self, *arguments: Any) -> Any:
        producer = await self.app.maybe_start_producer()
        return await producer.send(*arguments)

    # --- waiting for the side topics -----------------------------------------------------------------

    def _hold_back(self, assigned: Assigned) -> None:
        if assigned.gate.waiting_for:
            self._watch.paused(assigned.partition, CATCHING_UP)
        if assigned.gate.full:
            self.app.consumer.pause_partitions(self._topics.tps(assigned.partition, self.role.main))

    def _let_go(self, assigned: Assigned) -> None:
        self._watch.resumed(assigned.partition, CATCHING_UP)
        self.app.consumer.resume_partitions(self._topics.tps(assigned.partition, self.role.main))

    async def _look_at_ends(self, *_: Any) -> None:
        here = list(self._shards.values())
        self._turned()
        try:
            ends = await self._offsets.ends({one.partition: self._topics.by_topic(one.partition) for one in here})
            async with telling(TICK, self._turned):  # an outage is waited out in here too, and no restart ends it
                for assigned in here:
                    if self._is_current(assigned):
                        await self._compare(assigned, ends[assigned.partition])
        except (TimeoutError, KafkaError) as exc:  # an outage: look again at the next tick
            logger.debug("%s: end offsets are not known now: %r", self.role.name, exc)
            for assigned in here:
                self._watch.paused(assigned.partition, BROKER_UNREACHABLE)
                assigned.idle.restart()

    def _turned(self) -> None:
        self.turned_at = self._clock()

    async def _compare(self, assigned: Assigned, ends: Mapping[str, int]) -> None:
        behind = await self._offsets.behind(self._topics.by_topic(assigned.partition), ends, assigned.host.positions)
        self._watch.resumed(assigned.partition, BROKER_UNREACHABLE)
        assigned.note_ends(ends, behind)
        for topic in list(assigned.gate.waiting_for):
            if not behind[topic]:
                assigned.gate.at_end(topic)
        self._align(assigned, assigned.too_far_ahead(behind))
        if not assigned.gate.done:  # the agent may hold the shard through an outage, which is to be told meanwhile
            await self._feed(assigned, [])
        await self._pass_over(assigned, assigned.idle_topic(ends, behind))
        if assigned.silent and self._is_current(assigned):
            await self._pass_silence(assigned, ends)

    def _align(self, assigned: Assigned, ahead: str | None) -> None:
        """Read on without the topic that is too far ahead; with it again once it is not."""
        if assigned.held is not None and assigned.held != ahead:
            self.app.consumer.resume_partitions(self._topics.tps(assigned.partition, [assigned.held]))
        if ahead is not None:
            self.app.consumer.pause_partitions(self._topics.tps(assigned.partition, [ahead]))
        assigned.held = ahead

    async def _pass_silence(self, assigned: Assigned, ends: Mapping[str, int]) -> None:
        """Follow the other join shards' time, as the rank log has it, so that a silent shard does not hold them.

        The time is asked first and the ends then: what comes after those was sent when that time had passed.
        """
        time = await self._group_time.get()
        partition = assigned.partition
        still = (await self._offsets.ends({partition: self._topics.by_topic(partition)}))[partition]
        unmoved = all(still[topic] == ends[topic] for topic in self.role.main)
        passed = False
        if time is not None and unmoved and await self._still_ours(assigned):
            async with self._lock:
                if self._is_current(assigned) and assigned.host.whole:
                    passed = await assigned.host.pass_silence(time)
        if passed and not assigned.idle.passed:
            logger.info("%s %d brings nothing: it follows the others' time", self.role.name, partition)
        assigned.idle.wait(passed)
        if passed:
            await self._settle(assigned)

    async def _pass_over(self, assigned: Assigned, topic: str | None) -> None:
        if topic is None or not await self._still_ours(assigned):
            return
        async with self._lock:
            if self._is_current(assigned) and assigned.host.whole:
                logger.info("%s %d: %s brings nothing, going on without it", self.role.name, assigned.partition, topic)
                await assigned.host.pass_over(topic)
        await self._settle(assigned)

    async def _still_ours(self, assigned: Assigned) -> bool:
        """Ask the group's coordinator, by a commit. A worker that was stopped and continued learns here
        that its partitions have moved: it must not pass over what another may be reading.
        """
        positions = assigned.host.saved_positions
        if any(positions.values()):
            taken = await self._commit(assigned.partition, positions)
        else:  # nothing came ever
            taken = await self._offsets.commit(dict.fromkeys(self._topics.tps(assigned.partition, self.role.main), 0))
        return taken and self._is_current(assigned)

    # --- checkpoints -----------------------------------------------------------------------------------

    async def _checkpoint(self, *_: Any) -> None:
        """On a timer, not on a batch: a stream that falls silent is saved too. One shard after the other, so that
        one copy of a state is in memory.
        """
        for assigned in list(self._shards.values()):
            positions = await assigned.host.checkpoint()
            if positions is not None and self._is_current(assigned):
                await self._settle(assigned)

    async def _settle(self, assigned: Assigned) -> None:
        """Tell of the checkpoint that has become durable, and commit its positions, no others."""
        if assigned.host.saved is not None:
            self._watch.checkpointed(assigned.partition, assigned.host.saved)
            await self._commit(assigned.partition, assigned.host.saved_positions)

    async def _commit(self, partition: int, positions: Mapping[str, int]) -> bool:
        """Commit what is above 0; return whether the group took it."""
        offsets = self._topics.offsets(partition, positions)
        if not offsets:
            return False
        taken = await self._offsets.commit(offsets)
        self._watch.committed(partition, taken)
        return taken

    # --- coming and going --------------------------------------------------------------------------------

    async def hand_over(self, *_: Any, **__: Any) -> None:
        """Make the last checkpoint before others may own the partitions, or before the end, and stop feeding.

        No commit: whoever restores a checkpoint sets the offsets to it.
        """
        self.ready = False  # until the shards of the next assignment are restored
        restoring, self._restoring = self._restoring, None
        if restoring is not None:
            restoring.cancel()  # it may wait for the storage, and whoever gets the partitions for this worker
        await self._guarded(self._save_and_drop)()

    async def _save_and_drop(self) -> None:
        async with self._lock:
            for assigned in list(self._shards.values()):
                try:
                    await assigned.host.finish(ended=self.stopping)
                except StorageError as exc:
                    logger.error(
                        "%s %d: no last checkpoint, whoever goes on begins at the one before: %s",
                        self.role.name, assigned.partition, exc,
                    )  # fmt: skip
            await self._drop_all()

    async def _take_over(self, *_: Any, **__: Any) -> None:
        """Restore the shard of every partition assigned, and set the committed offsets to its checkpoint.

        Nothing of it is taken where they are handed over meanwhile.
        """
        generation = self.app.consumer_generation_id
        async with self._lock:
            await self._drop_all()
        restoring = self._restoring = asyncio.ensure_future(self._restorer.restore(self._owned(), self._make_shard))
        try:
            restored = await restoring
        except asyncio.CancelledError:
            if self._restoring is restoring:
                raise
            await self._next_generation(generation)
            return
        if self._restoring is not restoring:
            await close(assigned.host for assigned in restored.values())
            await self._next_generation(generation)
            return
        self._shards, self._restoring = restored, None
        self._watch.assigned(sorted(self._shards))
        self.ready = True
        logger.info("%s has the shards of partitions %s", self.role.name, sorted(self._shards) or "none")

    async def _next_generation(self, generation: int) -> None:
        """Wait for the assignment that follows: Faust would let the stream flow on after this one."""
        while self.app.consumer_generation_id == generation and not (self.stopping or self.app.should_stop):
            await asyncio.sleep(GATHER)

    def _owned(self) -> set[int]:
        return self._topics.partitions(self.app.consumer.assignment())

    async def _drop_all(self) -> None:
        shards, self._shards = self._shards, {}
        await close(assigned.host for assigned in shards.values())

    # --- failing --------------------------------------------------------------------------------------------

    def _guarded(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Wrap the body of an agent, timer or signal: what it raises is said once and ends the worker."""

        async def guarded(*arguments: Any, **keywords: Any) -> None:
            if self.failure is not None:
                return
            try:
                await function(*arguments, **keywords)
            except Exception as exc:
                await self._fail(exc)

        return guarded

    async def _fail(self, exc: Exception) -> None:
        if self.failure is not None or self.stopping or self.app.should_stop:
            return
        if isinstance(exc, DeviceError):
            self._watch.device_failed()
            if self._leaving_device or self._fallback is not None:
                await self._guarded(self._leave_device)(exc)
                return
        self.failure = exc
        logger.critical("%s ends: %s", self.role.name, exc, exc_info=None if isinstance(exc, LisError) else exc)
        self.on_failure()
        await self.app.crash(exc)

    async def _leave_device(self, exc: DeviceError) -> None:
        """Give the shards up and take them again, made by the fallback, as after a rebalance.

        What the device had is lost with it: the checkpoints are where it goes on. Joining the group again drops what
        was fetched, and reads on from them.
        """
        if self._leaving_device:
            return  # a call that was on its way when the first one failed
        self._leaving_device, self.ready = True, False
        logger.critical(
            "%s: %s; it goes on from the last checkpoint on the CPU, until the worker is started again",
            self.role.name, exc,
        )  # fmt: skip
        self._make_shard, self._fallback = self._fallback or self._make_shard, None
        async with self._lock:
            await self._drop_all()
        self._leaving_device = False
        await self.app.consumer.subscribe(self._topics.names())
