"""The features of a step: what each ranker sees of each sample, as of the sample's own time."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from lis_online.events.batches import SlateBatch
from lis_online.events.hashing import fold_of, mix
from lis_online.metrics.layout import Layout
from lis_online.preference.leak import Leak
from lis_online.preference.lookup import PLACEBO, REAL, THINNED, Lookup
from lis_online.preference.sketch_features import PairSketches
from lis_online.rankers.inputs import Inputs, Slots, dense_features, padded_histories, table_rows
from lis_online.representation.index import MISSING
from lis_online.representation.similarity import similarity_features
from lis_online.representation.store import VectorStore, distinct_times
from lis_online.shards.vector_slots import VectorSlots

SIDE = 3
"""Width of the block that holds a source's or a variant's features, and zeros for the unleaked ranker."""


@dataclass
class Features:
    """inputs: shared by all rankers; side: float32 [rankers, samples, SIDE], cover: float32 [2, sources, samples], both
    on the device; vectors: bool [slots of variants, samples]. Rows of slots that are not in use are zeros.

    What is covered, and how likely it is false, is read back when it is first asked for: after the rankers' step a GPU
    has nothing left to wait for.
    """

    inputs: Inputs
    side: Tensor
    cover: Tensor
    vectors: np.ndarray

    @cached_property
    def _covers(self) -> tuple[np.ndarray, np.ndarray]:
        covered, false_cover = self.cover.cpu().numpy()
        return covered > 0, false_cover

    @property
    def covered(self) -> np.ndarray:
        """Whether each sample has a pair with the history: bool [sources, samples]."""
        return self._covers[0]

    @property
    def false_cover(self) -> np.ndarray:
        """The probability that an uncovered sample looks covered: float32 [sources, samples]."""
        return self._covers[1]


class FeatureBuilder:
    """Composes sketches and vector stores into features; one per rank shard."""

    def __init__(
        self,
        layout: Layout,
        leak: Leak,
        sketches: PairSketches | None,
        vectors: VectorSlots[VectorStore],
        slots: Slots,
        history_length: int,
        device: torch.device,
    ) -> None:
        self.layout = layout
        self.leak = leak
        self.sketches = sketches
        self.vectors = vectors
        self.slots = slots
        self.history_length = history_length
        self.device = device

    def get(self, slates: SlateBatch, counts: np.ndarray) -> Features:
        """Return the features of a step of slates in time order."""
        history, ages = padded_histories(slates, self.history_length)
        dense = dense_features(slates, counts, history, ages, self.layout.surfaces)
        samples = len(slates.item)
        features = Features(
            Inputs(table_rows(slates, self.slots), dense),
            torch.zeros((len(self.layout.rankers), samples, SIDE), device=self.device),
            torch.zeros((2, len(self.layout.sources), samples), device=self.device),
            np.zeros((len(self.layout.variants), samples), bool),
        )
        first, last = int(slates.ts[0]), int(slates.ts[-1])
        if self.sketches is not None:
            for rows, items in _segments(slates, self.leak.cuts(first, last)):
                self._add_pairs(self.sketches, features, slates, history, rows, items)
        stores = [store for _, store in self.vectors.stores()]
        if stores:
            for rows, items in _segments(slates, distinct_times(stores, first, last)):
                self._add_similarities(features, slates, history, rows, items)
        return features

    def _add_pairs(
        self,
        sketches: PairSketches,
        features: Features,
        slates: SlateBatch,
        history: np.ndarray,
        rows: slice,
        items: slice,
    ) -> None:
        at = Lookup(
            item=mix(slates.item[items]).view(np.int64),
            history=mix(history[rows]).view(np.int64),
            n_items=slates.n_items[rows],
            t=slates.ts[rows],
            fold=fold_of(slates.user[rows], self.leak.folds),
        )
        found = sketches.get(at)
        for s in range(len(self.layout.sources)):
            for kind, block in (
                ("leaked", found.leaked[REAL, s]),
                ("past", found.past[s]),
                ("placebo", found.leaked[PLACEBO, s]),
                ("thinned", found.leaked[THINNED, s]),
            ):
                features.side[self.layout.of_source(kind, s), items] = block
        features.cover[0, :, items], features.cover[1, :, items] = found.covered, found.false_cover

    def _add_similarities(
        self, features: Features, slates: SlateBatch, history: np.ndarray, rows: slice, items: slice
    ) -> None:
        slate = np.repeat(np.arange(rows.stop - rows.start), slates.n_items[rows])
        for v, store in self.vectors.stores():
            store.advance(int(slates.ts[rows.stop - 1]))
            of_item = store.rows(slates.item[items], slates.ts[rows][slate])
            of_history = store.rows(history[rows], slates.ts[rows, None])
            both = similarity_features(store, of_item, of_history, slate)
            for kind, block in zip(("aligned", "permuted"), both, strict=True):
                features.side[self.layout.of_variant(kind, v), items] = block
            known = (of_history != MISSING).any(axis=1)
            features.vectors[v, items] = (of_item != MISSING) & known[slate]


def _segments(slates: SlateBatch, cuts: list[int]) -> list[tuple[slice, slice]]:
    """Split slates where the state changes: (slates, items) slices between cut times, none empty."""
    edges = np.unique([0, *np.searchsorted(slates.ts, cuts, side="left").tolist(), len(slates)]).astype(int)
    offsets = np.concatenate([[0], np.cumsum(slates.n_items)]).astype(int)
    return [
        (slice(a, b), slice(int(offsets[a]), int(offsets[b])))
        for a, b in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True)
    ]
