"""Made-up slates for the parts of the rank shard that only pass slates on."""

from __future__ import annotations

import numpy as np

from lis_online.events.batches import SlateBatch

START = 1_700_000_000_000
GRAIN = 50
"""ms: coarse enough that some slates share their time."""


def made_slates(rng: np.random.Generator, count: int, span: int, most: int = 4, items: int = 6) -> SlateBatch:
    """Return slates in the order (time, request), some at the same time, of 1 to `most` of a few items."""
    n_items = rng.integers(1, most + 1, count).astype(np.int32)
    n_history = rng.integers(0, 3, count).astype(np.int32)
    samples, entries = int(n_items.sum()), int(n_history.sum())
    clicked = rng.random(samples) < 0.4
    zero = np.zeros(samples, np.int64)
    slates = SlateBatch(
        START + rng.integers(0, span // GRAIN, count) * GRAIN, rng.permutation(count) + 1, rng.integers(1, 5, count),
        np.zeros(count, np.int16), np.zeros((count, 1), np.int16), n_items, n_history,
        rng.integers(1, items + 1, samples), clicked.astype(np.uint8),
        np.where(clicked, rng.integers(0, 3_000, samples), -1), zero.astype(np.int16), zero, zero, zero - 1,
        rng.integers(1, items + 1, entries), np.ones(entries, np.int64),
    )  # fmt: skip
    return slates.take(np.lexsort((slates.request, slates.ts)))


def same(first: SlateBatch, second: SlateBatch) -> bool:
    """Say whether two batches hold the same slates."""
    others = second.columns()
    return all(np.array_equal(column, others[name]) for name, column in first.columns().items())
