"""A partition's watermark."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from lis_online.join.clock import BEFORE_ALL, PartitionClock
from lis_online.records import MAX_TIME


@given(st.lists(st.integers(0, 1000)), st.integers(0, 100))
def test_a_record_is_late_when_it_is_more_than_the_lateness_behind(times: list[int], lateness: int) -> None:
    """Exactly the allowed lateness is in time, whatever came before."""
    clock = PartitionClock(lateness)
    for place, ts in enumerate(times):
        assert clock.is_late(ts) == (place > 0 and ts < max(times[:place]) - lateness)
        clock.update(ts)


def test_passing_over_never_goes_back_and_ends_never() -> None:
    """An idle partition follows the other's highest time, not its end."""
    idle, busy = PartitionClock(10), PartitionClock(10)
    idle.pass_over(busy)
    assert idle.get() == BEFORE_ALL
    busy.update(100)
    busy.end()
    idle.pass_over(busy)
    assert (idle.get(), busy.get()) == (89, MAX_TIME)
    idle.update(50)
    assert idle.get() == 89


@given(st.lists(st.integers(0, 100)), st.integers(0, 20), st.booleans())
def test_a_restored_clock_is_the_one_it_was_taken_from(times: list[int], lateness: int, ended: bool) -> None:
    """Watermark, highest time and end: now, and after what comes next."""
    clock, other = PartitionClock(lateness), PartitionClock(lateness)
    for ts in times:
        clock.update(ts)
    if ended:
        clock.end()
    other.update(1000)
    other.restore(clock.snapshot())
    assert (other.get(), other.highest, other.ended) == (clock.get(), clock.highest, ended)
    assert type(other.ended) is bool
    for one in (clock, other):
        one.update(50)
    assert (other.get(), other.highest) == (clock.get(), clock.highest)


def test_a_clock_says_when_it_has_ended() -> None:
    """The end is known, and nothing is in time after it."""
    clock = PartitionClock(5)
    assert not clock.ended and clock.highest == BEFORE_ALL == -1
    clock.end()
    assert clock.ended and clock.get() == MAX_TIME and clock.is_late(10**15)
