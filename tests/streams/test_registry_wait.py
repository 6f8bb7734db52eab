"""An outage of the schema registry is waited out, said once, and ends the worker in the end."""

from __future__ import annotations

import asyncio
import logging

import pytest

from lis_online.errors import RegistryError
from streams.registry_wait import AGAIN_AFTER, GIVE_UP_AFTER, RegistryWait


class Outage:
    """Something that needs a registry which is away for some tries; its own clock."""

    def __init__(self, tries: int, transient: bool = True) -> None:
        self.tries = tries
        self.transient = transient
        self.now = 0.0
        self.told: list[tuple[int, bool]] = []
        self.stopping = False
        self.wait = RegistryWait(lambda: self.stopping, lambda *told: self.told.append(told), self.sleep, self.clock)

    def clock(self) -> float:
        """Return the time."""
        return self.now

    async def sleep(self, seconds: float) -> None:
        """Let it pass."""
        self.now += seconds

    async def use(self) -> str:
        """Fail as often as it was told to."""
        self.tries -= 1
        if self.tries >= 0:
            raise RegistryError("schema registry http://r must answer: refused", self.transient)
        return "done"


def test_outage_is_waited_out(caplog: pytest.LogCaptureFixture) -> None:
    """Said at its start and at its end; the pause is told of at each try, since a rebalance forgets it."""
    outage = Outage(3)
    assert asyncio.run(outage.wait.insist(2, outage.use)) == "done"
    assert outage.told == [(2, True)] * 3 + [(2, False)]
    assert outage.now == 3 * AGAIN_AFTER
    assert [record.levelno for record in caplog.records] == [logging.ERROR, logging.WARNING]


def test_registry_that_answers_is_nothing_to_tell() -> None:
    """The usual case."""
    outage = Outage(0)
    assert asyncio.run(outage.wait.insist(0, outage.use)) == "done"
    assert outage.told == []


def test_outage_without_end_ends_the_worker() -> None:
    """Whoever starts it again sees it."""
    outage = Outage(10_000)
    with pytest.raises(RegistryError):
        asyncio.run(outage.wait.insist(0, outage.use))
    assert GIVE_UP_AFTER < outage.now <= GIVE_UP_AFTER + 2 * AGAIN_AFTER


def test_what_no_waiting_mends_ends_the_worker_at_once() -> None:
    """A registry that cannot give what is needed will not tomorrow."""
    outage = Outage(3, transient=False)
    with pytest.raises(RegistryError):
        asyncio.run(outage.wait.insist(0, outage.use))
    assert (outage.now, outage.told) == (0, [])


def test_worker_that_ends_waits_for_nothing() -> None:
    """It has its last checkpoint to write."""
    outage = Outage(10_000)
    outage.stopping = True
    with pytest.raises(RegistryError):
        asyncio.run(outage.wait.insist(0, outage.use))
    assert outage.now == 0
