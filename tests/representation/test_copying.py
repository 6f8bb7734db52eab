"""A store that is copied in steps is copied as it was at the beginning, whatever comes meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import settings as tries
from hypothesis import strategies as st

from lis_online.events.batches import VectorBatch
from lis_online.representation import permutation, rows, store
from lis_online.representation.newest import NewestVectors
from lis_online.representation.store import VectorStore
from lis_online.snapshots import held_rows, packing
from lis_online.snapshots.steps import Steps

CAPACITY = 40
"""Rows: a few batches of new items evict others, four at a time at least."""

STORES: dict[str, Callable[[], VectorStore | NewestVectors]] = {
    "rankers": lambda: VectorStore(2, torch.device("cpu"), salt=1, capacity=CAPACITY),
    "pairs": lambda: NewestVectors(2, CAPACITY),
}


@pytest.fixture(autouse=True, scope="module")
def small() -> Iterator[None]:
    """Make tables grow from a few rows on, and steps a row or two long."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rows, "FIRST_ROWS", 4)
        patch.setattr(permutation, "BLOCK", 4)
        patch.setattr(store, "BLOCK", 4)
        patch.setattr(held_rows, "PIECE", 24)
        patch.setattr(packing, "PIECE", 24)
        yield


def batch(items: list[int], ts: int) -> VectorBatch:
    """Return vectors of items that differ by time."""
    item = np.array(items, np.int64)
    vector = np.stack([item, np.full(len(item), ts)], axis=1).astype(np.float16)
    return VectorBatch(np.full(len(item), ts), item, np.ones(len(item), np.int64), vector)


def frozen(state: tuple[dict[str, Any], dict[str, np.ndarray]]) -> tuple[bytes, dict[str, bytes]]:
    """Return a state as bytes."""
    meta, arrays = state
    assert all(array.flags.c_contiguous for array in arrays.values())
    return msgspec.msgpack.encode(meta), {name: array.tobytes() for name, array in arrays.items()}


def stepped(copying: Steps[Any], most: int) -> Any:
    """Return what it ends with, None where it has not ended after so many steps."""
    for _ in range(most):
        try:
            next(copying)
        except StopIteration as done:
            return done.value
    return None


@pytest.mark.parametrize("kind", STORES)
@tries(max_examples=80, deadline=None)
@given(st.data())
def test_vectors_between_the_steps_are_not_in_the_copy(kind: str, data: st.DataObject) -> None:
    """New ones, replaced ones, evictions and growth; a copy that is begun before another is complete too."""
    stepping, calm = STORES[kind](), STORES[kind]()
    batches = data.draw(st.lists(st.lists(st.integers(1, 90), min_size=1, max_size=20), min_size=1, max_size=12))
    begins = data.draw(st.sets(st.integers(0, len(batches) - 1), min_size=1, max_size=2))
    taken: Any = None
    for t, items in enumerate(batches):
        if t in begins:
            expected = frozen(calm.snapshot())
            copying, taken = stepping.begin_snapshot(), None
        reached = t - data.draw(st.integers(0, 1))
        for one in (stepping, calm):
            one.update(batch(items, t))
            one.advance(reached)
        if t >= min(begins) and taken is None:
            taken = stepped(copying, data.draw(st.integers(0, 6)))
    assert frozen(taken or stepped(copying, 10_000)) == expected
    assert frozen(stepping.snapshot()) == frozen(calm.snapshot())
