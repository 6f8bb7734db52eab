from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from lis_online.checkpoints.store import CheckpointStore
from lis_online.errors import CheckpointError
from lis_online.records import Outgoing, Record
from streams.host import ShardHost
from tests.streams.hosts import Kafka, apply, host, records
from tests.streams.toy import ToyJoin, ToyPublish


def test_restored_host_goes_on_as_if_it_had_never_stopped(tmp_path: Path) -> None:
    """State, positions and what is sent after a restart are those of a host that ran through."""

    async def scenario() -> None:
        through, kafka = host(tmp_path / "a", Kafka()), Kafka()
        await through.restore()
        await apply(through, records(0, 60))
        first = host(tmp_path / "b", kafka)
        await first.restore()
        await apply(first, records(0, 25))
        assert await first.checkpoint() == {"impressions": 25}
        await apply(first, records(25, 10))  # and these are lost with the process
        second = host(tmp_path / "b", kafka)
        await second.restore()
        assert second.restored
        assert dict(second.positions) == {"impressions": 25}
        await apply(second, records(20, 40))
        assert second.shard.snapshot() == through.shard.snapshot()

    asyncio.run(scenario())


def test_no_checkpoint_while_something_is_not_sent(tmp_path: Path) -> None:
    """A state whose output Kafka does not have must not become durable: the output would be lost."""

    async def scenario() -> None:
        kafka = Kafka()
        here = host(tmp_path, kafka)
        await here.restore()
        kafka.fail = True
        with pytest.raises(OSError, match="no broker"):
            await apply(here, records(0, 5))
        assert await here.checkpoint() is None
        assert not list(tmp_path.iterdir())
        kafka.fail, again = False, host(tmp_path, kafka)
        await again.restore()
        await apply(again, records(0, 5))
        assert [message.topic for message in kafka.sent] == ["samples"]

    asyncio.run(scenario())


def test_no_checkpoint_while_rows_are_not_durable(tmp_path: Path) -> None:
    """Rows are in the history before the checkpoint that knows them: a crash between writes them again."""

    async def scenario() -> None:
        kept: list[Any] = []

        async def refuse(rows: list[Any]) -> None:
            raise OSError("no history")

        async def keep(rows: list[Any]) -> None:
            kept.extend(rows)

        window = Record("windows", 0, 0, -1, b'[0,"impressions",0,"x"]')
        broken = host(tmp_path, Kafka(), ToyPublish, refuse)
        await broken.restore()
        with pytest.raises(OSError, match="no history"):
            await apply(broken, [window])
        assert await broken.checkpoint() is None
        mended = host(tmp_path, Kafka(), ToyPublish, keep)
        await mended.restore()
        await apply(mended, [window])
        assert kept == [[0, "impressions", 0, "x"]]
        assert await mended.checkpoint() == {"windows": 1}

    asyncio.run(scenario())


def test_cancelled_turn_leaves_nothing_durable(tmp_path: Path) -> None:
    """A turn that is cancelled between the shard and Kafka (a crash of another agent) is no checkpoint."""

    async def scenario() -> None:
        kafka = Kafka()
        kafka.hold = asyncio.Event()
        here = host(tmp_path, kafka)
        await here.restore()
        turn = asyncio.ensure_future(here.turn(records(0, 1)))
        await asyncio.sleep(0.05)
        turn.cancel()
        with pytest.raises(asyncio.CancelledError):
            await turn
        assert await here.checkpoint() is None

    asyncio.run(scenario())


def test_nothing_new_is_not_saved_again(tmp_path: Path) -> None:
    """A silent stream costs no disk: one checkpoint, then none."""

    async def scenario() -> None:
        here = host(tmp_path, Kafka())
        await here.restore()
        assert await here.checkpoint() is None
        await apply(here, records(0, 3))
        assert await here.checkpoint() is not None
        assert await here.checkpoint() is None

    asyncio.run(scenario())


@pytest.mark.parametrize("sent_before_crash", [False, True])
def test_pass_over_survives_a_crash_on_either_side_of_its_send(tmp_path: Path, sent_before_crash: bool) -> None:
    """A tick that no record stands for is durable with what it owes before that is sent: it is never
    forgotten once seen, and never seen without its output.
    """

    async def scenario() -> None:
        kafka = Kafka()
        here = host(tmp_path, kafka)
        await here.restore()
        await apply(here, records(0, 3))
        before, kafka.fail = len(kafka.sent), not sent_before_crash
        if sent_before_crash:
            await here.pass_over("feedback")
        else:
            with pytest.raises(OSError, match="no broker"):
                await here.pass_over("feedback")
        kafka.fail, again = False, host(tmp_path, kafka)
        await again.restore()
        assert again.shard.snapshot() == here.shard.snapshot()
        ticks = [message.value for message in kafka.sent[before:]]
        assert len(ticks) == 1 + sent_before_crash  # once more where it had arrived: the receiver knows it
        assert len(set(ticks)) == 1
        assert again.position == 4  # three records and a tick: a checkpoint without the tick is an older one
        await apply(again, records(3, 1))
        assert await again.checkpoint() == {"impressions": 4}
        last = host(tmp_path, kafka)
        await last.restore()
        assert len(kafka.sent) == before + len(ticks)  # nothing is owed any more

    asyncio.run(scenario())


def test_slow_shard_is_fed_in_short_turns(tmp_path: Path) -> None:
    """Turns shrink until they are short, so that a checkpoint, a rebalance or SIGTERM never waits long."""

    async def scenario() -> None:
        now = [0.0]

        class Slow(ToyJoin):
            def feed(self, wanted: Sequence[Record]) -> list[Outgoing]:
                now[0] += 0.2 * len(wanted)
                turns.append(len(wanted))
                return super().feed(wanted)

        turns: list[int] = []
        store = CheckpointStore(str(tmp_path), "toy", 0, 3, {})
        here = ShardHost(lambda: Slow(0), store, Kafka().send, 100, clock=lambda: now[0])
        await here.restore()
        await apply(here, records(0, 30))
        assert sum(turns) == 30
        assert turns[0] == 1
        assert max(turns) <= 4

    asyncio.run(scenario())


def test_zombie_does_not_send_a_tick_that_another_has_overtaken(tmp_path: Path) -> None:
    """It woke up after its partition had moved on: what it would send stands for another time."""

    async def scenario() -> None:
        kafka = Kafka()
        zombie = host(tmp_path, kafka)
        await zombie.restore()
        await apply(zombie, records(0, 3))
        other = host(tmp_path, Kafka())
        await other.restore()
        await apply(other, records(0, 30))
        await other.checkpoint()
        before = list(kafka.sent)
        with pytest.raises(CheckpointError, match="a checkpoint at 4 must be the furthest"):
            await zombie.pass_over("feedback")
        assert kafka.sent == before

    asyncio.run(scenario())
