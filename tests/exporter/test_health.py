"""A worker's health: what was reported, by many threads, and when a shard counts as stuck."""

from __future__ import annotations

import threading

import pytest

from lis_online.exporter.health import PAUSES, UNREACHABLE, WorkerHealth
from lis_online.records import MAX_TIME


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        """Return the time."""
        return self.now


@pytest.fixture
def clock() -> Clock:
    """Return a clock at 1,000 s."""
    return Clock()


def test_reports_from_many_threads_are_all_counted() -> None:
    """Each shard reports from its own thread."""
    health = WorkerHealth(clock=lambda: 0.0)

    def report() -> None:
        for _ in range(500):
            health.applied("join", 0, records=2, seconds=0.5)

    threads = [threading.Thread(target=report) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    [shard] = health.get()
    assert (shard.applied, shard.steps.count, shard.steps.total) == (4_000, 2_000, 1_000.0)


def test_a_revoked_shard_is_gone_and_an_assigned_one_is_there_at_once(clock: Clock) -> None:
    """Two workers must not report one shard."""
    health = WorkerHealth(clock)
    health.assigned("join", 1)
    health.assigned("join", 0)
    health.revoked("join", 1)
    health.revoked("join", 5)
    assert [(shard.role, shard.partition) for shard in health.get()] == [("join", 0)]


def test_an_assignment_that_is_repeated_keeps_the_reports(clock: Clock) -> None:
    """A rebalance names the partitions that stay, too."""
    health = WorkerHealth(clock)
    health.assigned("join", 0)
    health.applied("join", 0, 10, 0.1)
    health.assigned("join", 0)
    assert health.get()[0].applied == 10


@pytest.mark.parametrize("watermark", [-1, MAX_TIME])
def test_a_watermark_that_is_no_time_is_none(clock: Clock, watermark: int) -> None:
    """Before the first event and after the end there is no event time to show."""
    health = WorkerHealth(clock)
    health.passed("join", 0, 5)
    health.passed("join", 0, watermark)
    assert health.get()[0].watermark is None


def test_an_unknown_pause_becomes_other(clock: Clock) -> None:
    """Label values stay bounded."""
    health = WorkerHealth(clock)
    health.paused("join", 0, "the moon")
    assert health.get()[0].paused == "other"
    health.paused("join", 0, None)
    assert health.get()[0].paused is None


def test_a_shard_with_lag_and_no_batch_for_long_is_stuck(clock: Clock) -> None:
    """What /healthz says; a shard without lag is idle, not stuck."""
    health = WorkerHealth(clock)
    health.assigned("join", 0)
    health.lagged({("join", 0): 40})
    clock.now += 60
    assert health.stuck(60) is None
    clock.now += 1
    assert health.stuck(60) == "join shard 0 has 40 records to read and applied none for 61 s"
    health.applied("join", 0, 1, 0.1)
    assert health.stuck(60) is None
    clock.now += 100
    health.lagged({("join", 0): 0})
    assert health.stuck(60) is None


def test_a_pause_with_a_name_is_not_stuck(clock: Clock) -> None:
    """Restarting a worker does not bring PostgreSQL back."""
    health = WorkerHealth(clock)
    health.assigned("publish", 0)
    health.lagged({("publish", 0): 40})
    health.paused("publish", 0, "history_unreachable")
    clock.now += 1_000
    assert health.stuck(60) is None


def test_a_watermark_that_stands_with_records_to_read_is_told(clock: Clock) -> None:
    """Records that are applied do not hide it; one that rises, no lag, or a wait with a name end it."""
    health = WorkerHealth(clock)
    health.assigned("rank", 0)
    health.lagged({("rank", 0): 40})
    clock.now += 100
    assert health.standing(60) is None  # no watermark yet: nothing has come that could have moved it
    health.passed("rank", 0, 5)
    clock.now += 61
    health.passed("rank", 0, 5)
    health.applied("rank", 0, 10, 0.1)
    told = "the watermark of rank shard 0 has not risen for 61 s, with 40 records to read"
    assert health.standing(60) == told
    health.paused("rank", 0, "catching_up")
    assert health.standing(60) is None
    health.paused("rank", 0, None)
    assert health.standing(60) == told
    health.passed("rank", 0, 6)
    assert health.standing(60) is None
    clock.now += 61
    health.lagged({("rank", 0): 0})
    assert health.standing(60) is None


@pytest.mark.parametrize(
    ("reason", "what"),
    [
        ("history_unreachable", "the history"),
        ("broker_unreachable", "Kafka"),
        ("registry_unreachable", "the schema registry"),
    ],
)
def test_somebody_elses_outage_is_told(clock: Clock, reason: str, what: str) -> None:
    """Catching up is work, not an outage."""
    health = WorkerHealth(clock)
    health.assigned("publish", 0)
    health.paused("publish", 0, "catching_up")
    assert health.cut_off() is None
    health.paused("publish", 0, reason)
    assert health.cut_off() == f"publish shard 0 cannot reach {what}"


def test_numbers_are_as_old_as_their_revision(clock: Clock) -> None:
    """The same revision told again is no news."""
    health = WorkerHealth(clock)
    health.assigned("publish", 0)
    assert health.get()[0].published_at is None
    for revision, published_at in ((3, 1_010.0), (3, 1_010.0), (4, 1_030.0)):
        clock.now += 10
        health.published("publish", 0, revision)
        assert health.get()[0].published_at == published_at


def test_every_outage_that_is_told_is_a_pause_of_its_own() -> None:
    """A reason that the series do not know would count as "other", and be nobody's outage."""
    assert set(UNREACHABLE) == {pause for pause in PAUSES if pause.endswith("_unreachable")}
