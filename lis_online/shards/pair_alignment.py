"""Pair alignment in the rank shard: closed placebo buckets become counts of what cosines make of fresh pairs."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from lis_online.events.batches import PairBatch, VectorBatch
from lis_online.metrics.alignment import Key, Shape, Tallies, decode, encode, merge, tally
from lis_online.representation.centroid import Centroid
from lis_online.representation.newest import NewestVectors
from lis_online.settings import Settings
from lis_online.shards.vector_slots import VectorSlots
from lis_online.snapshots.steps import Steps

LEFT_OUT: Final = -1


class PairAlignments:
    """The counts that were not taken yet, and each version's vectors as of the pairs' own times.

    Versions hold slots by the same rule as for the rankers, but H earlier: decided whenever a bucket of pairs closes,
    so a version is judged from its first vector on.
    """

    def __init__(self, settings: Settings) -> None:
        self._bucket = settings.metrics.bucket
        self._names = [variant.name for variant in settings.variant]
        sources = [source.name for source in settings.preference]
        self._source = [sources.index(variant.preference) for variant in settings.variant]
        self._slots = VectorSlots(settings, lambda variant: NewestVectors(variant.dimension))
        self._reached = [-1 for _ in settings.variant]
        self._tallies: dict[int, Tallies] = {}
        self._dimensions = [variant.dimension for variant in settings.variant]
        self._centroids: dict[Key, Centroid] = {}

    def update_vectors(self, variant: int, batch: VectorBatch, names: list[str]) -> None:
        """Take vectors of a variant. names: of the versions among them."""
        self._slots.update(variant, batch, names)

    def update_pairs(self, source: int, pairs: PairBatch, other: np.ndarray, compared: np.ndarray) -> None:
        """Judge the pairs of a bucket that closed. other: b' of each; compared: bool, whether it has one."""
        if not len(pairs):
            return
        end = int(pairs.ts.max())
        for variant, of in enumerate(self._source):
            if of == source:
                self._judge(variant, max(end, self._reached[variant]), pairs, other, compared)

    def _judge(self, variant: int, end: int, pairs: PairBatch, other: np.ndarray, compared: np.ndarray) -> None:
        versions = self._slots.variants[variant]
        versions.decide(end, end + 1)
        self._reached[variant] = end
        buckets = pairs.ts // self._bucket * self._bucket
        for place in versions.in_use:
            held, store = versions.assignment.slots[place], versions.stores[place]
            if not versions.name(place):
                continue
            key = (self._names[variant], versions.name(place))
            centroid = self._centroids.setdefault(key, Centroid(self._dimensions[variant]))
            there = pairs.ts >= held.since
            judged, shape = judge(store, pairs, other, centroid)
            outcome = np.where(compared, judged, LEFT_OUT)
            for bucket in np.unique(buckets[there]).tolist():
                rows = there & (buckets == bucket)
                merge(
                    self._tallies.setdefault(bucket, {}),
                    {key: tally(pairs.take(rows), outcome[rows], shape.take(rows))},
                )
            store.advance(end)
        held_now = {(self._names[variant], versions.name(place)) for place in versions.in_use}
        for key in [key for key in self._centroids if key[0] == self._names[variant] and key not in held_now]:
            del self._centroids[key]

    def take(self, until: int) -> list[tuple[int, bytes]]:
        """Return and forget the buckets that end by `until`, ms: (start, `metrics.alignment.encode`), oldest first.

        All pairs before `until` must have been judged: what a bucket holds then depends on no batching.
        """
        due = sorted(start for start in self._tallies if start + self._bucket <= until)
        return [(start, encode(self._tallies.pop(start))) for start in due]

    def begin_snapshot(self) -> Steps[tuple[dict[str, Any], dict[str, np.ndarray]]]:
        """Take hold of the state; return the copying of it: msgpack-able data and arrays."""
        tallies = [[start, encode(one)] for start, one in sorted(self._tallies.items())]
        centroids = [[*key, one.snapshot()] for key, one in sorted(self._centroids.items())]
        meta = {"reached": list(self._reached), "tallies": tallies, "centroids": centroids}
        return _copying(meta, self._slots.begin_snapshot())

    def restore(self, meta: dict[str, Any], arrays: dict[str, np.ndarray]) -> None:
        """Replace the state with that of `snapshot`."""
        self._slots.restore(meta["slots"], arrays)
        self._reached = list(meta["reached"])
        self._tallies = {start: decode(data) for start, data in meta["tallies"]}
        self._centroids = {}
        for variant, version, state in meta["centroids"]:
            self._centroids[variant, version] = Centroid(0)
            self._centroids[variant, version].restore(state)


def _copying(
    meta: dict[str, Any], slots: Steps[tuple[list[Any], dict[str, np.ndarray]]]
) -> Steps[tuple[dict[str, Any], dict[str, np.ndarray]]]:
    state, arrays = yield from slots
    return {**meta, "slots": state}, arrays


def judge(vectors: NewestVectors, pairs: PairBatch, other: np.ndarray, centroid: Centroid) -> tuple[np.ndarray, Shape]:
    """Return 2 where cos(a, b) > cos(a, b'), 1 where they are equal, 0 where it is less, LEFT_OUT where one is missing.

    And what the vectors of a and b are like; the centroid then has them too. Vectors are those of the pair's own time.
    b' = b is a tie; a itself is no b' to compare with.
    """
    n, t = len(pairs), np.tile(pairs.ts, 3)
    found, lengths, known = vectors.get(np.concatenate([pairs.item_a, pairs.item_b, other]), t)
    a, b, c = found.reshape(3, n, -1)
    mine, others = np.einsum("nd,nd->n", a, b), np.einsum("nd,nd->n", a, c)
    outcome = 1 + np.sign(mine - others).astype(np.int64)
    usable = known.reshape(3, n).all(axis=0) & (other != pairs.item_a)
    return np.where(usable, outcome, LEFT_OUT), _shape(found[: 2 * n], lengths[: 2 * n], known[: 2 * n], centroid)


def _shape(found: np.ndarray, lengths: np.ndarray, known: np.ndarray, centroid: Centroid) -> Shape:
    """Return what vectors are like, those of all a before those of all b; one of length 0 has no direction."""
    placed = known & (lengths > 0)
    distances = np.where(placed, centroid.distances(found), np.nan)
    centroid.update(found[placed])
    long = np.where(known, lengths.astype(np.float64), np.nan)
    return Shape(long.reshape(2, -1).T, distances.reshape(2, -1).T)
