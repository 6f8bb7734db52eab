"""Impressions on their way to a slate."""

from __future__ import annotations

from array import array

from hypothesis import given
from hypothesis import strategies as st

from lis_online.join.pending import NOWHERE, Pending
from lis_online.join.pending_impressions import PendingImpressions
from lis_online.snapshots.steps import at_once

WINDOW = 20


def shown(ts: int, request: int, items: tuple[int, ...] = (5, 6, 5), user: int = 1) -> Pending:
    """Return an impression."""
    return Pending(ts, request, user, 0, array("q", items))


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 3)), max_size=25), st.lists(st.integers(0, 6), max_size=25))
def test_an_impression_is_open_until_its_window_has_passed(arrivals: list[tuple[int, int]], waits: list[int]) -> None:
    """It is found by its request, the newest where a request comes twice, and leaves in order of time."""
    pending, known, now, left = PendingImpressions(WINDOW, 0), list[Pending](), 0, list[Pending]()
    for (step, request), wait in zip(arrivals, [*waits, *[0] * len(arrivals)], strict=False):
        now += step
        known.append(shown(now, request))
        pending.update(known[-1])
        now += wait
        left += pending.close(now)
        open_ = [p for p in known if p.ts + WINDOW > now]
        assert [p for p in known if p.ts + WINDOW <= now] == left
        assert list(pending.open()) == open_ and len(pending) == len(open_)
        for request in range(4):
            mine = [p for p in known if p.request == request]
            assert pending.get(request) is (mine[-1] if mine and mine[-1] in open_ else None)


def test_a_request_is_found_again_after_a_checkpoint() -> None:
    """The order is the whole state."""
    first, second = PendingImpressions(WINDOW, 0), PendingImpressions(WINDOW, 0)
    for place in range(3):
        first.update(shown(place, place))
    second.restore(at_once(first.begin_snapshot()))
    found = second.get(1)
    assert found is not None and (found.ts, found.request, found.items) == (1, 1, array("q", (5, 6, 5)))
    assert [p.ts for p in second.close(1 + WINDOW)] == [0, 1]
    assert len(first) == 3 and second.get(1) is None and second.get(2) is not None


def test_the_first_click_on_an_item_counts_and_each_item_has_its_place() -> None:
    """The delay is that of the first label action; an item shown twice is clicked in its first place."""
    one = shown(100, 1)
    assert one.delays is None
    one.click(6, 130)
    one.click(6, 120)
    one.click(5, 140)
    assert one.delays == {1: 30, 0: 40}


def test_an_action_belongs_to_what_was_shown_to_that_user() -> None:
    """Another user's action, or on an item that was not in the slate, is not this impression's."""
    one = shown(100, 1, user=3)
    assert one.shows(3, 6) and not one.shows(4, 6) and not one.shows(3, 7)


def test_an_impression_begins_with_nothing_known() -> None:
    """What the record did not give is None, not zeros."""
    one = shown(100, 1)
    assert (one.positions, one.authors, one.categories, one.ages, one.arms) == (None, None, None, None, ())
    assert (one.counted, one.place) == ((), NOWHERE)
    assert not one.odd_arm and not one.odd_surface and len(one.history) == len(one.times) == 0
