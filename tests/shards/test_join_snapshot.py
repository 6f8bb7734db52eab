"""A join shard's snapshot is its state when it began, whatever is fed until it is complete."""

from __future__ import annotations

from itertools import count
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import settings as tries
from hypothesis import strategies as st

from lis_online.join.user_page import UserPage
from lis_online.shards.join import JoinShard
from lis_online.snapshots.contract import Snapshot
from tests.join.logs import EXPERIMENTS, feedback, impression, interleaved, partitions, records
from tests.join.small_steps import small_steps


@tries(max_examples=300, deadline=None)
@given(partitions(), st.data(), st.booleans())
def test_feeding_between_the_steps_changes_nothing(log: Any, data: st.DataObject, timestamps: bool) -> None:
    """It equals one that was copied at once, continues as that does, and what the shard sends is not touched."""
    shown, acted = log
    parts = (records("impressions", shown, True, timestamps), records("feedback", acted, True, timestamps))
    batches = data.draw(st.composite(interleaved)(*parts))
    first, second = sorted(data.draw(st.tuples(*[st.integers(0, len(batches))] * 2)))
    with small_steps():
        stepping, calm = JoinShard(EXPERIMENTS, 0), JoinShard(EXPERIMENTS, 0)
        for place, batch in enumerate(batches):
            if place in (first, second):
                at_once = calm.snapshot()
                making = stepping.begin_snapshot()
            assert stepping.feed(batch) == calm.feed(batch)
            if place >= first:
                for _ in range(data.draw(st.integers(0, 12))):
                    making.step(0)
        if second < len(batches):
            while not making.step(0):
                pass
            taken = making.get()
            assert state(taken) == state(at_once)
            one, other = restored(taken), restored(at_once)
            for batch in batches[second:]:
                assert one.feed(batch) == other.feed(batch)
        assert state(stepping.snapshot()) == state(calm.snapshot())


def restored(snapshot: Snapshot) -> JoinShard:
    """Return a shard that continues from the bytes of a snapshot."""
    shard = JoinShard(EXPERIMENTS, 0)
    meta = msgspec.msgpack.decode(msgspec.msgpack.encode(snapshot.meta))
    shard.restore(Snapshot(meta, {name: array.copy() for name, array in snapshot.arrays.items()}))
    return shard


def state(snapshot: Snapshot) -> dict[str, Any]:
    """Return what a snapshot holds, whatever the pages that its users lie on."""
    arrays = dict(snapshot.arrays)
    living = arrays.pop("histories/living").tolist()
    users, place = dict[int, Any](), count()
    for number in range(snapshot.meta["joiner"]["histories"]["pages"]):
        page = UserPage(arrays.pop(f"histories/page.{number}"))
        for row, key in enumerate(page.keys.tolist()):
            if living[next(place)]:
                assert key not in users
                users[key] = int(page.last[row]), page.row(row).tolist()
    joiner = {**snapshot.meta["joiner"], "histories": None}
    return {
        "meta": msgspec.msgpack.encode({**snapshot.meta, "joiner": joiner}),
        "users": users,
        "arrays": {name: array.tolist() for name, array in arrays.items()},
    }


def test_a_click_after_the_beginning_is_not_in_the_snapshot() -> None:
    """On an impression that is open then, and that is copied only afterwards."""
    with small_steps():
        shard, calm = JoinShard(EXPERIMENTS, 0), JoinShard(EXPERIMENTS, 0)
        shown = [impression(f"r{k}", f"u{k}", 1000 + k) for k in range(8)]
        shown += [impression("later", "u9", 1200), impression("last", "u9", 1280)]
        acted = [feedback("r0", "u0", 1010), feedback("none", "u9", 1200)]
        acted += [feedback(f"r{k}", f"u{k}", 1150 + k) for k in range(8)] + [feedback("none", "u9", 1280)]
        impressions, actions = records("impressions", shown), records("feedback", acted)
        for one in (shard, calm):
            one.feed([*impressions[:9], *actions[:2]])
        making, at_once = shard.begin_snapshot(), calm.snapshot()
        assert not making.step(0)
        shard.feed([*impressions[9:], *actions[2:]])
        while not making.step(0):
            pass
        assert state(making.get()) == state(at_once)
        assert at_once.arrays["pending/clicks"].tolist() == [[0, 0, 10]]
        assert len(shard.snapshot().arrays["pending/clicks"]) == 8
