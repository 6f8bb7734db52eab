"""A snapshot of users is their state at its beginning, whatever they do until it is complete."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import settings as tries
from hypothesis import strategies as st

from lis_online.experiments.moments import CROSSED, UserTotals
from lis_online.join.histories import Histories
from lis_online.join.user import User
from lis_online.snapshots.contract import Snapshot
from lis_online.snapshots.steps import Steps, at_once
from tests.join.small_steps import small_steps

LIMIT = 12
VISIT = st.tuples(st.just("visit"), st.integers(0, 6), st.integers(0, 4), st.integers(0, 5))
"""A user, the time since the visit before, an item."""
EVENTS = st.lists(
    st.one_of(
        VISIT,
        VISIT,
        VISIT,
        st.tuples(st.just("begin")),
        st.tuples(st.just("step"), st.integers(1, 3)),
        st.tuples(st.just("finish")),
        st.tuples(st.just("restore")),
        st.tuples(st.just("remove"), st.integers(0, 6)),
    ),
    max_size=60,
)


class Plain:
    """The same users without pages: every one an object, looked through one by one."""

    def __init__(self) -> None:
        self.users: dict[int, User] = {}

    def update(self, key: int, now: int) -> User:
        """Return the user, new after too long a pause."""
        self.users = {k: user for k, user in self.users.items() if now - user.last <= LIMIT}
        user = self.users.setdefault(key, User(2, 2, 2))
        user.last = now
        return user

    def state(self) -> dict[int, Any]:
        """Return all that is known."""
        return {key: parts(user) for key, user in self.users.items()}


def parts(user: User) -> list[Any]:
    """Return all that a user holds."""
    totals = [None if entry is None else (entry.arm, sorted(entry.seen), list(entry.values)) for entry in user.totals]
    recent = [list(known.items()) for known in user.recent]
    return [user.last, user.items.tolist(), user.times.tolist(), recent, totals, list(user.running)]


def act(user: User, now: int, item: int) -> None:
    """Change everything that there is to change, sometimes beyond 64 bits."""
    user.engage(item, now, 3)
    user.touch(item % 2, item, now, 2)
    user.running[0] += 2 ** (13 * item)
    known = user.totals[0]
    if known is None:
        user.totals[0] = UserTotals(63 if item == 5 else item, [item, -item])
    elif item == 4:
        known.arm, known.values = CROSSED, []
        known.seen.add(item)
    elif known.values:
        known.values[1] += 2**62


def state(snapshot: Snapshot) -> dict[int, Any]:
    """Return what a shard that restores it knows."""
    again = Histories(LIMIT, 2, 2, 2)
    again.restore(snapshot)
    found = {key: again.get(key) for key in range(7)}
    known = {key: parts(user) for key, user in found.items() if user is not None}
    assert len(again) == len(known) == snapshot.arrays["living"].sum()
    return known


@tries(max_examples=300, deadline=None)
@given(EVENTS)
def test_a_snapshot_is_the_state_at_its_beginning(events: list[tuple[Any, ...]]) -> None:
    """And the users go on as if none had ever been taken, through checkpoints and after a user is removed."""
    with small_steps():
        histories, plain, now = Histories(LIMIT, 2, 2, 2), Plain(), 0
        making: Steps[Snapshot] | None = None
        begun: dict[int, Any] = {}
        for kind, *given_ in [*events, ("finish",)]:
            if kind == "visit":
                key, step, item = given_
                now += step
                mine, oracle = histories.update(key, now), plain.update(key, now)
                assert parts(mine) == parts(oracle)
                act(mine, now, item)
                act(oracle, now, item)
            elif kind == "begin":
                making, begun = histories.begin_snapshot(), plain.state()
            elif kind == "remove":
                histories.remove([given_[0]])
                plain.users.pop(given_[0], None)
            elif kind == "restore":
                saved, making = at_once(histories.begin_snapshot()), None
                histories = Histories(LIMIT, 2, 2, 2)
                histories.restore(saved)
            elif making is not None:
                making = stepped(making, given_[0] if given_ else 10**6, begun)
        assert len(histories) == len(plain.users)
        assert state(at_once(histories.begin_snapshot())) == plain.state()


def stepped(making: Steps[Snapshot], steps: int, begun: dict[int, Any]) -> Steps[Snapshot] | None:
    """Go on for some steps; once it is complete, compare the snapshot."""
    for _ in range(steps):
        try:
            next(making)
        except StopIteration as done:
            assert state(done.value) == begun
            return None
    return making


@given(st.lists(st.tuples(st.integers(1, 9), st.integers(1, 3)), min_size=1, max_size=30), st.integers(1, 9))
def test_a_removed_user_leaves_no_trace_in_a_snapshot(visits: list[tuple[int, int]], gone: int) -> None:
    """Not even where the user had rested before waking up: the number stands nowhere."""
    with small_steps():
        histories, big = Histories(10**6, 1, 0, 0), 10**15
        for now, (key, step) in enumerate(visits):
            histories.update(key * big, now).engage(key * big + 1, now, 3)
            if step == 1:
                at_once(histories.begin_snapshot())
        histories.remove([gone * big])
        saved = at_once(histories.begin_snapshot())
        numbers = {n for name, array in saved.arrays.items() if name != "living" for n in array.tolist()}
        assert not {gone * big, gone * big + 1} & numbers
        assert {key * big for key, _ in visits if key != gone} <= numbers


def test_a_user_removed_before_pages_are_merged_is_in_no_later_snapshot() -> None:
    """The one that had begun holds the user, who was there then."""
    with small_steps():
        histories, gone = Histories(10**6, 1, 0, 0), 10**15
        pages = [[gone, 1, 2, 3], [4, 5, 6, 7], [8, 9, 10, 11], [12, 13, 14, 15]]
        for visitors in (*pages, [key for page in pages for key in page[1:]]):
            for key in visitors:
                histories.update(key, 1)
            making = histories.begin_snapshot()
            next(making)
            if len(visitors) > 4:  # each page has one user left: they are about to be brought together
                histories.remove([gone])
            begun = at_once(making)
        later = at_once(histories.begin_snapshot())
        found = [gone in np.concatenate([*saved.arrays.values()]).tolist() for saved in (begun, later)]
        assert found == [True, False] and len(histories) == 15


def test_a_user_who_wakes_up_before_pages_are_merged_is_there_once() -> None:
    """In the snapshot as one who rests, afterwards awake."""
    with small_steps():
        histories = Histories(10**6, 1, 0, 0)
        for visitors in ((1, 2), (2,)):
            for key in visitors:
                histories.update(key, 1).engage(key, 1, 3)
            at_once(histories.begin_snapshot())
        making = histories.begin_snapshot()
        next(making)
        histories.update(1, 2).engage(7, 2, 3)
        saved = at_once(making)
        assert len(histories) == 2 and saved.arrays["living"].tolist() == [1, 1]
        known = histories.get(1)
        assert known is not None and known.items.tolist() == [1, 7]
        assert at_once(histories.begin_snapshot()).arrays["living"].sum() == 2


def test_what_pages_take_is_bounded_by_what_their_users_need() -> None:
    """Users who wake up again and again leave empty places behind; these are closed."""
    histories, now = Histories(10**9, 1, 0, 0), 0
    for turn in range(40):
        for key in range(turn % 3, 3000, 3):
            now += 1
            histories.update(key, now)
        saved = at_once(histories.begin_snapshot())
    rows = sum(len(a) for name, a in saved.arrays.items() if name == "living")
    assert saved.arrays["living"].sum() == 3000 == len(histories) and rows <= 2 * 3000 + 2048
