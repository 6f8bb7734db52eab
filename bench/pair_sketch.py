"""Pairs put into the sketches and looked up, against Python's dictionaries; and the share of the memory's bandwidth."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch

from bench.measured import Measured
from bench.pair_dictionary import Event, PairDictionary
from bench.side_by_side import ROUNDS, best_of
from bench.standard import settings
from lis_online.events.batches import PairBatch
from lis_online.events.hashing import mix
from lis_online.preference.folds import thinned_half
from lis_online.preference.leak import Leak
from lis_online.preference.lookup import PLACEBO, REAL, ROWS, SETS, THINNED, Lookup
from lis_online.preference.pair_tensors import pair_cells
from lis_online.preference.sketch_features import PairSketches

MINUTE = 60_000
LEAK = Leak(horizon=5 * MINUTE, memory=32 * MINUTE, folds=8)
"""The standard load's, with a memory whose ageing steps are minutes."""
SLATES = 2_000
"""A minute; and as many pairs: one click in five slates, each with five partners."""
SLATE = HISTORY = 20
STEP = 25
ITEMS = 20_000
SKEW = 1.1
"""Of the items' popularity (Zipf)."""
ALIKE = 0.95
"""Share of features that must be the same: two pairs in a hundred thousand cells of two rows collide now and then."""
LINE = 64
"""Bytes that one random access moves: a cache line."""
COPIED = 1 << 28
"""Bytes of the copy that measures the bandwidth: far beyond any cache."""


@dataclass(slots=True)
class Minute:
    """What a minute brings: pairs that come within the horizon, and slates to look up.

    real, placebo: pairs; folds; lookups: in steps; slates: the same in Python's own numbers.
    """

    real: PairBatch
    placebo: PairBatch
    folds: np.ndarray
    lookups: list[Lookup]
    slates: list[list[tuple[list[int], list[int], int, int]]]


def minute(random: np.random.Generator, start: int, first: int) -> Minute:
    """Return a minute's slates from `start` on, and the pairs of `first` to a minute after `start` + the horizon."""
    last = start + MINUTE + LEAK.horizon
    count = SLATES * (last - first) // MINUTE
    ts, user = np.sort(random.integers(first, last, count)), random.integers(1, 1 << 62, count)
    a, b = items(random, count), items(random, count)
    columns = np.zeros(count, np.int16), a, b + (a == b), user, user, np.ones(count, np.int32)
    real, placebo = PairBatch(ts, *columns), PairBatch(ts, columns[0], a, random.permutation(b), *columns[3:])
    at = np.sort(random.integers(start, start + MINUTE, SLATES))
    candidates = mix(items(random, SLATES * SLATE)).view(np.int64).reshape(SLATES, SLATE)
    history = mix(items(random, SLATES * HISTORY)).view(np.int64).reshape(SLATES, HISTORY)
    fold = random.integers(0, LEAK.folds, SLATES)
    steps = [slice(k, k + STEP) for k in range(0, SLATES, STEP)]
    sizes = np.full(STEP, SLATE)
    lookups = [Lookup(candidates[s].reshape(-1), history[s], sizes, at[s], fold[s]) for s in steps]
    plain = list(zip(candidates.tolist(), history.tolist(), at.tolist(), fold.tolist(), strict=True))
    return Minute(real, placebo, random.integers(0, LEAK.folds, count), lookups, [plain[s] for s in steps])


def items(random: np.random.Generator, count: int) -> np.ndarray:
    """Return items by popularity: int64, 1 to ITEMS."""
    weight = np.arange(1, ITEMS + 1) ** -SKEW
    return random.choice(ITEMS, count, p=weight / weight.sum()).astype(np.int64) + 1


class Side:
    """One side: seconds that updates and look-ups took, each the least of the rounds."""

    def __init__(
        self, update: Callable[[Minute], object], get: Callable[[Minute], object], coming: list[Minute]
    ) -> None:
        self._update, self._get, self._coming = update, get, iter(coming)
        self.update = self.get = float("inf")

    def run(self) -> None:
        """Put a minute's pairs in and look its slates up."""
        one = next(self._coming)
        began = time.process_time()
        self._update(one)
        put = time.process_time()
        self._get(one)
        self.update = min(self.update, put - began)
        self.get = min(self.get, time.process_time() - put)


class Sketches:
    """Ours."""

    def __init__(self) -> None:
        self.sketches = PairSketches(LEAK, settings().leakage.sketch_bits, 1, torch.device("cpu"))

    def update(self, one: Minute) -> None:
        """Put a minute's pairs in."""
        self.sketches.update(0, one.real, one.folds, one.placebo, one.folds)

    def get(self, one: Minute) -> list[np.ndarray]:
        """Look a minute's slates up: the leaked features of the real pairs, step by step."""
        return [self.sketches.get(at).leaked[REAL, 0].numpy() for at in one.lookups]

    def in_use(self, one: Minute) -> float:
        """Return the share of a minute's pairs whose cells hold something, of any set."""
        pairs, found = self.sketches.pairs, []
        used = np.unpackbits(pairs.tables().used, bitorder="little")
        for at in one.lookups:
            item, history = torch.from_numpy(at.item), torch.from_numpy(np.repeat(at.history, at.n_items, axis=0))
            found.append(used[pair_cells(item[:, None], history, pairs.bits).numpy()].all(axis=0).mean())
        return float(np.mean(found))


class Dictionaries:
    """Python's: a dictionary for each of the three sets."""

    def __init__(self) -> None:
        self.sets = [PairDictionary(LEAK) for _ in range(SETS)]

    def update(self, one: Minute) -> None:
        """Put a minute's pairs in. Their numbers are Python's own already, in its favour."""
        for which, events in prepared[id(one)]:
            self.sets[which].update(events)

    def get(self, one: Minute) -> list[list[tuple[float, float, float]]]:
        """Look a minute's slates up: the leaked features of the real pairs, step by step."""
        real, found = self.sets[REAL], []
        for step in one.slates:
            features = []
            for candidates, history, t, fold in step:
                leaked = []
                for one_set in self.sets:
                    one_set.advance(t)
                    leaked.append(one_set.leaked(candidates, history, fold))
                real.preceding(candidates, history)
                features += leaked[REAL]
            found.append(features)
        return found


prepared: dict[int, list[tuple[int, list[Event]]]] = {}
"""The pairs of a minute in Python's own numbers, by set."""


def prepare(one: Minute) -> None:
    """Write a minute's pairs down as the dictionaries take them."""
    half = thinned_half(one.real)
    sets = (
        (REAL, one.real, one.folds),
        (PLACEBO, one.placebo, one.folds),
        (THINNED, one.real.take(half), one.folds[half]),
    )
    prepared[id(one)] = [(which, events(pairs, folds)) for which, pairs, folds in sets]


def events(pairs: PairBatch, folds: np.ndarray) -> list[Event]:
    """Return pairs in Python's own numbers."""
    a, b = (mix(column).view(np.int64).tolist() for column in (pairs.item_a, pairs.item_b))
    return list(zip(pairs.ts.tolist(), a, b, folds.tolist(), strict=True))


def run(scale: float = 1.0) -> list[Measured]:
    """Measure both on one stream, after a memory's worth of pairs."""
    del scale  # the memory must be full, and the rest takes seconds
    random, begin = np.random.default_rng(0), 100 * LEAK.memory
    minutes = [
        minute(random, begin + k * MINUTE, begin - LEAK.memory if k == 0 else begin + k * MINUTE + LEAK.horizon)
        for k in range(ROUNDS + 1)
    ]
    for one in minutes:
        prepare(one)
    sketches, dictionaries = Sketches(), Dictionaries()
    sketches.update(minutes[0])
    dictionaries.update(minutes[0])
    found, exact = np.concatenate(sketches.get(minutes[0])), np.concatenate(dictionaries.get(minutes[0]))
    same = float(np.isclose(found, exact, rtol=1e-4, atol=1e-4).all(axis=1).mean())
    if same < ALIKE:
        raise ValueError(f"sketches and dictionaries must give the same features, got {same:.0%} alike")
    ours = Side(sketches.update, sketches.get, minutes[1:])
    theirs = Side(dictionaries.update, dictionaries.get, minutes[1:])
    best_of(ours.run, theirs.run)
    return rows(ours, theirs, same, sketches.in_use(minutes[-1]))


def rows(ours: Side, theirs: Side, same: float, in_use: float) -> list[Measured]:
    """Return the two rows. in_use: share of the pairs whose cells hold something."""
    pairs = SLATES * SLATE * HISTORY
    ratio = (theirs.update + theirs.get) / (ours.update + ours.get)
    detail = (
        f"{SLATES:,} pairs in and {pairs:,} looked up in four ways (leaked, placebo, thinned, past), with features: "
        f"{pairs / ours.get / 1e6:.1f} million/s looked up and {SLATES / ours.update:,.0f}/s put in, against "
        f"{pairs / theirs.get / 1e6:.2f} million/s looked up, and moved then; {same:.1%} of the features are the same, "
        "the others have a collision"
    )
    lines = pairs * in_use * 2 * ROWS + SLATES * (SLATE + HISTORY) * 2
    reached, most = lines * LINE / ours.get, bandwidth()
    share = (
        f"{lines * LINE / pairs:.0f} bytes a pair: a cache line for each of {2 * ROWS} cells of the {in_use:.0%} "
        "that are in use, and for its items'; whether a cell is in use is asked in the processor's cache. "
        f"{reached / 1e9:.2f} GB/s against {most / 1e9:.1f} GB/s of a copy"
    )
    return [
        Measured("pair sketch, update and look-up, against dictionaries", ratio, 10.0, "higher", detail),
        Measured("pair sketch, share of the memory's bandwidth", reached / most, None, "higher", share),
    ]


def bandwidth() -> float:
    """Return the bytes read and written by a copy in a second."""
    source, target = np.ones(COPIED, np.uint8), np.empty(COPIED, np.uint8)
    (seconds,) = best_of(lambda: np.copyto(target, source), rounds=6)
    return 2 * COPIED / seconds
