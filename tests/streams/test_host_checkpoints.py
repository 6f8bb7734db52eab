"""Checkpoints of a host: made beside its turns, marked where a worker stopped well, and waited for in an outage."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from pathlib import Path

import pytest

from lis_online.checkpoints.place import Folder
from lis_online.checkpoints.store import CheckpointStore
from lis_online.errors import StorageError
from lis_online.snapshots.contract import Saving, Snapshot
from streams.host import ShardHost
from streams.storage import Patience
from tests.streams.hosts import Kafka, apply, host, records, saved
from tests.streams.toy import ToyJoin


class Slow:
    """A copy that needs several steps."""

    def __init__(self, snapshot: Snapshot, steps: int) -> None:
        self._snapshot = snapshot
        self._left = steps

    def step(self, seconds: float) -> bool:
        """Copy on."""
        self._left -= 1
        return self._left <= 0

    def get(self) -> Snapshot:
        """Return it."""
        assert self._left <= 0
        return self._snapshot


class LargeJoin(ToyJoin):
    """A shard whose state takes many steps to copy."""

    def begin_snapshot(self) -> Saving:
        """Begin to copy."""
        return Slow(self.snapshot(), 20)


def test_turns_go_on_while_a_checkpoint_is_copied_and_written(tmp_path: Path) -> None:
    """The checkpoint is the state at its beginning, whatever was applied since, and its positions are those."""

    async def scenario() -> None:
        here = host(tmp_path, Kafka(), LargeJoin)
        await here.restore()
        await apply(here, records(0, 10))
        wanted = here.shard.snapshot().meta
        making = asyncio.ensure_future(here.checkpoint())
        await asyncio.sleep(0)  # it begins
        at = 10
        while not making.done():
            async with here.lock:
                await here.turn(records(at, 1))
            at += 1
        assert at > 15
        assert await making == {"impressions": 10}
        assert here.saved_positions == {"impressions": 10}
        assert saved(tmp_path) == (wanted, 10)
        assert await here.checkpoint() == {"impressions": at}

    asyncio.run(scenario())


def test_one_checkpoint_is_made_at_a_time(tmp_path: Path) -> None:
    """A timer that comes round while a large state is being written adds no second copy of it."""

    async def scenario() -> None:
        here = host(tmp_path, Kafka(), LargeJoin)
        await here.restore()
        await apply(here, records(0, 10))
        assert sorted(await asyncio.gather(here.checkpoint(), here.checkpoint()), key=str) == [
            None,
            {"impressions": 10},
        ]

    asyncio.run(scenario())


@pytest.mark.parametrize("ended", [False, True])
def test_last_checkpoint_is_of_the_last_turn_whatever_is_being_made(tmp_path: Path, ended: bool) -> None:
    """Handed over in the middle of a checkpoint: the next owner begins after the last turn. Clean where it ended."""

    async def scenario() -> None:
        here = host(tmp_path, Kafka(), LargeJoin)
        await here.restore()
        await apply(here, records(0, 10))
        making = asyncio.ensure_future(here.checkpoint())
        async with here.lock:
            await here.turn(records(10, 1))
        async with here.lock:
            await here.turn(records(11, 1))
            await here.finish(ended)
            await here.close()
        assert await making is None
        assert saved(tmp_path) == (here.shard.snapshot().meta, 12)
        assert CheckpointStore(str(tmp_path), "toy", 0, 3, {}).is_clean(12) is ended

    asyncio.run(scenario())


def test_worker_that_goes_on_spends_the_clean_mark_before_it_sends(tmp_path: Path) -> None:
    """From then on the log may hold what the checkpoint does not know; a stop at the same place makes it clean."""

    async def scenario() -> None:
        store = CheckpointStore(str(tmp_path), "toy", 0, 3, {})
        first = host(tmp_path, Kafka())
        await first.restore()
        await apply(first, records(0, 3))
        await first.finish(ended=True)
        assert store.is_clean(3)
        second = host(tmp_path, Kafka())
        await second.restore()
        assert not store.is_clean(3)
        await second.finish(ended=True)
        assert store.is_clean(3)

    asyncio.run(scenario())


def test_clean_mark_is_not_given_where_something_was_not_sent(tmp_path: Path) -> None:
    """The state knows of records that Kafka does not have: it is not what the log says."""

    async def scenario() -> None:
        kafka = Kafka()
        here = host(tmp_path, kafka)
        await here.restore()
        await apply(here, records(0, 3))
        await here.checkpoint()
        kafka.fail = True
        with pytest.raises(OSError, match="no broker"):
            await apply(here, records(3, 4))
        await here.finish(ended=True)
        assert not CheckpointStore(str(tmp_path), "toy", 0, 3, {}).is_clean(3)

    asyncio.run(scenario())


def fail_writing(monkeypatch: pytest.MonkeyPatch, times: int) -> None:
    """Let the disk be full so many times."""
    left, write = [times], Folder.write

    def full(self: Folder, name: str, pieces: Iterable[memoryview]) -> None:
        left[0] -= 1
        if left[0] >= 0:
            raise StorageError("checkpoints.directory is full")
        write(self, name, pieces)

    monkeypatch.setattr(Folder, "write", full)


def test_full_disk_stops_nothing_and_is_said_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The stream goes on, nothing is committed, and the next try that succeeds has everything."""

    async def scenario() -> None:
        failures: list[int] = []
        here = host(tmp_path, Kafka(), patience=Patience("join 0", failed=lambda: failures.append(1)))
        await here.restore()
        fail_writing(monkeypatch, 2)
        for count in (1, 2):
            await apply(here, records(count, 1))
            assert await here.checkpoint() is None
            assert here.saved_positions == {}
        assert len(failures) == 2
        await apply(here, records(3, 1))
        assert await here.checkpoint() == {"impressions": 4}
        assert caplog.text.count("join 0: checkpoints.directory is full; trying again") == 1
        assert caplog.text.count("is back") == 1

    asyncio.run(scenario())


def test_outage_that_outlasts_patience_ends_the_worker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """While records that the last checkpoint needs are still in Kafka, somebody must see it."""

    async def scenario() -> None:
        now = [0.0]
        here = host(tmp_path, Kafka(), patience=Patience("join 0", longest=600, clock=lambda: now[0]))
        await here.restore()
        await apply(here, records(0, 1))
        fail_writing(monkeypatch, 10**6)
        for now[0] in (0.0, 300.0, 600.0):
            assert await here.checkpoint() is None
        now[0] = 601.0
        with pytest.raises(StorageError, match=r"join 0 must write a checkpoint within 600 s, or .*: checkpoints\.dir"):
            await here.checkpoint()

    asyncio.run(scenario())


def test_tick_waits_for_the_storage_before_anything_of_it_is_sent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What no record stands for must be durable first: an outage holds it up, and it is neither lost nor repeated."""

    async def scenario() -> None:
        kafka, waits = Kafka(), list[float]()

        async def sleep(seconds: float) -> None:
            assert kafka.sent == before
            waits.append(seconds)

        here = host(tmp_path, kafka, patience=Patience("join 0", sleep=sleep))
        await here.restore()
        await apply(here, records(0, 3))
        before = list(kafka.sent)
        fail_writing(monkeypatch, 3)
        await here.pass_over("feedback")
        assert len(waits) == 3
        assert len(kafka.sent) == len(before) + 1
        assert saved(tmp_path)[1] == 4

    asyncio.run(scenario())


def test_worker_told_to_end_does_not_wait_for_the_storage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """SIGTERM during an outage: it leaves at once, in a tick as in a restore, and the checkpoint before holds."""

    async def scenario() -> None:
        here = host(tmp_path, Kafka(), patience=Patience("join 0", stopping=lambda: True))
        await here.restore()
        await apply(here, records(0, 3))
        await here.checkpoint()
        fail_writing(monkeypatch, 10**6)
        with pytest.raises(StorageError, match="is full"):
            await here.pass_over("feedback")
        await here.finish(ended=True)  # a tick that is not durable is not to be saved without its records
        assert saved(tmp_path)[1] == 3
        monkeypatch.setattr(Folder, "reading", full_reading)
        with pytest.raises(StorageError, match="does not answer"):
            await host(tmp_path, Kafka(), patience=Patience("join 0", stopping=lambda: True)).restore()

    def full_reading(self: Folder, name: str) -> None:
        raise StorageError("checkpoints.directory does not answer")

    asyncio.run(scenario())


def test_state_under_settings_that_may_change_is_saved_under_the_new_ones_first(tmp_path: Path) -> None:
    """A crash before the next checkpoint must find the settings under which records may have been sent."""

    async def scenario() -> None:
        old = host(tmp_path, Kafka())
        await old.restore()
        await apply(old, records(0, 3))
        await old.finish(ended=True)
        store = CheckpointStore(str(tmp_path), "toy", 0, 3, {"variants": 2})
        new = ShardHost(lambda: ToyJoin(0), store, Kafka().send, 100, judge=lambda manifest: None)
        await new.restore()
        newest = store.newest()
        assert newest is not None
        assert (newest.position, newest.fingerprint) == (3, {"variants": 2})
        assert not store.is_clean(3)

    asyncio.run(scenario())
