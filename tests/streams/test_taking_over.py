"""Restoring waits for the storage and for nobody else: what is handed over meanwhile is not taken."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from faust.types import TP

from lis_online.checkpoints.store import CheckpointStore
from lis_online.settings import Settings
from streams.apps import new_app
from streams.roles import JOIN
from streams.runner import Runner
from tests.streams.toy import ToyJoin

TOPICS = ("impressions", "feedback", "preferences", "representations")


class Group:
    """A Faust app with a consumer: of which partitions, in which generation, and what was committed."""

    def __init__(self) -> None:
        self.consumer = self
        self.should_stop = False
        self.consumer_generation_id = 1
        self.owned = {0, 1}
        self.committed: list[dict[TP, int]] = []

    def assignment(self) -> set[TP]:
        """Return the partitions of this worker."""
        return {TP(topic, partition) for topic in TOPICS for partition in self.owned}

    async def earliest_offsets(self, *tps: TP) -> dict[TP, int]:
        """Return where the log begins."""
        return dict.fromkeys(tps, 0)

    async def highwaters(self, *tps: TP) -> dict[TP, int]:
        """Return where it ends."""
        return dict.fromkeys(tps, 5)

    async def seek_to_committed(self) -> dict[TP, int]:
        """Return what was committed."""
        return {}

    async def seek_wait(self, tps: Mapping[TP, int]) -> None:
        """Go there."""

    async def _commit(self, offsets: Mapping[TP, int]) -> bool:
        self.committed.append(dict(offsets))
        return True


class Storage:
    """Checkpoints whose loading waits for `there`, once a partition is among the slow ones."""

    def __init__(self, folder: Path) -> None:
        self.slow: set[int] = set()
        self.asked = threading.Event()
        self.there = threading.Event()
        self._folder = folder

    def store(self, partition: int) -> CheckpointStore:
        """Return a partition's store."""
        store = CheckpointStore(str(self._folder / "checkpoints"), "join", partition, 3, {})
        load = store.load_latest

        def load_latest(judge: Any = None) -> Any:
            if partition in self.slow:
                self.asked.set()
                assert self.there.wait(30)
            return load(judge)

        store.load_latest = load_latest  # type: ignore[method-assign]
        return store


@pytest.fixture
def storage(tmp_path: Path) -> Iterator[Storage]:
    """A storage that lets everybody go in the end."""
    found = Storage(tmp_path)
    yield found
    found.there.set()


@pytest.fixture
def runner(tmp_path: Path, storage: Storage) -> Runner:
    """A runner of joins in a group of its own."""
    settings = Settings.of({})
    runner = Runner(new_app(JOIN, settings, tmp_path), JOIN, settings, ToyJoin)
    runner.app.consumer._thread.thread_loop.close()
    group: Any = Group()
    runner.app = runner._offsets._app = group
    runner._restorer.store = storage.store  # type: ignore[method-assign]
    return runner


async def asked(storage: Storage) -> None:
    """Wait until a slow partition's checkpoint was asked for."""
    assert await asyncio.to_thread(storage.asked.wait, 30)


def test_a_handover_does_not_wait_for_the_storage(runner: Runner, storage: Storage) -> None:
    """It is over at once, and no shard of that assignment is here then, also once the storage answers."""
    storage.slow = {1}

    async def scenario() -> None:
        taking = asyncio.create_task(runner._take_over())
        await asked(storage)
        await runner.hand_over()
        assert not runner.hosts and not runner.ready
        await asyncio.sleep(0)
        assert not taking.done()  # Faust would let the stream flow on, though the group is about to assign anew
        runner.app.consumer_generation_id = 2
        await taking
        storage.there.set()
        assert not runner.hosts and not runner.ready
        storage.slow, runner.app.owned = set(), {0}
        await runner._take_over()
        assert sorted(runner.hosts) == [0] and runner.ready
        await runner.hand_over()

    asyncio.run(scenario())
    assert all(tp.partition == 0 for offsets in runner.app.committed for tp in offsets)


def test_shards_are_there_once_all_are_restored(runner: Runner, storage: Storage) -> None:
    """Nobody feeds the first partition's shard, nor passes it over, while the second's is being loaded."""
    storage.slow = {1}

    async def scenario() -> None:
        taking = asyncio.create_task(runner._take_over())
        await asked(storage)
        assert not runner.hosts and not runner.ready
        async with runner._lock:  # it is free
            storage.there.set()
        await taking
        assert sorted(runner.hosts) == [0, 1] and runner.ready
        await runner.hand_over()

    asyncio.run(scenario())


def test_a_worker_that_ends_does_not_wait_for_the_storage(runner: Runner, storage: Storage) -> None:
    """SIGTERM during an outage."""
    storage.slow = {0}

    async def scenario() -> None:
        taking = asyncio.create_task(runner._take_over())
        await asked(storage)
        runner.stopping = True
        await runner.hand_over()
        await taking
        assert not runner.hosts

    asyncio.run(scenario())
