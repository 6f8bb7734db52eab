"""Steps: cut by the events alone."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from lis_online.events.batches import SlateBatch
from lis_online.shards.batcher import Batcher
from tests.shards.made_slates import START, made_slates, same

BUCKET = 1_000
SPAN = 8 * BUCKET
WIDTH = 2


def counts_of(slates: SlateBatch) -> np.ndarray:
    """Return features by which a sample is known again: float32 [samples, 2]."""
    return np.stack([np.repeat(slates.request, slates.n_items), slates.item], axis=1).astype(np.float32)


def cut(slates: SlateBatch, size: int) -> list[list[int]]:
    """Return the requests of each step, slate by slate: the rule in plain words."""
    steps: list[list[int]] = []
    samples = 0
    for k in range(len(slates)):
        new_bucket = k == 0 or slates.ts[k] // BUCKET != slates.ts[k - 1] // BUCKET
        if new_bucket or samples + slates.n_items[k] > size:
            steps.append([])
            samples = 0
        steps[-1].append(int(slates.request[k]))
        samples += int(slates.n_items[k])
    return steps


@given(st.integers(0, 2**32), st.integers(0, 40), st.integers(1, 12), st.data())
def test_pieces_and_restarts_change_no_step(seed: int, count: int, size: int, data: st.DataObject) -> None:
    """Steps are those of the rule, however the slates come and wherever the shard is restored."""
    slates = made_slates(np.random.default_rng(seed), count, SPAN)
    batcher = Batcher(size, BUCKET, experiments=1, width=WIDTH)
    edges = sorted(data.draw(st.lists(st.integers(0, SPAN), max_size=6)))
    steps, given_until = [], 0
    for edge in [*edges, 10 * SPAN]:
        until = int(np.searchsorted(slates.ts, START + edge))
        piece = slates.take(np.arange(given_until, until))
        batcher.update(piece, counts_of(piece))
        given_until = until
        steps += list(batcher.take(START + edge))
        if data.draw(st.booleans()):
            batch, features = batcher.snapshot()
            batcher = Batcher(size, BUCKET, experiments=1, width=WIDTH)
            batcher.restore(batch, features)
    assert [step.request.tolist() for step, _ in steps] == cut(slates, size)
    for step, features in steps:
        assert np.array_equal(features, counts_of(step))
        assert len(set((step.ts // BUCKET).tolist())) == 1
        assert step.n_items.sum() <= size or len(step) == 1
    assert not count or same(SlateBatch.concatenate([step for step, _ in steps]), slates)


def test_a_full_step_goes_out_before_its_bucket_ends() -> None:
    """Only the last, short step of a bucket waits for the bucket's end, and then not for a later slate."""
    slates = made_slates(np.random.default_rng(1), 20, BUCKET, most=1)
    batcher = Batcher(8, BUCKET, experiments=1, width=WIDTH)
    batcher.update(slates, counts_of(slates))
    end = (START // BUCKET + 1) * BUCKET
    assert START % BUCKET == 0
    assert [len(step) for step, _ in batcher.take(end - 1)] == [8, 8]
    assert [len(step) for step, _ in batcher.take(end)] == [4]
    assert list(batcher.take(end + SPAN)) == []


def test_a_slate_larger_than_a_step_is_a_step_of_its_own() -> None:
    """A slate is never torn apart: its predictions belong to one moment."""
    slates = made_slates(np.random.default_rng(2), 6, BUCKET, most=4)
    slates.n_items[:] = [1, 1, 4, 1, 4, 1]
    samples = int(slates.n_items.sum())
    slates.item = np.arange(samples)
    for name in ("label", "delay", "position", "author", "category", "age"):
        setattr(slates, name, np.resize(getattr(slates, name), samples))
    batcher = Batcher(3, BUCKET, experiments=1, width=WIDTH)
    batcher.update(slates, counts_of(slates))
    assert [step.n_items.tolist() for step, _ in batcher.take(10 * START)] == [[1, 1], [4], [1], [4], [1]]


def test_a_snapshot_is_a_copy() -> None:
    """What comes later does not change a snapshot that was taken."""
    slates = made_slates(np.random.default_rng(3), 10, BUCKET)
    batcher = Batcher(100, BUCKET, experiments=1, width=WIDTH)
    batcher.update(slates, counts_of(slates))
    batch, features = batcher.snapshot()
    before = features.tobytes()
    list(batcher.take(10 * START))
    batcher.update(slates, counts_of(slates) + 1)
    assert same(SlateBatch.decode(batch), slates) and features.tobytes() == before
