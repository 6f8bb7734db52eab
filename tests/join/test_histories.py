"""What is known of users, and how it is forgotten."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from lis_online.experiments.moments import UserTotals
from lis_online.join.histories import Histories
from lis_online.join.remembered import Remembered
from lis_online.join.user import User
from lis_online.snapshots.steps import at_once


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


class Told:
    """What a user did, in full: no bound, no forgetting but that of an idle user."""

    def __init__(self) -> None:
        self.engaged: list[tuple[int, int]] = []
        self.touched: list[list[tuple[int, int]]] = [[], []]
        self.last = 0


VISIT = st.tuples(st.integers(0, 2), st.integers(0, 30), st.integers(0, 4), st.integers(0, 2))
"""User, time since the last visit, item, what is done: nothing, an engagement, or an action of the second set."""


@given(st.lists(VISIT, max_size=30), st.integers(0, 30))
def test_a_history_is_what_was_done_before(visits: list[tuple[int, int, int, int]], cut: int) -> None:
    """As of every visit, before it is noted, through a checkpoint too: the last items and times, oldest first."""
    histories, told, now = Histories(40, 2, 1), dict[int, Told](), 0
    for place, (number, step, item, kind) in enumerate(visits):
        now += step
        if place == cut:
            saved, histories = at_once(histories.begin_snapshot()), Histories(40, 2, 1)
            histories.restore(saved)
        user = histories.update(number, now)
        if number not in told or now - told[number].last > 40:
            told[number] = Told()
        mine = told[number]
        mine.last = now
        assert list(zip(user.items, user.times, strict=True)) == mine.engaged[-3:]
        for recent, touched in zip(user.recent, mine.touched, strict=True):
            last = dict(touched)
            order = sorted(last, key=lambda i: max(k for k, (j, _) in enumerate(touched) if j == i))
            assert list(recent.items()) == [(i, last[i]) for i in order[-2:]]
        assert user.last == now and histories.get(number) is user and user.totals == [None]
        if kind == 1:
            user.engage(item, now, 3)
            mine.engaged.append((item, now))
        elif kind == 2:
            user.touch(1, item, now, 2)
            mine.touched[1].append((item, now))
        for other in range(3):
            gone = other not in told or now - told[other].last > 40
            assert (histories.get(other) is None) == gone


def test_totals_survive_a_checkpoint() -> None:
    """What counts for the arms, and what will be the pre-period of others, is part of a user; beyond 64 bits too."""
    first, second = Histories(10, 0, 2, 3), Histories(10, 0, 2, 3)
    totals = UserTotals(1, [5, 2**70])
    user = first.update(3, 7)
    user.totals[1] = totals
    user.running[:] = [1, 0, -(2**70)]
    first.update(4, 7)
    second.restore(at_once(first.begin_snapshot()))
    found, other = second.get(3), second.get(4)
    assert found is not None and found.totals[0] is None and found.totals[1] is not None
    assert found.totals[1].snapshot() == totals.snapshot() and found.last == 7
    assert found.running == [1, 0, -(2**70)] and other is not None and other.running == [0, 0, 0]


@given(st.lists(st.integers(1, 9), max_size=20), st.integers(1, 4))
def test_a_history_keeps_the_last_engagements_with_their_times(items: list[int], length: int) -> None:
    """Oldest first, an item as often as it was engaged; each keeps its own time."""
    user = Histories(10**6, 0, 0).update(1, 0)
    for now, item in enumerate(items):
        user.engage(item, now, length)
    assert list(zip(user.items, user.times, strict=True)) == list(zip(items, range(len(items)), strict=True))[-length:]


def test_restoring_replaces_everybody() -> None:
    """A shard that takes over a partition knows nobody but those of the checkpoint, in their order of activity."""
    saved, other = Histories(10, 1, 0), Histories(10, 1, 0)
    for key, now in ((5, 1), (6, 2), (5, 3)):
        saved.update(key, now).engage(key, now, 3)
    other.update(9, 0)
    other.restore(at_once(saved.begin_snapshot()))
    assert len(other) == 2 and other.get(9) is None
    other.update(7, 13)
    assert other.get(6) is None and other.get(5) is not None
    other.update(7, 14)
    assert other.get(5) is None


def test_a_user_begins_with_nothing() -> None:
    """No engagement, a list for each set of actions, no totals."""
    user = User(2, 3)
    assert user.running == [] and User(2, 3, 4).running == [0] * 4
    assert (user.last, list(user.items), list(user.times), user.recent, user.totals) == (
        0,
        [],
        [],
        [{}, {}],
        [None] * 3,
    )
