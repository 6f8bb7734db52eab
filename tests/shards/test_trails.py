"""The last points of each number, against a list that keeps all."""

from __future__ import annotations

import msgspec
from hypothesis import example, given
from hypothesis import strategies as st

from lis_online.shards.publish import PublishShard
from lis_online.shards.trails import LENGTH, Key, Trails
from tests.shards.test_publish import LAYOUT, SETTINGS, as_records, log

KEYS: list[Key] = [(60_000, "source", "coclick", "adjusted_lis"), (0, "variant", "title", "adjusted_ais")]
POINTS = st.lists(
    st.dictionaries(st.sampled_from(KEYS), st.one_of(st.none(), st.floats(-1, 1))), min_size=1, max_size=LENGTH + 20
)


def followed(points: list[dict[Key, float | None]]) -> Trails:
    """Return the trails of points at 1, 2, ..."""
    trails = Trails()
    for end, point in enumerate(points, 1):
        trails = trails.plus(end, point)
    return trails


@given(POINTS)
@example([{KEYS[end < 30]: end / 200} for end in range(LENGTH + 40)])
def test_trails_are_the_last_points_of_all(points: list[dict[Key, float | None]]) -> None:
    """The oracle keeps every point and cuts at the end; what has no value among the last is not there."""
    trails, last = followed(points), points[-LENGTH:]
    assert trails.ends == tuple(range(1, len(points) + 1))[-LENGTH:]
    kept = {key: tuple(point.get(key) for point in last) for key in KEYS}
    assert trails.values == {key: trail for key, trail in kept.items() if set(trail) != {None}}


@given(POINTS, POINTS)
@example([{KEYS[0]: end / 200} for end in range(LENGTH - 5)], [{KEYS[1]: 0.5}] * 20)
def test_restored_trails_go_on_as_if_nothing_had_been(
    before: list[dict[Key, float | None]], after: list[dict[Key, float | None]]
) -> None:
    """Through msgpack, as a checkpoint does it."""
    there = msgspec.msgpack.decode(msgspec.msgpack.encode(followed(before).snapshot()))
    trails = Trails.restore(there)
    for end, point in enumerate(after, len(before) + 1):
        trails = trails.plus(end, point)
    assert trails == followed(before + after)


def test_point_of_the_same_end_replaces_the_last() -> None:
    """The last bucket of a log has no data and ends where the one before ended."""
    key = KEYS[0]
    trails = Trails().plus(1, {key: 0.1}).plus(2, {key: 0.2}).plus(2, {key: 0.3})
    assert (trails.ends, trails.values[key]) == ((1, 2), (0.1, 0.3))


def test_nothing_restores_to_nothing() -> None:
    """A checkpoint of a release without trails begins them anew."""
    assert Trails.restore([]) == Trails()


def test_a_view_follows_every_bucket_and_ends_with_its_own_numbers() -> None:
    """The points are those that each view showed, whole run included, and survive a checkpoint in the middle."""
    shard, restored, seen = PublishShard(SETTINGS, LAYOUT), PublishShard(SETTINGS, LAYOUT), {}
    for record in as_records(list(log())):
        shard.feed([record])
        restored.feed([record])
        if restored.current is not None:
            kept, restored = restored.snapshot(), PublishShard(SETTINGS, LAYOUT)
            restored.restore(kept)
        view = shard.current
        if view is not None and view.end:
            seen[view.end] = view.windows[0]["all"].sources["coclick"].adjusted_lis.value
    assert view is not None
    assert len(seen) > 3
    assert view.trails.ends == tuple(seen)
    assert view.trails.values[0, "source", "coclick", "adjusted_lis"] == tuple(seen.values())
    assert restored.current == view
