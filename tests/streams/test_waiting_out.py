"""A worker that waits for somebody else's outage goes on to look at Kafka: a restart would not end it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from faust.types import TP

from lis_online.errors import HistoryError, LisError
from lis_online.records import Record
from lis_online.settings import Settings
from streams import runner as of_runner
from streams.apps import new_app
from streams.assigned import Assigned
from streams.catch_up import CatchUp
from streams.roles import JOIN, PUBLISH, Role
from streams.runner import Runner
from streams.sensors import STUCK_AFTER, silent
from tests.streams.toy import FACTORIES


class Group:
    """A Faust app whose consumer has partition 0 of a role's topics, each with one record; nothing is committed."""

    def __init__(self, topics: tuple[str, ...]) -> None:
        self.consumer = self
        self.should_stop = False
        self.consumer_generation_id = 1
        self.committed: list[dict[TP, int]] = []
        self._read_offset: dict[TP, int] = dict.fromkeys(tps := {TP(topic, 0) for topic in topics}, 0)
        self._tps = tps

    def assignment(self) -> set[TP]:
        """Return them."""
        return self._tps

    async def earliest_offsets(self, *tps: TP) -> dict[TP, int]:
        """Return where logs begin."""
        return dict.fromkeys(tps, 0)

    async def highwaters(self, *tps: TP) -> dict[TP, int]:
        """Return where they end."""
        return dict.fromkeys(tps, 1)

    async def seek_to_committed(self) -> dict[TP, int]:
        """Return what was committed."""
        return {}

    async def _commit(self, offsets: dict[TP, int]) -> bool:
        self.committed.append(offsets)
        return True

    def pause_partitions(self, tps: set[TP]) -> None:
        """Hand over no more of them."""

    def resume_partitions(self, tps: set[TP]) -> None:
        """Go on with them."""


class History:
    """A history that is away until it is told otherwise."""

    def __init__(self) -> None:
        self.away = True
        self.asked = 0
        self.rows: list[Any] = []

    def write(self, rows: list[Any]) -> None:
        """Take rows."""
        self.asked += 1
        if self.away:
            raise HistoryError("history must answer", transient=True)
        self.rows += rows


class Clock:
    """A clock that is set by hand."""

    now = 0.0

    def __call__(self) -> float:
        """Return seconds."""
        return self.now


@pytest.fixture
def clock() -> Clock:
    """Return a clock at 0 s."""
    return Clock()


def runner_of(role: Role, folder: Path, clock: Clock, sink: History | None = None) -> Runner:
    """Return a runner with toy shards, in a group of its own."""
    settings = Settings.of({"checkpoints": {"directory": str(folder / "checkpoints")}, "kafka": {"prefix": "t"}})
    runner = Runner(new_app(role, settings, folder), role, settings, FACTORIES[role.name], sink, clock=clock)
    runner.app.consumer._thread.thread_loop.close()
    group: Any = Group(tuple(runner._topics.names()))
    runner.app = runner._offsets._app = group
    return runner


async def until(condition: Callable[[], bool]) -> None:
    """Wait for it."""
    async with asyncio.timeout(20):
        while not condition():
            await asyncio.sleep(0.01)


def test_outage_of_the_history_does_not_keep_the_worker_from_looking_at_kafka(tmp_path: Path, clock: Clock) -> None:
    """However long: the agent holds the shard all the while, with the rows in its hands."""
    history = History()
    runner = runner_of(PUBLISH, tmp_path, clock, history)
    row = Record("windows", 0, 0, -1, msgspec.json.encode([0, "impressions", 0, "digest"]))

    async def scenario() -> None:
        await runner._take_over()
        agent = asyncio.create_task(runner._feed(runner._shards[0], [row]))
        await until(lambda: history.asked > 0)
        clock.now += 2 * STUCK_AFTER
        await asyncio.wait_for(runner._look_at_ends(), 20)
        assert silent({"publish": runner}, clock.now) is None
        assert not history.rows
        history.away = False
        await agent
        assert len(history.rows) == 1
        await runner.hand_over()

    asyncio.run(scenario())


def test_look_that_waits_for_the_shard_still_says_that_the_loop_turns(
    tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Records that are held until the side topics are read can be let go by the look alone."""
    monkeypatch.setattr(of_runner, "TICK", 0.01)
    runner = runner_of(JOIN, tmp_path, clock)

    async def scenario() -> None:
        await runner._take_over()
        assigned: Assigned = runner._shards[0]
        assigned.gate = CatchUp({"preferences": 1})
        async with assigned.feeding:
            look = asyncio.create_task(runner._look_at_ends())
            for _ in range(3):
                clock.now += 2 * STUCK_AFTER
                await until(lambda: silent({"join": runner}, clock.now) is None)
            assert not look.done()
        await look
        clock.now += 2 * STUCK_AFTER
        await asyncio.sleep(0.05)
        assert silent({"join": runner}, clock.now) is not None  # the next look says it, or nobody
        await runner.hand_over()

    asyncio.run(scenario())


def test_broker_that_is_away_is_told_while_the_agent_holds_the_shard(tmp_path: Path, clock: Clock) -> None:
    """What it sends waits for the brokers; /readyz is to name them."""
    told: list[tuple[int, str]] = []
    runner = runner_of(PUBLISH, tmp_path, clock)
    runner._watch.paused = lambda *one: told.append(one)  # type: ignore[method-assign]

    async def away(*_: Any) -> dict[TP, int]:
        raise TimeoutError

    async def scenario() -> None:
        await runner._take_over()
        async with runner._shards[0].feeding:
            await asyncio.wait_for(runner._look_at_ends(), 20)
            runner.app.consumer.highwaters = away
            await asyncio.wait_for(runner._look_at_ends(), 20)
        await runner.hand_over()

    asyncio.run(scenario())
    assert told == [(0, "broker_unreachable")]


def test_look_ends_with_what_went_wrong_in_it(tmp_path: Path, clock: Clock) -> None:
    """Telling beside it swallows nothing."""
    runner = runner_of(PUBLISH, tmp_path, clock)

    async def broken(*_: Any) -> None:
        raise LisError("broken")

    async def scenario() -> None:
        await runner._take_over()
        runner._pass_over = broken  # type: ignore[method-assign]
        with pytest.raises(LisError, match="broken"):
            await runner._look_at_ends()
        await runner.hand_over()

    asyncio.run(scenario())
