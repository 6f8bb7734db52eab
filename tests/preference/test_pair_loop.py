"""The pass over a CPU's tables against tensors: the same whole numbers, whatever the events and the order of asking."""

from __future__ import annotations

import itertools

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from lis_online.events.batches import PairBatch
from lis_online.events.hashing import mix
from lis_online.preference import pair_loop, pair_tensors
from lis_online.preference.leak import PAST_ONLY, Leak
from lis_online.preference.lookup import Lookup
from lis_online.preference.sketch import Sketch
from lis_online.preference.sketch_features import PairSketches

CPU = torch.device("cpu")
LEAK = Leak(horizon=40, memory=320, folds=3)
ITEMS = 9
SOURCES = 2


def pairs(rng: np.random.Generator, first: int, last: int, count: int) -> tuple[PairBatch, np.ndarray]:
    """Return pairs of times first to last - 1, and their folds, some of them for the past alone or for everybody."""
    n = np.arange(1, count + 1)
    one, other = rng.integers(1, ITEMS + 1, (2, count))
    ts, weight = np.sort(rng.integers(first, last, count)), rng.integers(1, 4, count).astype(np.int32)
    return PairBatch(ts, np.zeros(count, np.int16), one, other, n, n, weight), rng.integers(
        PAST_ONLY, LEAK.folds + 1, count
    )


def lookups(rng: np.random.Generator, first: int, last: int) -> list[Lookup]:
    """Return slates between two times, cut where the past forgets."""
    t = np.sort(rng.integers(first, last, 12))
    edges = [0, *np.searchsorted(t, LEAK.cuts(first, last)).tolist(), len(t)]
    found = []
    for low, high in itertools.pairwise(edges):
        if low == high:
            continue
        sizes = rng.integers(1, 4, high - low)
        items, history = rng.integers(1, ITEMS + 1, sizes.sum()), rng.integers(0, ITEMS + 1, (high - low, 5))
        fold = rng.integers(0, LEAK.folds, high - low)
        found.append(Lookup(mix(items).view(np.int64), mix(history).view(np.int64), sizes, t[low:high], fold))
    return found


def in_use(sketch: Sketch) -> np.ndarray:
    """Return whether each cell holds a count, in any table."""
    seen = sketch.seen.view(len(sketch.past), -1).any(1)
    return (seen | sketch.past.any(1)).numpy()


@settings(max_examples=40)
@given(st.integers(0, 2**32), st.sampled_from([4, 12]))
def test_the_pass_and_the_tensors_agree(seed: int, bits: int) -> None:
    """Features to a float's last bits, cover exactly, and the tables to the last count, at every step of a stream."""
    rng = np.random.default_rng(seed)
    one, other = PairSketches(LEAK, bits, SOURCES, CPU), PairSketches(LEAK, bits, SOURCES, CPU)
    for start in range(0, 800, 100):
        for source in range(SOURCES):
            closed = (*pairs(rng, start, start + 100, 30), *pairs(rng, start, start + 100, 30))
            one.update(source, *closed)
            other.update(source, *closed)
        for at in lookups(rng, start - 60, start + 40):
            for sketches in (one, other):
                for sketch in sketches.sketches().values():
                    sketch.advance(int(at.t[0]))
            a, b = pair_loop.read(one.pairs, one.items, at), pair_tensors.read(other.pairs, other.items, at)
            np.testing.assert_allclose(a.leaked, b.leaked, rtol=1e-5, atol=1e-6)
            np.testing.assert_allclose(a.past, b.past, rtol=1e-5, atol=1e-6)
            np.testing.assert_allclose(a.false_cover, b.false_cover, atol=1e-6)
            assert torch.equal(a.covered, b.covered)
            for sketch, same in zip(one.sketches().values(), other.sketches().values(), strict=True):
                same.advance(int(at.t[-1]))
                for name in ("seen", "past", "total"):
                    assert torch.equal(getattr(sketch, name), getattr(same, name)), name
                marked = np.unpackbits(sketch.tables().used, bitorder="little")[: len(sketch.past)].astype(bool)
                assert not (in_use(sketch) & ~marked).any()


def test_what_is_forgotten_is_no_longer_marked() -> None:
    """Otherwise every cell would be read in the end, as if there were no marks."""
    rng = np.random.default_rng(1)
    sketches = PairSketches(LEAK, 12, SOURCES, CPU)
    sketches.update(0, *pairs(rng, 0, 50, 40), *pairs(rng, 0, 50, 40))
    sketches.pairs.advance(60)
    assert sketches.pairs.tables().used.any()
    sketches.pairs.advance(60 + LEAK.memory + LEAK.horizon)
    assert not sketches.pairs.tables().used.any()
