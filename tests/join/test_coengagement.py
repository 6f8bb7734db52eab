"""Pairs of co-engagement, against a search through all that a user did before."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import settings as tries
from hypothesis import strategies as st

from lis_online.events.hashing import salt_of
from lis_online.join import coengagement
from lis_online.join.coengagement import CoEngagement, click_hash
from lis_online.join.columns import PairColumns
from lis_online.join.histories import Histories
from lis_online.settings import Settings

ACTIONS = ["click", "like"]
SETTINGS = Settings.of(
    {
        "events": {"actions": ACTIONS},
        "preference": [
            {"name": "clicks", "gap": "10ms", "partners": 2},
            {"name": "topic", "kind": "topic"},
            {"name": "likes", "actions": ["like"], "gap": "25ms", "partners": 1},
            {"name": "clicks2", "gap": "30ms", "partners": 3},
            {"name": "any", "actions": ["like", "click"], "gap": "15ms", "partners": 4},
        ],
    }
)
USER = 77


def partners(done: list[tuple[int, int, int]], source: int, action: int, item: int, ts: int) -> list[int]:
    """Return who an action pairs with in a source: the last distinct items within the gap, the latest first."""
    given = SETTINGS.preference[source]
    if given.kind != "co_engagement" or ACTIONS[action] not in given.actions:
        return []
    last = {i: t for t, i, a in done if ACTIONS[a] in given.actions}
    place = {i: k for k, (_, i, a) in enumerate(done) if ACTIONS[a] in given.actions}
    near = [i for i in sorted(last, key=lambda i: -place[i]) if i != item and ts - last[i] <= given.gap]
    return near[: given.partners]


@tries(max_examples=200)
@given(st.lists(st.tuples(st.integers(0, 12), st.integers(1, 5), st.integers(0, 1)), max_size=25))
def test_pairs_are_those_of_a_search_through_everything(actions: list[tuple[int, int, int]]) -> None:
    """Each source has its own actions, gap and number of partners; sources of the same actions share lists."""
    sources = CoEngagement(SETTINGS)
    assert sources.sets == 3
    user = Histories(10**9, sources.sets, 0).update(USER, 0)
    now, done = 0, list[tuple[int, int, int]]()
    for step, item, action in actions:
        now += step
        found, expected = PairColumns(), []
        sources.pair(USER, user, item, action, now, found)
        for source in range(len(SETTINGS.preference)):
            click = click_hash(USER, item, now, salt_of(SETTINGS.preference[source].name))
            others = partners(done, source, action, item, now)
            expected += [(now, source, other, item, USER, click, 1) for other in others]
        pairs = found.take()
        columns = (pairs.ts, pairs.source, pairs.item_a, pairs.item_b, pairs.user, pairs.click, pairs.weight)
        assert sorted(zip(*(c.tolist() for c in columns), strict=True)) == sorted(expected)
        for source in range(len(SETTINGS.preference)):
            mine = pairs.item_a[pairs.source == source].tolist()
            assert mine == [row[2] for row in expected if row[1] == source]
        sources.update(user, item, action, now)
        done.append((now, item, action))


def test_a_click_is_told_from_every_other() -> None:
    """User, item, time and source each make another click, never 0, the same for ever."""
    keys = [(1, 2, 3, 0), (2, 2, 3, 0), (1, 3, 3, 0), (1, 2, 4, 0), (1, 2, 3, 1)]
    assert len({click_hash(*key) for key in keys}) == len(keys)
    assert click_hash(1, 2, 3, 0) == -420096572918013790


class Zeros:
    """A hash whose digest is all zeros."""

    def __init__(self, data: bytes, digest_size: int) -> None:
        self.size = digest_size

    def digest(self) -> bytes:
        """Return zeros."""
        return bytes(self.size)


def test_a_click_is_never_zero(monkeypatch: pytest.MonkeyPatch) -> None:
    """0 says that there is no click: a digest of zeros is told from it."""
    monkeypatch.setattr(coengagement, "blake2b", Zeros)
    assert click_hash(1, 2) == 1
