"""A rank shard's snapshot under other settings: every state goes on under its name, in its new place.

What has left the settings is left out; what is new is as it is in a shard that has just begun. Nobody else's state
changes by a bit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from lis_online.events.batches import PairBatch, SlateBatch
from lis_online.events.names import GONE, Names, Renumbering, places
from lis_online.metrics import alignment
from lis_online.metrics.layout import Layout
from lis_online.metrics.relaid import relaid
from lis_online.preference.lookup import SETS
from lis_online.rankers.group import KINDS
from lis_online.rankers.health import PER_PLACE
from lis_online.rankers.network import ranker_dimension
from lis_online.snapshots.contract import Snapshot
from lis_online.snapshots.nested import nest, unnest

Arrays = dict[str, np.ndarray]


@dataclass(frozen=True, slots=True)
class Renaming:
    """From the names that a snapshot was made under to those of the shard that restores it.

    old, new: the names; rankers, slots: the old layout's names of them; layout: the new one.
    """

    old: Names
    new: Names
    rankers: Sequence[str]
    slots: Sequence[str]
    layout: Layout

    @property
    def is_same(self) -> bool:
        """Whether nothing has moved."""
        moved = (list(self.layout.rankers), list(self.layout.variants)) != (list(self.rankers), list(self.slots))
        return self.old == self.new and not moved

    def snapshot(self, old: Snapshot, fresh: Snapshot) -> Snapshot:
        """Return a snapshot in the new places. fresh: of a shard that has just begun with the new names."""
        numbers = Renumbering(self.old, self.new)
        line = dict(old.meta["line"])
        line |= {name: _slates(line[name], numbers) for name in ("waiting", "line")}
        pairs, pair_arrays = self._pairs(old, fresh)
        vectors, vector_arrays = _by_variant(
            self._of("vectors", old), self._of("vectors", fresh), places(self.new.variants, self.old.variants)
        )
        meta = {
            **old.meta,
            "line": line,
            "batch": _slates(old.meta["batch"], numbers),
            "bucket": self._bucket(old.meta["bucket"]),
            "pairs": pairs,
            "vectors": vectors,
            "restarted": {n: at for n, at in old.meta["restarted"].items() if n in self.layout.rankers},
            "sources": {n: at for n, at in old.meta["sources"].items() if n in self.new.sources},
        }
        kept = {n: a for n, a in old.arrays.items() if n.partition("/")[0] not in ("pairs", "vectors", "rankers")}
        arrays = kept | nest("rankers", self._rankers(old, fresh))
        return Snapshot(meta, arrays | nest("pairs", pair_arrays) | nest("vectors", vector_arrays))

    @staticmethod
    def _of(part: str, snapshot: Snapshot) -> tuple[Any, Arrays]:
        return snapshot.meta[part], unnest(part, snapshot.arrays)

    def _bucket(self, meta: dict[str, Any]) -> dict[str, Any]:
        held = [self.slots[slot] for slot in meta["slots"]]
        kept = [slot for slot, name in enumerate(self.layout.variants) if name in held]
        data = meta["statistics"]
        return {**meta, "slots": kept, "statistics": data and relaid(self.layout, data)}

    def _rankers(self, old: Snapshot, fresh: Snapshot) -> Arrays:
        """Return who holds which place, how each fares, and the parameters of those that go on running.

        A new one's place is empty: it begins with a bucket. Where none has learnt anything, all begin.
        """
        given = unnest("rankers", old.arrays)
        if old.meta["first"] < 0:
            return unnest("rankers", fresh.arrays)
        before = np.array(places(self.layout.rankers, self.rankers))
        there = before != GONE
        running = np.flatnonzero(given["active"].astype(bool) & (given["set_aside"] == 0)).tolist()
        stays = [running.index(place) for place in before.tolist() if place in running]
        found: Arrays = {}
        for name, array in given.items():
            kind, _, parameter = name.partition(".")
            if kind in KINDS:
                found[name] = np.ascontiguousarray(array.take(stays, axis=ranker_dimension(parameter)))
            elif name in _PER_PLACE:
                found[name] = np.zeros((len(before), *array.shape[1:]), array.dtype)
                found[name][there] = array[before[there]]
            else:
                found[name] = array
        return found

    def _pairs(self, old: Snapshot, fresh: Snapshot) -> tuple[dict[str, Any], Arrays]:
        (given, arrays), (empty, nothing) = self._of("pairs", old), self._of("pairs", fresh)
        before = places(self.new.sources, self.old.sources)
        buckets = [
            empty["buckets"][source] if at == GONE else _of_source(given["buckets"][at], source)
            for source, at in enumerate(before)
        ]
        found: Arrays = {}
        sketches = []
        for number, name in enumerate(("pairs", "items") if empty["sketches"] else ()):
            part = f"sketch.{name}"
            if not given["sketches"]:
                state, columns = empty["sketches"][number], unnest(part, nothing)
            else:
                state, columns = self._sketch(given["sketches"][number], unnest(part, arrays))
            sketches.append(state)
            found |= nest(part, columns)
        alignments, aligned = self._alignments(
            given["alignments"], unnest("alignment", arrays), empty["alignments"], unnest("alignment", nothing)
        )
        return {"buckets": buckets, "sketches": sketches, "alignments": alignments}, found | nest("alignment", aligned)

    def _sketch(self, meta: dict[str, Any], arrays: Arrays) -> tuple[dict[str, Any], Arrays]:
        """Return a sketch whose lanes lie in the new sources' order; those of new ones are empty."""
        to = places(self.old.sources, self.new.sources)
        before, after = len(to), len(self.new.sources)
        lane = np.array([GONE if at == GONE else kind * after + at for kind in range(SETS) for at in to])

        def moved(keys: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            cell, old = np.divmod(keys, SETS * before)
            kept = lane[old] != GONE
            return kept, (cell * SETS * after + lane[old])[kept]

        found: Arrays = {}
        for step in meta["ageing"]:
            kept, keys = moved(arrays[f"ageing.{step}"][0])
            found[f"ageing.{step}"] = np.stack([keys, arrays[f"ageing.{step}"][1][kept]])
        ts, key, fold, weight = arrays["events"]
        kept, keys = moved(key)
        found["events"] = np.stack([ts[kept], keys, fold[kept], weight[kept]])
        counted_at, occupancy = meta["counted"]
        counted = [
            [0.0 if at == GONE else row[at] for at in places(self.new.sources, self.old.sources)] for row in occupancy
        ]
        entered = int(kept[: meta["entered"]].sum())
        return {**meta, "entered": entered, "counted": [counted_at, counted]}, found

    def _alignments(
        self, given: dict[str, Any], arrays: Arrays, empty: dict[str, Any], nothing: Arrays
    ) -> tuple[dict[str, Any], Arrays]:
        before = places(self.new.variants, self.old.variants)
        slots, found = _by_variant((given["slots"], arrays), (empty["slots"], nothing), before)
        tallies = []
        for start, data in given["tallies"]:
            left = {key: one for key, one in alignment.decode(data).items() if key[0] in self.new.variants}
            if left:
                tallies.append([start, alignment.encode(left)])
        return {
            "slots": slots,
            "reached": [-1 if at == GONE else given["reached"][at] for at in before],
            "tallies": tallies,
            "centroids": [one for one in given["centroids"] if one[0] in self.new.variants],
        }, found


_PER_PLACE = ("active", "set_aside", *(f"health.{name}" for name in PER_PLACE))


def _slates(data: bytes, numbers: Renumbering) -> bytes:
    return numbers.slates(SlateBatch.decode(data)).encode()


def _of_source(state: dict[str, Any], source: int) -> dict[str, Any]:
    """Return the state of a placebo bucket whose pairs are of the source with that index."""
    pairs = PairBatch.decode(state["pairs"])
    columns: dict[str, Any] = pairs.columns()
    return {**state, "pairs": PairBatch(**columns | {"source": np.full(len(pairs), source, np.int16)}).encode()}


def _by_variant(
    given: tuple[Sequence[Any], Arrays], empty: tuple[Sequence[Any], Arrays], before: Sequence[int]
) -> tuple[list[Any], Arrays]:
    """Return `VectorSlots` in the new order. before: the old place of each new variant."""
    found: Arrays = {}
    states = []
    for variant, at in enumerate(before):
        states_of, arrays = empty if at == GONE else given
        place = variant if at == GONE else at
        states.append(states_of[place])
        found |= nest(str(variant), unnest(str(place), arrays))
    return states, found
