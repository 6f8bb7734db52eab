"""What is known of users, and how it is forgotten."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from lis_online.join.histories import Histories
from lis_online.join.remembered import Remembered


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 60))), st.integers(1, 100))
def test_users_idle_for_longer_than_the_limit_are_new_again(visits: list[tuple[int, int]], limit: int) -> None:
    """Forgetting depends on a user's own pauses alone, and nobody idle is kept."""
    histories, now, last = Histories(limit, 1, 0), 0, dict[int, int]()
    for user, step in visits:
        now += step
        known = histories.update(user, now)
        assert bool(known.items) == (user in last and now - last[user] <= limit)
        known.engage(7, now, 5)
        last[user] = now
        assert len(histories) == sum(now - t <= limit for t in last.values())


@given(st.lists(st.integers(0, 6), max_size=40), st.integers(1, 4))
def test_a_list_keeps_the_last_distinct_items(items: list[int], length: int) -> None:
    """Least recent first, each item once, with the time of its last action."""
    user = Histories(10**6, 1, 0).update(1, 0)
    for now, item in enumerate(items):
        user.touch(0, item, now, length)
    last = {item: now for now, item in enumerate(items)}
    assert list(user.recent[0].items()) == sorted(last.items(), key=lambda entry: entry[1])[-length:]


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 5))), st.integers(0, 12))
def test_keys_are_remembered_for_their_time(arrivals: list[tuple[int, int]], memory: int) -> None:
    """A key is new unless it was added no longer than `memory` ago."""
    seen, now, added = Remembered[int](memory), 0, dict[int, int]()
    for key, step in arrivals:
        now += step
        new = key not in added or now - added[key] > memory
        assert seen.update(key, now) == new
        if new:
            added[key] = now
    assert len(seen) <= len(added)
