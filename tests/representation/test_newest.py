"""Vectors as of any later time, against a search through all of them."""

from __future__ import annotations

import msgspec
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from lis_online.events.batches import VectorBatch
from lis_online.representation.newest import NewestVectors

Row = tuple[int, int, int]
"""Time, item, version; the vector's direction is of all three."""


def direction(row: Row) -> np.ndarray:
    """Return a vector that tells rows apart."""
    return np.array([np.cos(sum(row) * 0.37 + row[2]), np.sin(sum(row) * 0.37 + row[2])], np.float16)


def batch(rows: list[Row]) -> VectorBatch:
    """Return vectors."""
    ts, item, version = (np.array(column, np.int64) for column in zip(*rows, strict=True))
    return VectorBatch(ts, item, version, np.stack([direction(row) for row in rows]))


@settings(max_examples=80, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 40), st.integers(1, 4), st.integers(1, 2)), min_size=1, max_size=25, unique=True),
    st.lists(st.tuples(st.integers(0, 45), st.integers(1, 5)), min_size=1, max_size=12),
    st.lists(st.integers(0, 45), max_size=4),
    st.integers(0, 25),
)
def test_the_newest_vector_at_or_before_a_time_is_found(
    rows: list[Row], questions: list[tuple[int, int]], advances: list[int], cut: int
) -> None:
    """Of rows up to t, the last by (time, version), whether it was applied or still waits; None before the first."""
    vectors = NewestVectors(2)
    for piece in (rows[:cut], rows[cut:]):
        if piece:
            vectors.update(batch(piece))
    ahead = sorted(t for t, _ in questions)
    for t in sorted(advances):
        if t <= ahead[0]:
            vectors.advance(t)
    restored = NewestVectors(2)
    meta, arrays = vectors.snapshot()
    restored.restore(msgspec.msgpack.decode(msgspec.msgpack.encode(meta)), arrays)
    for one in (vectors, restored):
        found, lengths, known = one.get(np.array([item for _, item in questions]), np.array([t for t, _ in questions]))
        for k, (t, item) in enumerate(questions):
            before = [row for row in rows if row[1] == item and row[0] <= t]
            assert known[k] == bool(before)
            if before:
                newest = direction(max(before, key=lambda row: (row[0], row[2]))).astype(float)
                assert np.allclose(found[k], newest / np.linalg.norm(newest), atol=1e-6)
                assert np.isclose(lengths[k], np.linalg.norm(newest))
            else:
                assert not found[k].any() and lengths[k] == 0


def test_a_zero_vector_is_known_and_has_no_direction() -> None:
    """Its cosine with everything is 0: nothing is divided by 0."""
    vectors = NewestVectors(2)
    vectors.update(VectorBatch(np.array([1]), np.array([1]), np.array([1]), np.zeros((1, 2), np.float16)))
    found, lengths, known = vectors.get(np.array([1]), np.array([2]))
    assert known.tolist() == [True] and found.tolist() == [[0.0, 0.0]] and lengths.tolist() == [0.0]


def test_the_items_published_longest_ago_make_room() -> None:
    """State is bounded; items of the newest batch are never the ones to go."""
    vectors = NewestVectors(2, capacity=20)
    vectors.update(batch([(k, k, 1) for k in range(1, 19)]))
    vectors.advance(18)
    vectors.update(batch([(30, 1, 1), *((31, 100 + k, 1) for k in range(5))]))
    vectors.advance(31)
    _, _, known = vectors.get(np.array([1, *range(100, 105), 2, 18]), np.full(8, 40))
    assert known.tolist() == [True] * 6 + [False, True]
