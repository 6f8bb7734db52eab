"""The real shards with their hosts and stores over a log in memory, and crashes at every step of `streams/host.py`."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from lis_online.checkpoints.store import CheckpointStore
from lis_online.history.rows import HistoryRow
from lis_online.metrics.layout import Layout
from lis_online.records import Outgoing, Record
from lis_online.settings import Settings
from lis_online.shards.contract import Shard
from lis_online.shards.join import JoinShard
from lis_online.shards.publish import PublishShard
from lis_online.shards.rank import RankShard
from lis_online.snapshots.contract import Saving, Snapshot
from streams.host import ShardHost

JOINS = 2

Part = tuple[list[Record], list[Record]]
"""A partition's records before its feedback is passed over, in every run at the same place, and after that."""


class Crash(Exception):  # noqa: N818 - what happens to a process, not an error of it
    """The process dies here."""


class Crashes:
    """Crashes to come: (step, "before" or "after") -> how many times it is passed before the process dies there."""

    def __init__(self, planned: Mapping[tuple[str, str], int] | None = None) -> None:
        self.left = dict(planned or {})
        self.happened: list[tuple[str, str]] = []

    def at(self, step: str, when: str) -> None:
        """Die here, if it is time."""
        if (step, when) in self.left:
            self.left[step, when] -= 1
            if self.left[step, when] < 0:
                del self.left[step, when]
                self.happened.append((step, when))
                raise Crash(f"{when} {step}")


class Slowly:
    """A snapshot in several steps, so that turns come between them."""

    def __init__(self, saving: Saving, process: Process) -> None:
        self._saving = saving
        self._process = process
        self._left = 3

    def step(self, seconds: float) -> bool:
        """Copy at the last step what was there at the first."""
        self._process.at("5 copy", "before")
        self._left -= 1
        done = self._left <= 0 and self._saving.step(seconds)
        self._process.at("5 copy", "after")
        return done

    def get(self) -> Snapshot:
        """Return it."""
        return self._saving.get()


class DyingShard:
    """A shard in a process that may die before and after each call."""

    def __init__(self, shard: Any, process: Process) -> None:
        self.real = shard
        self._process = process

    def __getattr__(self, name: str) -> Any:
        return getattr(self.real, name)

    def feed(self, records: Sequence[Record]) -> list[Outgoing]:
        """Step 1."""
        self._process.at("1 apply", "before")
        found: list[Outgoing] = self.real.feed(records)
        self._process.at("1 apply", "after")
        return found

    def idle(self, topic: str) -> list[Outgoing]:
        """Step 9."""
        self._process.at("9 tick", "before")
        found: list[Outgoing] = self.real.idle(topic)
        self._process.at("9 tick", "after")
        return found

    def begin_snapshot(self) -> Saving:
        """Step 4."""
        self._process.at("4 begin", "before")
        found = Slowly(self.real.begin_snapshot(), self._process)
        self._process.at("4 begin", "after")
        return found


class DyingPlace:
    """A place of checkpoints, used by such a process."""

    def __init__(self, place: Any, process: Process) -> None:
        self._place = place
        self._process = process

    def __getattr__(self, name: str) -> Any:
        return getattr(self._place, name)

    def write(self, name: str, pieces: Iterable[memoryview]) -> None:
        """Step 6, or part of 10 or 15. Before it may be half of it."""
        step = self._process.step("6 data")
        whole = list(pieces)
        try:
            self._process.at(step, "before")
        except Crash:
            self._place.write(name, whole[: len(whole) // 2])
            raise
        self._place.write(name, whole)
        self._process.at(step, "after")

    def put(self, name: str, content: bytes) -> None:
        """Step 7, or part of 10 or 15, or a mark: 13 and 16."""
        ending = name.rpartition(".")[2]
        step = {"json": self._process.step("7 manifest"), "spent": "13 spend", "clean": "16 mark"}[ending]
        self._process.at(step, "before")
        self._place.put(name, content)
        self._process.at(step, "after")


class Process:
    """A worker of one shard, until it dies."""

    def __init__(self, name: str, plant: Plant) -> None:
        self.name = name
        self.phase = "restore"
        self.background: asyncio.Task[None] | None = None
        self._plant = plant
        self._dead = False
        store = CheckpointStore(plant.url, *plant.shard_of(name), 2, {})
        store.place = DyingPlace(store.place, self)  # type: ignore[assignment]
        load = store.load_latest

        def load_latest(judge: Any = None) -> Any:
            self.at("12 load", "before")
            found = load(judge)
            self.at("12 load", "after")
            return found

        store.load_latest = load_latest  # type: ignore[method-assign]
        self.lock = asyncio.Lock()
        keep = self.keep if name == "publish" else None
        self.host = ShardHost(self.make, store, self.send, 100, keep, lock=self.lock)

    def make(self) -> Shard:
        """Make the empty shard."""
        return DyingShard(self._plant.make(self.name), self)  # type: ignore[return-value]

    def at(self, step: str, when: str) -> None:
        """A place where the process may die; a dead one does nothing more."""
        if self._dead:
            raise Crash("dead")
        self._plant.crashes.at(step, when)

    def step(self, otherwise: str) -> str:
        """Return the step that a write belongs to."""
        return {"tick": "10 save", "stop": "15 stop"}.get(self.phase, otherwise)

    async def send(self, outgoing: Sequence[Outgoing]) -> None:
        """Step 2, 11 or 14. Before it may be half of it."""
        step = {"restore": "14 pay", "tick": "11 pay"}.get(self.phase, "2 send")
        if not outgoing:
            return
        try:
            self.at(step, "before")
        except Crash:
            self._plant.append(outgoing[: len(outgoing) // 2])
            raise
        self._plant.append(outgoing)
        self.at(step, "after")

    async def keep(self, rows: list[HistoryRow]) -> None:
        """Step 3."""
        self.at("3 keep", "before")
        self._plant.rows += rows
        self.at("3 keep", "after")

    async def checkpoint(self) -> None:
        """Steps 4 to 8, beside the turns."""
        positions = await self.host.checkpoint()
        if positions is not None:
            self.at("8 commit", "before")
            self._plant.committed[self.name] = dict(positions)
            self.at("8 commit", "after")

    async def die(self) -> None:
        """Do nothing more, and leave no thread behind."""
        self._dead = True
        if self.background is not None:
            await asyncio.gather(self.background, return_exceptions=True)
        await self.host.close()


class Plant:
    """All shards, fed in turns of random length and checkpointed at random, until everything is read."""

    def __init__(self, settings: Settings, parts: list[Part], url: str, seed: int, crashes: Crashes) -> None:
        self.url = url
        self.crashes = crashes
        self.rows: list[HistoryRow] = []
        self.committed: dict[str, dict[str, int]] = {}
        self.logs: dict[str, list[Record]] = {"samples": [], "windows": []}
        self._settings = settings
        self._parts = parts
        self._chance = random.Random(seed)
        self._at_work: dict[str, Process] = {}

    @property
    def publish(self) -> PublishShard:
        """The publish shard as it is now."""
        shard: PublishShard = self._at_work["publish"].host.shard.real  # type: ignore[attr-defined]
        return shard

    def shard_of(self, name: str) -> tuple[str, int]:
        """Return role and partition."""
        role, _, partition = name.partition(" ")
        return role, int(partition or 0)

    def make(self, name: str) -> Any:
        """Return an empty shard."""
        role, partition = self.shard_of(name)
        if role == "join":
            return JoinShard(self._settings, partition, "record")
        if role == "rank":
            return RankShard(self._settings, shards=JOINS)
        return PublishShard(self._settings, Layout.of(self._settings))

    def append(self, outgoing: Sequence[Outgoing]) -> None:
        """Take what is sent; dead letters are not of interest."""
        for one in outgoing:
            if one.topic in self.logs:
                log = self.logs[one.topic]
                log.append(Record(one.topic, 0, len(log), -1, one.value))

    async def run(self) -> None:
        """Run to the end and stop every worker gracefully. Whoever dies is started again."""
        names = [*(f"join {partition}" for partition in range(JOINS)), "rank", "publish"]
        for name in names:
            await self._start(name)
        while True:
            name = self._chance.choice(names)
            await self._alive(name, self._some)
            if not any(self._wanted(name) for name in names):
                break
        for name in names:
            await self._alive(name, self._stop)
        for process in self._at_work.values():
            await process.die()

    async def _alive(self, name: str, do: Any) -> None:
        """Do something with a worker; where it dies of it, start it anew and, were it to stop, stop that."""
        try:
            background = self._at_work[name].background
            if background is not None and background.done():
                self._at_work[name].background = None
                background.result()
            await do(self._at_work[name])
        except Crash:
            await self._at_work[name].die()
            await self._start(name)
            if do == self._stop:
                while self._wanted(name):
                    await self._alive(name, self._some)
                await self._alive(name, do)

    async def _start(self, name: str) -> None:
        while True:
            process = self._at_work[name] = Process(name, self)
            try:
                await process.host.restore()
            except Crash:
                await process.die()
                continue
            process.phase = "turns"
            for topic, committed in self.committed.get(name, {}).items():
                assert committed <= process.host.positions[topic]  # offsets are committed behind checkpoints alone
            return

    async def _some(self, process: Process) -> None:
        if process.background is None and self._chance.random() < 0.3:
            process.background = asyncio.ensure_future(process.checkpoint())
        async with process.lock:
            wanted = self._wanted(process.name)
            if wanted == "tick":
                process.phase = "tick"
                await process.host.pass_over("feedback")
                process.phase = "turns"
            elif isinstance(wanted, list):
                await process.host.turn(wanted[: self._chance.randint(1, 60)])

    async def _stop(self, process: Process) -> None:
        if process.background is not None:
            await process.background
            process.background = None
        process.phase = "stop"
        async with process.lock:
            await process.host.finish(ended=True)

    def _wanted(self, name: str) -> list[Record] | str | None:
        """Return the records that a worker has not applied, "tick" where that is next, None at the end."""
        host = self._at_work[name].host
        role, partition = self.shard_of(name)
        if role != "join":
            log = self.logs["samples" if role == "rank" else "windows"]
            return log[host.positions.get(log[0].topic, 0) :] or None if log else None
        before, after = self._parts[partition]
        applied = sum(host.positions.values())
        if applied < len(before):
            return before[applied:]
        if host.position == applied:
            return "tick"
        return after[applied - len(before) :] or None
