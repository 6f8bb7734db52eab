"""Users who are removed: a snapshot in the making does not notice, and what the others did stays."""

from __future__ import annotations

from array import array
from typing import Protocol

import numpy as np

from lis_online.events.windows_log import UserTotalsBucket, decode
from lis_online.experiments.user_totals import decode as decode_totals
from lis_online.experiments.user_totals import hashed
from lis_online.join.pending import Pending
from lis_online.join.pending_impressions import PendingImpressions
from lis_online.join.user_buckets import UserBuckets
from lis_online.snapshots.contract import Snapshot
from lis_online.snapshots.steps import Steps, at_once
from tests.join.logs import EXPERIMENTS
from tests.join.small_steps import small_steps

GONE, OTHER = 11, 22


class Part(Protocol):
    """A part of a join shard's state."""

    def begin_snapshot(self) -> Steps[Snapshot]:
        """Begin to copy the state."""
        ...


def held(snapshot: Snapshot) -> tuple[object, dict[str, list[int]]]:
    """Return what a snapshot holds."""
    return snapshot.meta, {name: column.tolist() for name, column in snapshot.arrays.items()}


def begun(part: Part) -> Steps[Snapshot]:
    """Return a snapshot that has begun."""
    steps = part.begin_snapshot()
    next(steps)
    return steps


def shown(request: int, user: int, ts: int) -> Pending:
    """Return an impression."""
    pending = Pending(ts, request, user, 0, array("q", [5, 6]))
    pending.arms = pending.counted = (-1, -1)
    return pending


def test_open_impressions_of_others_keep_their_clicks() -> None:
    """In a snapshot after the removal, and in a shard that is restored from it."""
    with small_steps():
        impressions = PendingImpressions(100, 2)
        for request in range(10):
            impressions.update(one := shown(request, GONE if request % 3 else OTHER, 1000 + request))
            one.click(6, 1020 + request)
        assert [one.request for one in impressions.close(1100)] == [0]
        before = held(at_once(impressions.begin_snapshot()))
        making = begun(impressions)
        assert impressions.remove({GONE, 99}) == 6
        assert held(at_once(making)) == before
        for one in impressions.open():
            one.click(5, 1030)
        restored = PendingImpressions(100, 2)
        restored.restore(at_once(impressions.begin_snapshot()))
        for each in (impressions, restored):
            assert [each.get(request) is not None for request in range(10)] == [r in (3, 6, 9) for r in range(10)]
            assert [(one.request, one.delays) for one in each.close(2000)] == [
                (request, {1: 20, 0: 30 - request}) for request in (3, 6, 9)
            ]
            assert len(each) == 0


def test_a_user_who_is_known_nowhere_changes_nothing() -> None:
    """Not even where the chunks end."""
    with small_steps():
        impressions = PendingImpressions(100, 2)
        for request in range(4):
            impressions.update(shown(request, OTHER, 1000))
        before = held(at_once(impressions.begin_snapshot()))
        assert impressions.remove({GONE}) == 0
        assert held(at_once(impressions.begin_snapshot())) == before


def test_logged_totals_of_others_stay_in_their_places() -> None:
    """Actions find the impression they belong to, also after one before it became nobody's."""
    with small_steps():
        buckets = UserBuckets(EXPERIMENTS, 0)
        places = [buckets.show(100 + k, user, (0, -1), (True, True)) for k, user in enumerate([GONE, OTHER, GONE])]
        before = held(at_once(buckets.begin_snapshot()))
        making = begun(buckets)
        buckets.remove([GONE])
        assert held(at_once(making)) == before
        for k, place in enumerate(places):
            buckets.act(100 + k, place, 1, 7 * 10**6)
        (record,) = buckets.take()
        bucket = decode(record)
        assert isinstance(bucket, UserTotalsBucket)
        table = decode_totals(bucket.data)
        assert table.users.tolist() == hashed(np.array([OTHER])).tolist()
        assert table.totals.tolist() == [[10**6, 7 * 10**6, 0]]
