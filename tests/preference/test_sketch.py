"""The sketch against a brute force over all pair events."""

import itertools

import numpy as np
import pytest
import torch

from lis_online.preference.leak import PAST_ONLY, Leak
from lis_online.preference.sketch import Sketch, item_slot, pair_slot
from lis_online.snapshots.steps import at_once

CPU = torch.device("cpu")
KEYS = 12
LANES = 3
FOLDS = 4


class Events:
    """Random pair events and the brute-force answer about them."""

    def __init__(self, rng: np.random.Generator, count: int, span: int) -> None:
        self.ts = np.sort(rng.integers(0, span, count))
        self.slot = rng.integers(0, KEYS, count)
        self.fold = rng.integers(PAST_ONLY, FOLDS + 1, count)
        self.weight = rng.integers(1, 4, count)

    def give(self, sketch: Sketch, first: int, last: int) -> None:
        """Feed events first to last - 1."""
        columns = (self.ts, self.slot, self.fold, self.weight)
        sketch.update(*(torch.from_numpy(c[first:last].astype(np.int64)) for c in columns))

    def answer(self, leak: Leak, slot: int, t: int, fold: int) -> tuple[int, int]:
        """Return (past, leaked) by going through every event."""
        forgotten = (t - leak.memory) // leak.ageing * leak.ageing
        past = leaked = 0
        for ts, s, f, w in zip(self.ts, self.slot, self.fold, self.weight, strict=True):
            if s != slot:
                continue
            if forgotten <= ts < t:
                past += w
            elif t <= ts <= t + leak.horizon and f not in (fold, PAST_ONLY):
                leaked += w
        return past, past + leaked


@pytest.mark.parametrize("seed", range(8))
def test_every_count_equals_a_brute_force_over_all_pairs(seed: int) -> None:
    """[t - P, t) for the past, plus [t, t + H] without the user's own fold for the leak; to the millisecond."""
    rng = np.random.default_rng(seed)
    leak = Leak(horizon=50, memory=int(rng.choice([64, 192, 640])), folds=FOLDS)
    events = Events(rng, 300, 1_500)
    sketch = Sketch(leak, 8, CPU, lanes=LANES, past_lanes=LANES)
    given = now = 0
    while now < 1_800:
        until = now + int(rng.integers(1, 150))
        reach = max(given, int(np.searchsorted(events.ts, until + leak.horizon, side="right")))
        events.give(sketch, given, reach)
        given = reach
        asked = np.sort(rng.integers(now, until, 12))
        edges = [now, *leak.cuts(now, until - 1), until]
        for low, high in itertools.pairwise(edges):
            t = asked[(asked >= low) & (asked < high)]
            if not len(t):
                continue
            slots, folds = rng.integers(0, KEYS, (len(t), 5)), rng.integers(0, FOLDS, len(t))
            sketch.advance(int(t[0]))
            at = torch.from_numpy(t)[:, None]
            cells, lanes = torch.from_numpy(slots // LANES), torch.from_numpy(slots % LANES)[..., None]
            leaked = sketch.leaked(cells, at, torch.from_numpy(folds)[:, None]).gather(2, lanes).squeeze(2)
            past = sketch.preceding(cells, at).gather(2, lanes).squeeze(2)
            for i, j in np.ndindex(slots.shape):
                expected = events.answer(leak, slots[i, j], t[i], folds[i])
                assert (int(past[i, j]), int(leaked[i, j])) == expected
        if rng.random() < 0.3:
            sketch.compact()
        now = until


@pytest.mark.parametrize("offset", [0, 1])
def test_the_edges_of_past_and_future_are_exact(offset: int) -> None:
    """A pair at t is future, at t - 1 past; at t + H leaked, at t + H + 1 not: one event decides each."""
    leak = Leak(horizon=100, memory=6_400, folds=2)
    sketch = Sketch(leak, 8, CPU)
    one = torch.ones(1, dtype=torch.int64)
    t = 10_000
    for key, ts in enumerate([t - 1 + offset, t + leak.horizon + offset]):
        sketch.update(one * ts, one * key, one * 0, one)
    sketch.advance(t)
    at = torch.tensor([t])
    other, own = torch.tensor([1]), torch.tensor([0])
    assert sketch.preceding(torch.tensor([0]), at).item() == 1 - offset
    assert sketch.leaked(torch.tensor([0]), at, own).item() == 1 - offset
    assert sketch.leaked(torch.tensor([0]), at, other).item() == 1
    assert sketch.leaked(torch.tensor([1]), at, other).item() == 1 - offset


def test_a_restored_sketch_answers_as_the_one_it_was_taken_from() -> None:
    """Snapshot and restore change nothing, now or later."""
    rng = np.random.default_rng(3)
    leak = Leak(horizon=50, memory=640, folds=FOLDS)
    events = Events(rng, 400, 2_000)
    first, second = Sketch(leak, 8, CPU), Sketch(leak, 8, CPU)
    events.give(first, 0, 200)
    first.advance(int(events.ts[150]))
    second.restore(*first.snapshot())
    for sketch in (first, second):
        events.give(sketch, 200, 400)
        sketch.advance(1_700)
    slots, t = torch.arange(KEYS), torch.full((KEYS,), 1_700)
    fold = torch.arange(KEYS) % FOLDS
    assert torch.equal(first.leaked(slots, t, fold), second.leaked(slots, t, fold))
    assert torch.equal(first.preceding(slots, t), second.preceding(slots, t))
    assert first.occupancy().tolist() == second.occupancy().tolist()


@pytest.mark.parametrize("step", [1, 3, 300])
def test_a_copy_in_steps_is_of_its_beginning(step: int) -> None:
    """Whatever is added, passes and is forgotten meanwhile; what had passed is not in it."""
    leak = Leak(horizon=50, memory=640, folds=FOLDS)
    events = Events(np.random.default_rng(5), 400, 2_000)
    sketch = Sketch(leak, 8, CPU)
    events.give(sketch, 0, 200)
    sketch.advance(int(events.ts[150]))
    meta, expected = sketch.snapshot()
    copying = sketch.begin_snapshot()
    events.give(sketch, 200, 400)
    for t in range(sketch.time, sketch.time + 30 * step, step):
        sketch.advance(t)
    copied_meta, copied = at_once(copying)
    assert copied_meta == meta and list(copied) == list(expected)
    assert all(np.array_equal(array, copied[name]) for name, array in expected.items())
    assert int(expected["events"][0].min()) >= leak.past_end(int(events.ts[150]))


def test_a_sketch_in_use_is_restored_as_an_empty_one_is() -> None:
    """Nothing of what it held is left."""
    rng = np.random.default_rng(4)
    leak = Leak(horizon=50, memory=640, folds=FOLDS)
    first, fresh, used = (Sketch(leak, 8, CPU) for _ in range(3))
    Events(rng, 300, 2_000).give(first, 0, 300)
    Events(rng, 300, 2_000).give(used, 0, 300)
    for sketch in (first, used):
        sketch.advance(1_000)
    for sketch in (fresh, used):
        sketch.restore(*first.snapshot())
    assert first.seen.any()
    for table in ("seen", "past", "total"):
        assert torch.equal(getattr(used, table), getattr(first, table))
        assert torch.equal(getattr(fresh, table), getattr(first, table))


def test_the_tables_are_empty_once_everything_is_forgotten() -> None:
    """What enters leaves exactly: integer tables cannot drift."""
    rng = np.random.default_rng(5)
    leak = Leak(horizon=50, memory=640, folds=FOLDS)
    sketch = Sketch(leak, 8, CPU)
    Events(rng, 500, 1_000).give(sketch, 0, 0)
    Events(rng, 500, 1_000).give(sketch, 0, 500)
    for t in range(0, 2_000, 37):
        sketch.advance(t)
    assert not sketch.total.any()
    assert not sketch.past.any()
    assert not sketch.seen.any()


def test_a_pair_has_one_slot_in_either_order_and_slots_are_spread() -> None:
    """The key is the unordered pair; a table of 2**12 slots gets its share of 4,096 random pairs."""
    a, b = torch.randint(-(2**62), 2**62, (2, 4_096), generator=torch.Generator().manual_seed(1))
    slots = pair_slot(a, b, 12)
    assert torch.equal(slots, pair_slot(b, a, 12))
    assert int(slots.min()) >= 0
    assert int(slots.max()) < 1 << 12
    expected = (1 - np.exp(-1)) * 4_096  # of as many balls in as many bins
    assert abs(len(torch.unique(slots)) - expected) < 5 * 26  # five standard deviations
    assert abs(len(torch.unique(item_slot(a, 12))) - expected) < 5 * 26
