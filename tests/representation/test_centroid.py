"""The centroid of unit vectors, against plain sums."""

from __future__ import annotations

import msgspec
import numpy as np

from lis_online.representation.centroid import MOST, Centroid


def directions(rng: np.random.Generator, count: int) -> np.ndarray:
    """Return unit vectors of three dimensions, none far from the first axis."""
    found = rng.normal(size=(count, 3)) + np.array([3.0, 0.0, 0.0])
    return (found / np.linalg.norm(found, axis=1, keepdims=True)).astype(np.float32)


def test_distances_are_to_the_mean_of_all_before_whatever_the_restarts() -> None:
    """1 - cosine to the sum of the vectors so far, by numpy."""
    rng = np.random.default_rng(3)
    one, seen = Centroid(3), np.zeros((0, 3))
    assert np.isnan(one.distances(directions(rng, 2))).all()
    for _ in range(4):
        fresh = directions(rng, 50)
        one.update(fresh)
        seen = np.concatenate([seen, fresh.astype(float)])
        state = msgspec.msgpack.decode(msgspec.msgpack.encode(one.snapshot()))
        one = Centroid(0)
        one.restore(state)
        asked, centre = directions(rng, 20), seen.sum(axis=0)
        assert np.allclose(one.distances(asked), 1 - asked @ centre / np.linalg.norm(centre), atol=1e-6)


def test_old_vectors_lose_their_weight() -> None:
    """A version that lives for years is compared with where it lies now, not with where it once lay."""
    first, second = np.array([[1.0, 0.0]]), np.array([[0.0, 1.0]])
    one = Centroid(2)
    one.update(np.tile(first, (MOST, 1)))
    for _ in range(20):
        one.update(np.tile(second, (MOST // 2, 1)))
    assert one.distances(second)[0] < 0.001
