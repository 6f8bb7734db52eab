"""Vectors of several versions, on their way to their slots."""

from __future__ import annotations

import random

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lis_online.events.batches import VectorBatch
from lis_online.events.hashing import id_hash
from lis_online.representation.newest import NewestVectors
from lis_online.representation.versions import Versions

STEP = 10
MEMORY = 60
NAMES = ("1", "2", "3")
Row = tuple[int, int, str]
"""Time, item, name of the version; the vector is of the time."""
Step = tuple[list[tuple[int, bool]], list[tuple[str, list[int]]]]
"""The slots that changed at a decision, and what is seen of each one in use."""


def batch(rows: list[Row]) -> VectorBatch:
    """Return vectors whose one number is their time."""
    ts, item, version = zip(*rows, strict=True)
    numbers = np.array(ts, np.float16)[:, None]
    return VectorBatch(np.array(ts), np.array(item), np.array([id_hash(v) for v in version]), numbers)


def slots(count: int = 2) -> Versions[NewestVectors]:
    """Return slots of one variant."""
    return Versions(lambda: NewestVectors(1), count, MEMORY)


def seen(versions: Versions[NewestVectors], t: int) -> list[tuple[str, list[int]]]:
    """Return the name of each slot in use, and which of items 1 to 4 have a vector there by t."""
    items = np.arange(1, 5)
    found = []
    for place in versions.in_use:
        _, _, known = versions.stores[place].get(items, np.full(4, t))
        found.append((versions.name(place), items[known].tolist()))
    return found


def run(rows: list[Row], cuts: list[int], count: int = 2, shuffle: int = 0, again: int = -1) -> list[Step]:
    """Return what is seen at each decision, fed in pieces that are cut at some rows, none later than it is needed.

    shuffle: seed of the order of arrival between two decisions; again: a decision before which all is restored.
    """
    versions, fed = slots(count), 0
    story: list[Step] = []
    last = max(ts for ts, _, _ in rows)
    for start in range(0, last + 2 * STEP, STEP):
        ahead = [cut for cut in sorted(cuts) if cut >= fed][:1]
        due = max([sum(ts <= start + STEP for ts, _, _ in rows), *ahead])
        piece = rows[fed:due]
        random.Random(shuffle).shuffle(piece)
        for one in piece:
            versions.update(batch([one]), [one[2]])
        fed = max(fed, due)
        if start == again * STEP:
            meta, arrays = versions.snapshot()
            versions = slots(count)
            versions.restore(msgspec.msgpack.decode(msgspec.msgpack.encode(meta)), arrays)
        changed = versions.decide(start, start + STEP)
        versions.begin(start + STEP - 1)
        story.append((changed, seen(versions, start + STEP - 1)))
    return story


ROWS = st.lists(st.tuples(st.integers(0, 120), st.integers(1, 4), st.sampled_from(NAMES)), min_size=1, max_size=25).map(
    sorted
)


@settings(max_examples=60, deadline=None)
@given(ROWS, st.lists(st.integers(0, 25), max_size=3), st.integers(1, 5), st.integers(0, 13))
def test_who_holds_a_slot_depends_on_the_vectors_times_alone(
    rows: list[Row], cuts: list[int], shuffle: int, again: int
) -> None:
    """Vectors that come early, in any order, and restarts on the way change nothing."""
    calm = run(rows, [])
    assert run(rows, cuts, shuffle=shuffle) == calm
    assert run(rows, [len(rows)], again=again) == calm


@settings(max_examples=60, deadline=None)
@given(ROWS)
def test_each_vector_is_in_its_own_versions_slot(rows: list[Row]) -> None:
    """Version by version, a slot has exactly the items that had a vector since the version took it, or before."""
    for step, (_, found) in enumerate(run(rows, [])):
        t = step * STEP + STEP - 1
        for name, items in found:
            published = {item for ts, item, version in rows if version == name and ts <= t}
            assert set(items) <= published if name else not items
    only = [row for row in rows if row[2] == "1"]
    if only:
        for step, (_, found) in enumerate(run(only, [])):
            t = step * STEP + STEP - 1
            assert found == [("1" if only[0][0] <= t else "", sorted({item for ts, item, _ in only if ts <= t}))]


def test_the_first_version_begins_at_its_first_vector_and_the_next_at_a_decision() -> None:
    """Slot 0 is there with the group; a second version waits for the next decision with all its vectors."""
    story = run([(3, 1, "1"), (5, 2, "2"), (12, 3, "2")], [])
    assert story[0] == ([], [("1", [1])])
    assert story[1] == ([(1, True)], [("1", [1]), ("2", [2, 3])])


def test_one_slot_holds_all_versions_and_bears_the_newest_ones_name() -> None:
    """With one slot versions are not told apart, as before there were any; who reads the name sees which came last."""
    story = run([(3, 1, "1"), (25, 2, "2"), (41, 3, "1")], [], count=1)
    assert [found for _, found in story][:6] == [
        [("1", [1])], [("1", [1])], [("2", [1, 2])], [("2", [1, 2])], [("2", [1, 2, 3])], [("2", [1, 2, 3])],
    ]  # fmt: skip


@pytest.mark.parametrize("count", [1, 2])
def test_a_vector_whose_time_was_reached_is_counted_and_counts(count: int) -> None:
    """Nothing is lost for being late, and the number of such is known."""
    versions = slots(count)
    versions.update(batch([(1, 1, "1")]), ["1"])
    versions.decide(0, STEP)
    versions.begin(5)
    versions.update(batch([(5, 2, "1"), (6, 3, "1")]), ["1"])
    assert versions.late == 1
    assert seen(versions, 6) == [("1", [1, 2, 3])]


def test_state_stays_bounded_however_many_versions_there_are() -> None:
    """Vectors of versions that found no slot are not kept, nor are their names."""
    versions = slots()
    for t in range(0, 4_000, STEP):
        versions.update(batch([(t, 1, f"{t}-{k}") for k in range(3)]), [f"{t}-{k}" for k in range(3)])
        versions.decide(t, t + STEP)
    meta, _ = versions.snapshot()
    assert meta["waiting"] == b"" and len(meta["names"]) < 100
