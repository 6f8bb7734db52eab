"""The sketch on streams of pairs against a dictionary: exact where no two pairs share a slot, and never below it."""

from __future__ import annotations

from collections import Counter

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from lis_online.events.hashing import mix
from lis_online.preference.leak import PAST_ONLY, Leak
from lis_online.preference.sketch import Sketch, pair_slot

CPU = torch.device("cpu")
LEAK = Leak(horizon=30, memory=64, folds=3)
ITEMS = 12
END = 200

ITEM = st.integers(1, ITEMS)
EVENT = st.tuples(st.integers(0, END), ITEM, ITEM, st.integers(PAST_ONLY, LEAK.folds), st.integers(1, 3))
"""Time, two items, fold, weight."""

Events = list[tuple[int, ...]]
Weights = Counter[tuple[int, int]]


def slots(first: np.ndarray, second: np.ndarray, bits: int) -> np.ndarray:
    """Return the hashes of pairs of items."""
    a, b = (torch.from_numpy(mix(np.asarray(side)).view(np.int64)) for side in (first, second))
    return pair_slot(a, b, bits).numpy()


def give(sketch: Sketch, events: Events) -> None:
    """Feed pair events in the order given."""
    ts, a, b, fold, weight = np.array(events, np.int64).reshape(-1, 5).T
    sketch.update(*(torch.from_numpy(c.copy()) for c in (ts, slots(a, b, sketch.bits), fold, weight)))


def counted(events: Events, t: int, reader: int) -> tuple[Weights, Weights]:
    """Return the past and the leaked weight of every unordered pair, in dictionaries."""
    past: Weights = Counter()
    leaked: Weights = Counter()
    for ts, a, b, fold, weight in events:
        pair = (min(a, b), max(a, b))
        if (t - LEAK.memory) // LEAK.ageing * LEAK.ageing <= ts < t:
            past[pair] += weight
            leaked[pair] += weight
        elif t <= ts <= t + LEAK.horizon and fold not in (reader, PAST_ONLY):
            leaked[pair] += weight
    return past, leaked


ALL_PAIRS = [(a, b) for a in range(1, ITEMS + 1) for b in range(a, ITEMS + 1)]
FIRST, SECOND = np.array(ALL_PAIRS).T


@settings(max_examples=60)
@given(st.lists(EVENT, max_size=60), st.integers(0, END + 80), st.randoms(use_true_random=False), st.integers(0, 3))
def test_a_wide_table_is_a_dictionary(events: Events, t: int, random: object, parts: int) -> None:
    """No two of these pairs share a slot: every weight is exact, in whatever order and parts the pairs came."""
    of = slots(FIRST, SECOND, 20)
    assert len(set(of.tolist())) == len(ALL_PAIRS)
    random.shuffle(events)  # type: ignore[attr-defined]
    sketch, cut = Sketch(LEAK, 20, CPU), len(events) * parts // 3
    give(sketch, events[:cut])
    give(sketch, events[cut:])
    sketch.advance(t)
    at = torch.from_numpy(of), torch.full((len(of),), t)
    for reader in range(LEAK.folds):
        past, leaked = counted(events, t, reader)
        assert sketch.preceding(*at)[:, 0].tolist() == [past[pair] for pair in ALL_PAIRS]
        found = sketch.leaked(*at, torch.full((len(of),), reader))[:, 0]
        assert found.tolist() == [leaked[pair] for pair in ALL_PAIRS]


@settings(max_examples=60)
@given(st.lists(EVENT, max_size=60), st.integers(0, END + 80), st.integers(0, LEAK.folds - 1))
def test_a_narrow_table_adds_up_what_shares_a_slot(events: Events, t: int, reader: int) -> None:
    """A collision is a sum, so a weight is never too small, and all of a slot's pairs read the same."""
    of = slots(FIRST, SECOND, 4)
    sketch = Sketch(LEAK, 4, CPU)
    give(sketch, events)
    sketch.advance(t)
    _, leaked = counted(events, t, reader)
    by_slot: Counter[int] = Counter()
    for slot, pair in zip(of.tolist(), ALL_PAIRS, strict=True):
        by_slot[slot] += leaked[pair]
    at = torch.from_numpy(of), torch.full((len(of),), t), torch.full((len(of),), reader)
    found = sketch.leaked(*at)[:, 0].tolist()
    assert found == [by_slot[slot] for slot in of.tolist()]
    assert all(weight >= leaked[pair] for weight, pair in zip(found, ALL_PAIRS, strict=True))


@settings(max_examples=30)
@given(st.lists(EVENT, max_size=60), st.integers(0, END), st.lists(st.integers(1, 40), max_size=8))
def test_the_way_there_leaves_no_trace(events: Events, start: int, steps: list[int]) -> None:
    """Tables moved step by step, compacted on the way or not, are those moved at once: whole numbers lose nothing."""
    direct, slow = Sketch(LEAK, 20, CPU), Sketch(LEAK, 20, CPU)
    for sketch in (direct, slow):
        give(sketch, events)
    t = start
    for k, step in enumerate(steps):
        slow.advance(t)
        if k % 2:
            slow.compact()
        t += step
    slow.advance(t)
    direct.advance(t)
    for name in ("seen", "past", "total"):
        assert torch.equal(getattr(direct, name), getattr(slow, name)), name


@given(st.lists(EVENT, max_size=40), st.lists(EVENT, max_size=40), st.integers(0, END))
def test_tables_of_two_parts_add_up_to_the_whole(one: Events, two: Events, t: int) -> None:
    """Counts are linear, so shards merge by addition."""
    parts = [one, two, one + two]
    first, second, whole = (Sketch(LEAK, 6, CPU) for _ in parts)
    for sketch, events in zip((first, second, whole), parts, strict=True):
        give(sketch, events)
        sketch.advance(t)
    for name in ("seen", "past", "total"):
        assert torch.equal(getattr(first, name) + getattr(second, name), getattr(whole, name)), name


def test_occupancy_is_the_share_of_slots_in_use() -> None:
    """How likely an unknown pair looks known: counted over the table, per row and lane with a past."""
    sketch = Sketch(LEAK, 6, CPU, rows=2, lanes=3, past_lanes=2)
    one = torch.ones(1, dtype=torch.int64)
    for row, hashed, lane in ((0, 3, 0), (0, 9, 0), (0, 9, 0), (0, 9, 2), (1, 0, 0), (1, 63, 1)):
        cell = (row << sketch.bits) + hashed
        sketch.update(one * 5, one * (cell * sketch.lanes + lane), one, one)
    sketch.advance(0)
    assert sketch.occupancy().tolist() == [[2 / 64, 0], [1 / 64, 1 / 64]]
