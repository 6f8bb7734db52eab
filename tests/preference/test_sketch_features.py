"""Pair features of all sources and sets against dictionaries of every pair."""

import math

import numpy as np
import torch

from lis_online.events.batches import PairBatch
from lis_online.events.hashing import mix
from lis_online.preference.folds import thinned_half
from lis_online.preference.leak import Leak
from lis_online.preference.lookup import PLACEBO, REAL, SCALE, SMOOTHING, THINNED, Lookup
from lis_online.preference.sketch_features import PairSketches

CPU = torch.device("cpu")
LEAK = Leak(horizon=100, memory=6_400, folds=3)
ITEMS = 15


def pairs(rng: np.random.Generator, count: int) -> tuple[PairBatch, np.ndarray]:
    """Return random pairs in time order and their folds."""
    first = rng.integers(1, ITEMS + 1, count)
    second = (first + rng.integers(1, ITEMS, count) - 1) % ITEMS + 1
    n = np.arange(1, count + 1)
    batch = PairBatch(
        np.sort(rng.integers(0, 1_000, count)), np.zeros(count, np.int16), first, second, n, n, np.ones(count, np.int32)
    )
    return batch, rng.integers(0, LEAK.folds, count)


def weight(batch: PairBatch, folds: np.ndarray, t: int, fold: int | None, *keys: int) -> int:
    """Return the weight of a pair (two keys) or an item (one); fold None: the past alone."""
    total = 0
    for ts, a, b, f in zip(batch.ts, batch.item_a, batch.item_b, folds, strict=True):
        seen = ts < t or (fold is not None and ts <= t + LEAK.horizon and f != fold)
        if seen and (keys[0] in (a, b) if len(keys) == 1 else set(keys) == {a, b}):
            total += 1
    return total


def expected(
    batch: PairBatch, folds: np.ndarray, t: int, fold: int | None, item: int, history: list[int]
) -> list[float]:
    """Return the three features by their definitions."""
    entries = [h for h in history if h not in (0, item)]
    weights = [weight(batch, folds, t, fold, item, h) for h in entries]
    d_item = weight(batch, folds, t, fold, item)
    scaled = [
        SCALE * w / math.sqrt((weight(batch, folds, t, fold, h) + SMOOTHING) * (d_item + SMOOTHING))
        for w, h in zip(weights, entries, strict=True)
    ]
    return [math.log1p(sum(weights)), sum(scaled), max(scaled, default=0.0)]


def test_features_equal_their_definitions_for_every_source_and_set() -> None:
    """Leaked, past, placebo and thinned of two sources, each from its own pairs alone."""
    rng = np.random.default_rng(0)
    sketches = PairSketches(LEAK, 20, 2, CPU)
    known = [[pairs(rng, 150), pairs(rng, 150)] for _ in range(2)]  # source -> real, placebo
    for source, (real, placebo) in enumerate(known):
        sketches.update(source, *real, *placebo)
    t, fold = np.array([300, 420]), np.array([1, 2])
    slate = np.array([0, 0, 1, 1, 1])
    items = rng.integers(1, ITEMS + 1, len(slate))
    history = np.where(rng.random((2, 6)) < 0.8, rng.integers(1, ITEMS + 1, (2, 6)), 0)
    found = sketches.get(Lookup(mix(items).view(np.int64), mix(history).view(np.int64), np.bincount(slate), t, fold))
    for source, ((real, folds), (placebo, placebo_folds)) in enumerate(known):
        half = thinned_half(real)
        sets = {
            REAL: (real, folds),
            PLACEBO: (placebo, placebo_folds),
            THINNED: (real.take(half), folds[half]),
        }
        for k, item in enumerate(items.tolist()):
            at, own, seen = int(t[slate[k]]), int(fold[slate[k]]), history[slate[k]].tolist()
            for name, (batch, of) in sets.items():
                assert np.allclose(found.leaked[name, source, k], expected(batch, of, at, own, item, seen), atol=1e-5)
            assert np.allclose(found.past[source, k], expected(real, folds, at, None, item, seen), atol=1e-5)
            assert bool(found.covered[source, k]) == (expected(real, folds, at, own, item, seen)[0] > 0)


def test_the_expected_false_cover_is_what_unknown_items_show() -> None:
    """Two rows: a pair that never was looks known where both hash to used slots; the report says how often."""
    rng = np.random.default_rng(1)
    sketches = PairSketches(LEAK, 12, 1, CPU)
    n = 1_500
    ids = np.arange(1, n + 1)
    batch = PairBatch(
        np.sort(rng.integers(0, 900, n)), np.zeros(n, np.int16), ids, ids + n, ids, ids, np.ones(n, np.int32)
    )
    sketches.update(0, batch, np.zeros(n, np.int64), batch, np.zeros(n, np.int64))
    samples = 4_000
    unknown = rng.integers(10**9, 10**12, samples)
    others = rng.integers(10**9, 10**12, (samples, 3))
    one = np.ones(samples, np.int64)
    found = sketches.get(
        Lookup(mix(unknown).view(np.int64), mix(others).view(np.int64), one, np.full(samples, 1_000), one)
    )
    seen, promised = float(found.covered.float().mean()), float(found.false_cover.mean())
    assert promised > 0.2
    assert abs(seen - promised) < 5 * math.sqrt(promised * (1 - promised) / samples) + 0.01
