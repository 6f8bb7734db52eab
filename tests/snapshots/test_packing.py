"""Batches packed in steps are the bytes that they have packed at once."""

from __future__ import annotations

import numpy as np
import pytest

from lis_online.events.batches import Columns, PairBatch, SlateBatch, VectorBatch
from lis_online.snapshots import packing
from lis_online.snapshots.steps import at_once
from tests.shards.made_slates import made_slates


def vectors(count: int, dimension: int = 3) -> VectorBatch:
    """Return vectors of some items."""
    column = np.arange(count, dtype=np.int64)
    return VectorBatch(column, column, column, np.ones((count, dimension), np.float16))


@pytest.mark.parametrize("piece", [1, 7, 1 << 20])
@pytest.mark.parametrize("count", [0, 1, 30, 40_000])
def test_the_bytes_are_those_of_encode(count: int, piece: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of one batch and of several, short columns and long ones."""
    if count > 100 and piece < 100:
        piece *= 1000
    monkeypatch.setattr(packing, "PIECE", piece)
    parts = [vectors(count), vectors(2), vectors(0)]
    assert at_once(packing.packing(parts)) == VectorBatch.concatenate(parts).encode()
    assert at_once(packing.packing(parts[:1])) == parts[0].encode()


def test_slates_have_more_columns_than_a_short_head_counts() -> None:
    """A map of sixteen names has another head."""
    some = [made_slates(np.random.default_rng(seed), count, 1000) for seed, count in enumerate((3, 20))]
    assert at_once(packing.packing([SlateBatch.empty(1), *some])) == SlateBatch.concatenate(some).encode()
    none: list[Columns] = [SlateBatch.empty(2), PairBatch.empty()]
    for batch in none:
        assert at_once(packing.packing([batch])) == batch.encode()
