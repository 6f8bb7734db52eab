from __future__ import annotations

from lis_online.records import Record
from streams.catch_up import HELD, CatchUp


def record(offset: int) -> Record:
    """An impression."""
    return Record("impressions", 0, offset, -1, b"")


def test_main_records_wait_until_every_side_topic_was_read_to_its_end() -> None:
    """A slate must not reach the rank log before the vectors that were there when the worker came."""
    gate = CatchUp({"representations": 10, "preferences": 5})
    gate.hold([record(0)])
    gate.update({"representations": 10, "preferences": 4})
    assert gate.take() == []
    assert dict(gate.waiting_for) == {"preferences": 5}
    gate.hold([record(1)])
    gate.update({"representations": 10, "preferences": 5})
    assert gate.take() == [record(0), record(1)]
    assert gate.take() == []


def test_nothing_waits_where_nothing_was_left_to_read() -> None:
    """In the steady state the horizon is the slack of side records; nothing is held."""
    assert not CatchUp({}).waiting_for


def test_end_without_a_record_opens_when_seen_twice_in_a_row() -> None:
    """The last offsets of a log may hold no record (markers, compaction). Queues lie between the consumer's
    position and the shard, so one look is not enough, and a record in between starts the count anew.
    """
    gate = CatchUp({"preferences": 5})
    gate.at_end("preferences")
    gate.read("preferences")
    gate.at_end("preferences")
    assert gate.waiting_for
    gate.at_end("preferences")
    assert not gate.waiting_for


def test_memory_is_bounded_by_asking_for_a_pause() -> None:
    """Held records are few: beyond them the partitions are paused."""
    gate = CatchUp({"preferences": 5})
    assert not gate.full
    gate.hold([record(offset) for offset in range(HELD)])
    assert gate.full
