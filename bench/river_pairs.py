"""The pairs of one source in dictionaries: which partners an item has, and what the known pairs of a slate weigh."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from math import log1p, sqrt

import numpy as np

from bench.pair_dictionary import Counter, PairDictionary
from bench.river_join import Pair
from lis_online.events.batches import PairBatch
from lis_online.events.hashing import fold_of, id_hash, salt_of
from lis_online.join.coengagement import click_hash
from lis_online.preference.buckets import PlaceboBuckets
from lis_online.preference.folds import thinned_half
from lis_online.preference.leak import Leak
from lis_online.preference.lookup import PLACEBO, REAL, SCALE, SETS, SMOOTHING, THINNED
from lis_online.preference.placebo import placebo_pairs
from lis_online.settings import Settings

Known = list[tuple[int, int, int]]
"""Pairs that somebody clicked: the place of the candidate in its slate, its hash, the hash of the history's item."""

Features = dict[int, list[float]]
"""Of the candidates that have any, by their places."""


class Pairs:
    """A source's own pairs, their placebo and a half of them, each in dictionaries.

    Which pairs are the placebo and which the half are hashes of the pairs, the same ones as in the rank shard.
    """

    def __init__(self, settings: Settings, source: str) -> None:
        leakage = settings.leakage
        self.leak = Leak(leakage.horizon, leakage.memory, leakage.folds)
        self.sets = [PairDictionary(self.leak) for _ in range(SETS)]
        folds = tuple(range(leakage.folds))
        self._buckets = PlaceboBuckets(leakage.placebo_grid, leakage.horizon, folds, leakage.placebo_pairs)
        self._salt = salt_of(source)
        self._partners: dict[int, set[int]] = defaultdict(set)

    def update(self, pairs: list[Pair]) -> None:
        """Add pairs, in order of time."""
        if pairs:
            batch = self._hashed(pairs)
            self._buckets.update(batch, fold_of(batch.user, self.leak.folds))

    def _hashed(self, pairs: list[Pair]) -> PairBatch:
        ts, a, b, user = (np.array(column) for column in zip(*(self._row(pair) for pair in pairs), strict=True))
        click = [
            click_hash(u, item, t, self._salt)
            for u, item, t in zip(user.tolist(), b.tolist(), ts.tolist(), strict=True)
        ]
        ones = np.ones(len(ts), np.int32)
        return PairBatch(ts, np.zeros(len(ts), np.int16), a, b, user, np.array(click), ones)

    @staticmethod
    def _row(pair: Pair) -> tuple[int, int, int, int]:
        ts, before, item, user, _ = pair
        return ts, id_hash(before), id_hash(item), id_hash(user)

    def close(self, known_until: int) -> int:
        """Close the placebo's buckets that can; return the time before which all pairs are known, ms.

        known_until: every pair before it has been given.
        """
        for batch, folds in self._buckets.close(known_until):
            order = np.argsort(batch.ts, kind="stable")
            real, folds = batch.take(order), folds[order]
            placebo, placebo_folds = placebo_pairs(real, folds, self._salt)
            half = thinned_half(real)
            self._add(REAL, real, folds)
            self._add(PLACEBO, placebo, placebo_folds)
            self._add(THINNED, real.take(half), folds[half])
        return self._buckets.closed_until

    def _add(self, which: int, batch: PairBatch, folds: np.ndarray) -> None:
        columns = (batch.ts, batch.item_a, batch.item_b, folds)
        events = list(zip(*(column.tolist() for column in columns), strict=True))
        self.sets[which].update(events)
        for _, a, b, _ in events:
            self._partners[a].add(b)
            self._partners[b].add(a)

    def get(self, items: Iterable[str], history: Iterable[str], t: int, fold: int) -> tuple[list[Features], Features]:
        """Return what a slate's candidates have: leaked of each set, and past of the source's own."""
        place = {id_hash(item): k for k, item in enumerate(items)}
        known: Known = []
        for entry in map(id_hash, history):
            mates = self._partners.get(entry)
            if mates is not None and not mates.isdisjoint(place):
                known += [(place[item], item, entry) for item in mates.intersection(place) if item != entry]
        for one in self.sets:
            one.advance(t)
        if not known:
            return [{}, {}, {}], {}
        leaked = [_leaked(one.pairs, one.items, known, fold) for one in self.sets]
        return leaked, _past(self.sets[REAL], known)


def _leaked(pairs: Counter, items: Counter, known: Known, fold: int) -> Features:
    found: Features = {}
    for place, item, entry in known:
        weight = pairs.seen.get(item + entry, 0) - pairs.own.get((item + entry, fold), 0)
        if weight:
            of_item = items.seen.get(item, 0) - items.own.get((item, fold), 0)
            of_entry = items.seen.get(entry, 0) - items.own.get((entry, fold), 0)
            _add(found, place, weight, of_item, of_entry)
    return _logged(found)


def _past(real: PairDictionary, known: Known) -> Features:
    found: Features = {}
    pairs, items = real.pairs.past, real.items.past
    for place, item, entry in known:
        weight = pairs.get(item + entry, 0)
        if weight:
            _add(found, place, weight, items.get(item, 0), items.get(entry, 0))
    return _logged(found)


def _add(found: Features, place: int, weight: int, of_item: int, of_entry: int) -> None:
    share = SCALE * weight / sqrt((of_item + SMOOTHING) * (of_entry + SMOOTHING))
    before = found.get(place)
    if before is None:
        found[place] = [weight, share, share]
    else:
        before[0] += weight
        before[1] += share
        before[2] = max(before[2], share)


def _logged(found: Features) -> Features:
    for features in found.values():
        features[0] = log1p(features[0])
    return found
