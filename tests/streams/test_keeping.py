from __future__ import annotations

import asyncio

import pytest

from lis_online.errors import HistoryError
from streams.keeping import GIVE_UP_AFTER, RowKeeper


class Sink:
    """Fails as often as told, then keeps."""

    def __init__(self, failures: int, transient: bool = True) -> None:
        self.failures = failures
        self.transient = transient
        self.rows: list[object] = []

    def write(self, rows: list[object]) -> None:
        """Write or fail."""
        if self.failures:
            self.failures -= 1
            raise HistoryError("the history is away", transient=self.transient)
        self.rows += rows


class Sleeper:
    """Notes how long was slept."""

    def __init__(self) -> None:
        self.waits: list[float] = []

    async def __call__(self, seconds: float) -> None:
        """Return at once."""
        self.waits.append(seconds)


def test_outage_is_waited_out_with_growing_waits() -> None:
    """A history that is away for a while costs no row and no restart."""
    sink, sleep, told = Sink(failures=8), Sleeper(), list[bool]()
    asyncio.run(RowKeeper(sink, sleep=sleep, paused=told.append).keep([1, 2]))
    assert sink.rows == [1, 2]
    assert sum(sleep.waits) == sum([0.5, 1, 2, 4, 8, 16, 30, 30])
    assert max(sleep.waits) == 1
    assert told == [True, False]


def test_wrong_schema_is_not_waited_out() -> None:
    """Trying again cannot mend it: the worker ends and says what to do."""
    sleep = Sleeper()
    with pytest.raises(HistoryError, match="is away"):
        asyncio.run(RowKeeper(Sink(failures=1, transient=False), sleep=sleep).keep([1]))
    assert sleep.waits == []


def test_worker_that_is_told_to_end_does_not_wait_for_the_history() -> None:
    """SIGTERM during an outage ends within seconds; the rows come again from the last checkpoint."""
    with pytest.raises(HistoryError):
        asyncio.run(RowKeeper(Sink(failures=99), stopping=lambda: True, sleep=Sleeper()).keep([1]))


def test_endless_outage_ends_the_worker() -> None:
    """In the end somebody must see it."""
    sleep = Sleeper()
    with pytest.raises(HistoryError):
        asyncio.run(RowKeeper(Sink(failures=10**6), sleep=sleep).keep([1]))
    assert GIVE_UP_AFTER <= sum(sleep.waits) < GIVE_UP_AFTER + 31


def test_without_a_history_rows_are_dropped() -> None:
    """A worker without history.url serves numbers and keeps none."""
    asyncio.run(RowKeeper(None).keep([1]))
