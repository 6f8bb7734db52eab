"""Changes of the leak rule by one event, through the sketch: none passes the brute force over all pairs."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from lis_online.preference.leak import PAST_ONLY, Leak
from lis_online.preference.sketch import Sketch
from tests.preference.test_sketch import CPU, FOLDS, KEYS, Events

SHAPE = (50, 320, FOLDS)
"""Horizon and memory in ms, folds: the past forgets every 10 ms."""

CHANGES: dict[str, dict[str, Callable[..., Any]]] = {
    "the future ends before t + H": {"future_end": lambda leak, t: t + leak.horizon},
    "the future ends after t + H": {"future_end": lambda leak, t: t + leak.horizon + 2},
    "the future comes a millisecond late": {"comes": lambda leak, ts: ts - leak.horizon + 1},
    "the future comes a millisecond early": {"comes": lambda leak, ts: ts - leak.horizon - 1},
    "the past includes t: own click included": {"past_end": lambda leak, t: t + 1},
    "the past passes at t: own click included": {"passes": lambda leak, ts: ts},
    "the past passes a millisecond late": {"passes": lambda leak, ts: ts + 2},
    "the past ends a millisecond early": {"past_end": lambda leak, t: t - 1},
    "the past forgets a step early": {"past_start": lambda leak, t: Leak.past_start(leak, t) + leak.ageing},
    "the past forgets a step late": {"past_start": lambda leak, t: Leak.past_start(leak, t) - leak.ageing},
    "own fold included": {"is_withheld": lambda leak, fold: fold != fold},
    "one fold included: own click included": {
        "is_withheld": lambda leak, fold: (fold != PAST_ONLY) & (fold < leak.folds) & (fold != 2)
    },
    "everyone's pairs withheld": {"is_withheld": lambda leak, fold: (fold != PAST_ONLY) & (fold <= leak.folds)},
    "pairs without a user leak": {"leaks": lambda leak, fold: fold == fold},
}


def by_brute_force(events: Events, t: np.ndarray, slot: np.ndarray, reader: np.ndarray) -> np.ndarray:
    """Return past and leaked of each look-up [2, look-ups], by asking every event."""
    horizon, memory, _ = SHAPE
    t, slot, reader = t[:, None], slot[:, None], reader[:, None]
    oldest = (t - memory) // (memory // 32) * (memory // 32)
    past = (oldest <= events.ts) & (events.ts < t)
    future = (t <= events.ts) & (events.ts <= t + horizon) & (events.fold != reader) & (events.fold != PAST_ONLY)
    weights = events.weight * (events.slot == slot)
    return np.stack([(weights * past).sum(1), (weights * (past | future)).sum(1)])


def agrees(leak: Leak, seed: int) -> bool:
    """Return whether a sketch that works by this rule gives, at every millisecond, what the brute force gives."""
    rng = np.random.default_rng(seed)
    events, sketch, cuts = Events(rng, 400, 800), Sketch(leak, 8, CPU), Leak(*SHAPE).cuts(-1, 1_100)
    events.give(sketch, 0, 400)
    for low, high in itertools.pairwise([0, *cuts]):
        t = np.repeat(np.arange(low, high), KEYS)
        slot, reader = np.tile(np.arange(KEYS), high - low), rng.integers(0, FOLDS, len(t))
        sketch.advance(low)
        at = [torch.from_numpy(column) for column in (slot, t, reader)]
        found = torch.stack([sketch.preceding(*at[:2]), sketch.leaked(*at)])[..., 0].numpy()
        if not np.array_equal(found, by_brute_force(events, t, slot, reader)):
            return False
    return True


def test_the_rule_itself_agrees() -> None:
    """The control of the tests below: unchanged, the sketch gives what the brute force gives."""
    assert agrees(Leak(*SHAPE), seed=0)


@pytest.mark.parametrize("name", CHANGES)
def test_a_rule_changed_by_one_event_is_caught(name: str) -> None:
    """`<=` for `<`, a fold included, one's own click included: each is another number somewhere."""
    changed = type("Changed", (Leak,), {"__slots__": (), **CHANGES[name]})
    assert not agrees(changed(*SHAPE), seed=0)
