from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka import ConsumerRecord
from faust.types import TP

from lis_online.records import Record
from lis_online.settings import Settings
from streams.apps import new_app
from streams.assigned import Assigned
from streams.catch_up import CatchUp
from streams.idle import IdleWatch
from streams.roles import JOIN
from streams.runner import Runner
from streams.transport import Fetched


class OneATurn:
    """A host whose turns take one record each and let others run meanwhile; it skips what lies below its positions."""

    def __init__(self) -> None:
        self.positions: dict[str, int] = {}
        self.applied: list[tuple[str, int]] = []
        self.shard = None
        self.step_seconds = 0.0

    async def turn(self, records: Sequence[Record]) -> int:
        """Apply the first, as a shard does."""
        await asyncio.sleep(0)
        record = records[0]
        if record.offset >= self.positions.get(record.topic, 0):
            self.applied.append((record.topic, record.offset))
            self.positions[record.topic] = record.offset + 1
        return 1


@pytest.fixture
def runner(tmp_path: Path) -> Runner:
    """A runner of joins that is connected to nothing."""
    settings = Settings.of({})
    runner = Runner(new_app(JOIN, settings, tmp_path), JOIN, settings, lambda partition: None)
    runner.app.consumer._thread.thread_loop.close()
    runner.app = SimpleNamespace(
        consumer=SimpleNamespace(resume_partitions=lambda tps: None, pause_partitions=lambda tps: None)
    )
    return runner


def assigned_to(runner: Runner, gate: CatchUp) -> tuple[Assigned, OneATurn]:
    """Give the runner partition 0."""
    host: Any = OneATurn()
    assigned = runner._shards[0] = Assigned(0, JOIN, host, gate, IdleWatch(30.0))
    return assigned, host


def records(topic: str, *offsets: int) -> list[Record]:
    """Return records of a topic."""
    return [Record(topic, 0, offset, -1, b"") for offset in offsets]


def test_records_that_waited_come_before_those_that_arrive_while_they_are_fed(runner: Runner) -> None:
    """The look at end offsets lets the held records go while the agent has new ones: fed in between, these would make
    the shard skip the rest of those, and nobody would ever read them again.
    """
    assigned, host = assigned_to(runner, CatchUp({"representations": 9}))
    assert assigned.admit(records("impressions", 0, 1, 2, 3)) == []

    async def both() -> None:
        assigned.gate.at_end("representations")
        assigned.gate.at_end("representations")
        look = asyncio.create_task(runner._feed(assigned, []))
        agent = asyncio.create_task(runner._feed(assigned, assigned.admit(records("impressions", 4, 5))))
        await asyncio.gather(look, agent)

    asyncio.run(both())
    assert host.applied == [("impressions", offset) for offset in range(6)]


def test_side_records_let_go_what_waited_for_them(runner: Runner) -> None:
    """Side topics first, then what was held, then what came with them."""
    assigned, host = assigned_to(runner, CatchUp({"representations": 1}))

    async def in_turn() -> None:
        await runner._feed(assigned, assigned.admit(records("impressions", 0, 1)))
        await runner._feed(assigned, assigned.admit([*records("impressions", 2), *records("representations", 0)]))
        await runner._feed(assigned, assigned.admit(records("impressions", 3)))

    asyncio.run(in_turn())
    assert host.applied == [("representations", 0), *(("impressions", offset) for offset in range(4))]


def test_batch_of_a_partition_that_moved_on_meanwhile_is_left_alone(runner: Runner) -> None:
    """A rebalance may give the partition back at an earlier checkpoint: records after it would leave a gap."""
    assigned, host = assigned_to(runner, CatchUp({}))
    other, later = assigned_to(runner, CatchUp({}))
    asyncio.run(runner._feed(assigned, records("impressions", 5)))
    assert host.applied == []
    asyncio.run(runner._feed(other, records("impressions", 5)))
    assert later.applied == [("impressions", 5)]


def fetched(tp: TP, generation: int, *offsets: int) -> Fetched:
    """Return what one fetch brought of a partition."""
    message = Fetched(tp.topic, tp.partition, offsets[-1], 0.0, 0, None, None, b"", None, generation_id=generation)
    message.records = [
        ConsumerRecord(
            tp.topic, tp.partition, offset, 5_000 + offset, 0, b"k%d" % offset, b"v%d" % offset, None, 2, 2, ()
        )
        for offset in offsets
    ]
    return message


def test_fetches_become_records_by_partition_and_old_ones_are_dropped(runner: Runner) -> None:
    """What was fetched before a rebalance, or of a partition that has gone, belongs to whoever has it now."""
    here, there, gone = TP("impressions", 0), TP("feedback", 1), TP("impressions", 2)
    runner.app.consumer_generation_id = 7
    runner.app.consumer.assignment = lambda: {here, there}
    messages = [
        fetched(here, 7, 3, 4),
        fetched(here, 6, 9),
        fetched(gone, 7, 1),
        fetched(there, 7, 0),
        fetched(here, 7, 5),
    ]
    assert runner._by_partition(messages) == {
        0: [Record("impressions", 0, n, 5_000 + n, b"v%d" % n, b"k%d" % n) for n in (3, 4, 5)],
        1: [Record("feedback", 1, 0, 5_000, b"v0", b"k0")],
    }
