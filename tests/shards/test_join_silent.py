"""A join shard whose impressions and feedback both bring nothing: it goes on to the others' time."""

from __future__ import annotations

import msgspec
from hypothesis import given
from hypothesis import settings as tries
from hypothesis import strategies as st

from lis_online.shards.join import JoinShard
from lis_online.snapshots.contract import Snapshot
from tests.join.logs import SETTINGS, feedback, impression, output, records


def test_pending_slates_come_out_when_the_others_have_passed_their_window() -> None:
    """Its last users' impressions are not held back until it wakes, where they would be too late."""
    shard = JoinShard(SETTINGS, 0)
    shard.feed(records("impressions", [impression(ts=1000)]))
    shard.feed(records("feedback", [feedback(ts=1100)]))
    assert not output(shard.silent(1299)).slates
    (slate,) = output(shard.silent(1300)).slates
    assert slate[0] == 1000
    assert slate[6] == [1, 0]
    assert shard.watermark == 1300


def test_shard_that_never_had_a_record_goes_on_too() -> None:
    """Too few keys for so many partitions: one of them may stay empty for ever."""
    shard = JoinShard(SETTINGS, 0)
    (block,) = output(shard.silent(5000)).blocks
    assert block.watermark == shard.watermark == 5000
    assert shard.silent(5000) == []


def test_what_comes_at_or_before_that_time_is_late_and_counted() -> None:
    """A shard that wakes says nothing that the others have passed; what is of the present is as ever."""
    shard = JoinShard(SETTINGS, 0)
    shard.silent(5000)
    late, fresh = impression("late", ts=5000), impression("fresh", ts=5001)
    shard.feed(records("impressions", [late, fresh]))
    out = output(shard.silent(9000))
    assert [slate[0] for slate in out.slates] == [5001]
    assert shard.counts == {"accepted": 1, "late_impression": 1}


def test_time_never_goes_back() -> None:
    """What it reads itself may be further than the others are."""
    shard = JoinShard(SETTINGS, 0)
    shard.feed(records("impressions", [impression(ts=9000)]) + records("feedback", [feedback(ts=9000)]))
    reached = shard.watermark
    assert shard.silent(5000) == []
    assert shard.watermark == reached


@tries(max_examples=50, deadline=None)
@given(st.lists(st.integers(1, 3000), max_size=6), st.integers(0, 6))
def test_a_snapshot_between_two_silences_changes_nothing(steps: list[int], cut: int) -> None:
    """A time that was followed is part of the state."""
    events = [impression(f"r{k}", ts=sum(steps[: k + 1]) + 200) for k in range(len(steps))]
    calm, stopped = JoinShard(SETTINGS, 0), JoinShard(SETTINGS, 0)
    sent: list[list[object]] = []
    for place, record in enumerate(records("impressions", events)):
        if place == cut:
            saved = stopped.snapshot()
            stopped = JoinShard(SETTINGS, 0)
            stopped.restore(Snapshot(msgspec.msgpack.decode(msgspec.msgpack.encode(saved.meta)), saved.arrays))
        for shard in (calm, stopped):
            sent.append([*shard.feed([record]), *shard.silent(sum(steps[: place + 1]))])
    assert sent[::2] == sent[1::2]
