"""Vectors as of a sample's time."""

import numpy as np
import torch

from lis_online.events.batches import VectorBatch
from lis_online.representation.index import MISSING
from lis_online.representation.store import VectorStore, distinct_times

CPU = torch.device("cpu")


def batch(*rows: tuple[int, int, list[float]]) -> VectorBatch:
    """Return vectors of (ts, item, vector)."""
    return VectorBatch(
        np.array([r[0] for r in rows], np.int64),
        np.array([r[1] for r in rows], np.int64),
        np.ones(len(rows), np.int64),
        np.array([r[2] for r in rows], np.float16),
    )


def vector(store: VectorStore, item: int, t: int) -> list[float]:
    """Return an item's vector as of a time."""
    return store.vectors(torch.from_numpy(store.rows(np.array([item]), np.array([t]))))[0].tolist()


def test_a_sample_uses_the_newest_vector_at_or_before_its_time() -> None:
    """A sample sees ts <= t: a vector that comes a millisecond later is not seen."""
    store = VectorStore(2, CPU, salt=1)
    store.update(batch((100, 7, [1, 0]), (200, 7, [0, 1])))
    assert distinct_times([store], 0, 300) == [100, 200]
    store.advance(199)
    assert vector(store, 7, 199) == [1, 0]
    store.advance(200)
    assert vector(store, 7, 200) == [0, 1]


def test_a_vector_that_is_delivered_twice_replaces_nothing() -> None:
    """A duplicate must not cut a step: numbers would depend on how often a record was delivered."""
    store = VectorStore(2, CPU, salt=1)
    store.update(batch((150, 7, [1, 0]), (150, 7, [1, 0]), (160, 8, [0, 1]), (150, 7, [1, 0])))
    assert distinct_times([store], 100, 200) == []
    store.update(batch((170, 7, [0, 1])))
    assert distinct_times([store], 100, 200) == [150, 170]


def test_a_first_vector_is_hidden_from_samples_before_its_time() -> None:
    """A step advances to its last sample; the first must not see what came in between."""
    store = VectorStore(2, CPU, salt=1)
    store.update(batch((150, 7, [1, 0])))
    assert distinct_times([store], 100, 200) == []
    store.advance(200)
    assert store.rows(np.array([7, 7]), np.array([149, 150])).tolist() == [MISSING, 0]


def test_vectors_are_normalised_and_a_zero_vector_stays_zero() -> None:
    """Cosines are products of stored vectors."""
    store = VectorStore(2, CPU, salt=1)
    store.update(batch((1, 7, [3, 4]), (1, 8, [0, 0])))
    store.advance(1)
    assert np.allclose(vector(store, 7, 1), [0.6, 0.8], atol=1e-3)
    assert vector(store, 8, 1) == [0, 0]


def test_a_late_vector_takes_effect() -> None:
    """A side record after its time has been applied is not lost."""
    store = VectorStore(2, CPU, salt=1)
    store.advance(500)
    store.update(batch((100, 7, [1, 0])))
    store.advance(501)
    assert vector(store, 7, 501) == [1, 0]


def test_memory_is_bounded_and_the_longest_published_make_room() -> None:
    """State is bounded: a catalogue that turns over for years fits the same table."""
    store = VectorStore(2, CPU, salt=1, capacity=50)
    for item in range(1, 201):
        store.update(batch((item, item, [1, item])))
        store.advance(item)
    known = store.rows(np.arange(1, 201), np.array([200]))
    assert (known != MISSING).sum() <= 50
    assert (known[-20:] != MISSING).all()
    assert (known[:100] == MISSING).all()
    live = known[known != MISSING]
    assert sorted(store.donors(live).tolist()) == sorted(live.tolist())


def test_a_restored_store_goes_on_as_the_one_it_was_taken_from() -> None:
    """Snapshot and restore change nothing, the queue included."""
    first, second = VectorStore(2, CPU, salt=1), VectorStore(2, CPU, salt=1)
    first.update(batch(*((t, t, [t, 1]) for t in range(1, 40))))
    first.advance(20)
    second.restore(*first.snapshot())
    for store in (first, second):
        store.advance(60)
    items, t = np.arange(1, 40), np.array([60])
    assert np.array_equal(first.rows(items, t), second.rows(items, t))
    assert np.array_equal(first.donors(first.rows(items, t)), second.donors(second.rows(items, t)))
