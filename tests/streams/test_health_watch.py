from __future__ import annotations

import pytest

from lis_online.errors import EventRefused, HistoryError
from lis_online.events.dead_letters import dead_letter
from lis_online.exporter.exemplars import Origin
from lis_online.exporter.health import WorkerHealth
from lis_online.records import Outgoing, Record
from streams.health_watch import HealthWatch
from streams.watched_sink import WatchedSink
from tests.streams.toy import ToyJoin


def record(offset: int, topic: str = "impressions") -> Record:
    """Return a record of partition 2."""
    return Record(topic, 2, offset, -1, b"{")


def test_a_role_has_its_counts_from_the_start() -> None:
    """An alert on the first failed commit needs the 0 before it."""
    health = WorkerHealth(lambda: 0.0)
    HealthWatch(health, "join")
    role = health.roles["join"]
    assert (role.partitions, role.rebalances, role.commits, role.commit_failures) == (0, 0, 0, 0)


def test_rebalances_assignment_and_commits_are_counted() -> None:
    """Each rebalance once, whatever it brought; the time of the last commit that was taken, by partition."""
    health = WorkerHealth(lambda: 7.0)
    watch = HealthWatch(health, "join")
    watch.assigned([0, 2])
    watch.committed(2, taken=True)
    watch.assigned([2])
    watch.committed(2, taken=False)
    role = health.roles["join"]
    assert (role.partitions, role.rebalances, role.commits, role.commit_failures) == (1, 2, 1, 1)
    [shard] = health.get()
    assert (shard.partition, shard.committed_at) == (2, 7.0)


def test_a_commit_that_ends_after_the_partition_has_gone_leaves_no_series() -> None:
    """The next assignment ends it; one of another role stays."""
    health = WorkerHealth(lambda: 7.0)
    watch, other = HealthWatch(health, "join"), HealthWatch(health, "rank")
    other.assigned([0])
    watch.assigned([2])
    health.revoked("join", 2)
    watch.committed(2, taken=True)
    watch.assigned([1])
    assert [(shard.role, shard.partition) for shard in health.get()] == [("join", 1), ("rank", 0)]


def test_a_step_is_marked_with_its_last_record() -> None:
    """From a slow step to the record that it ended with."""
    health = WorkerHealth(lambda: 7.0)
    watch = HealthWatch(health, "join")
    watch.assigned([2])
    watch.applied(2, ToyJoin(2), [record(4), record(9, "feedback")], 0.3)
    [shard] = health.get()
    assert shard.applied == 2
    [mark] = filter(None, shard.steps.marks)
    assert (mark.origin, mark.value, mark.at) == (Origin("feedback", 2, 9), 0.3, 7.0)


def test_dead_letters_are_marked_with_the_last_record_of_their_reason() -> None:
    """Taken from the headers of the letters themselves; nothing else that is sent is one."""
    health = WorkerHealth(lambda: 7.0)
    watch = HealthWatch(health, "join")
    watch.assigned([2])
    malformed, unknown = EventRefused("malformed", "x"), EventRefused("unknown_variant", "y")
    letters = [dead_letter(record(1), malformed), dead_letter(record(3), unknown), dead_letter(record(5), malformed)]
    watch.sent(2, [*letters, Outgoing("samples", b"block")])
    [shard] = health.get()
    assert {reason: mark.origin.offset for reason, mark in shard.refused.items()} == {
        "malformed": 5,
        "unknown_variant": 3,
    }


class Sink:
    """A history that takes time, or fails."""

    def __init__(self) -> None:
        self.now = 100.0
        self.fails = False

    def clock(self) -> float:
        """Return the time."""
        return self.now

    def write(self, rows: list[int]) -> None:
        """Take 0.3 s."""
        self.now += 0.3
        if self.fails:
            raise HistoryError("away", transient=True)


def test_writing_the_history_is_timed_and_failures_are_counted() -> None:
    """A failure is raised on, and is no write; before the first write all counts are 0."""
    health, sink = WorkerHealth(lambda: 7.0), Sink()
    watched = WatchedSink(sink, health, sink.clock)
    begun = health.history
    assert begun is not None
    assert (begun.rows, begun.writes.count, begun.failures, begun.written_at) == (0, 0, 0, None)
    watched.write([1, 2, 3])
    sink.fails = True
    with pytest.raises(HistoryError):
        watched.write([4])
    after = health.history
    assert after is not None
    assert (after.rows, after.writes.count, after.failures, after.written_at) == (3, 1, 1, 7.0)
    assert after.writes.total == pytest.approx(0.3)
