"""Pair features of (history, candidate): what each ranker of a source sees.

For weights w_k between the candidate and the history's entries, and total weights d:

    log1p(sum w),   sum of w / sqrt((d_h + c) (d_i + c)),   max of the same.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from lis_online.events.batches import PairBatch
from lis_online.events.hashing import mix
from lis_online.preference.folds import thinned_half
from lis_online.preference.leak import Leak
from lis_online.preference.sketch import Sketch, item_slot, pair_slot

SMOOTHING = 5.0
"""c of the normalised weight: an item with one pair is not yet similar to anything."""

SCALE = 10.0
"""Brings the normalised weights, a few hundredths, to the size of the other features."""

FEATURES = 3
ITEM_BITS = 20
"""Slots of the tables of item totals; never more than the pair tables'."""

REAL, PLACEBO, THINNED = range(3)
"""The three sets of pairs of a source: its own, their placebo, a fixed half of them."""

SETS = 3

ROWS = 2
"""Independent hashes of a pair; the smaller count is taken (count-min: Cormode and Muthukrishnan, 2005). A false pair
needs a collision in both rows, so the same number of slots tells far more pairs apart."""


@dataclass(slots=True)
class Lookup:
    """Candidates and their histories, ready to look up; on the sketches' device.

    item: int64 [samples], history: int64 [slates, K] mixed item hashes; valid: bool [samples, K], whether the
    history entry exists and is not the candidate itself; slate: int64 [samples]; t, fold: int64 [slates].
    """

    item: Tensor
    history: Tensor
    valid: Tensor
    slate: Tensor
    t: Tensor
    fold: Tensor


@dataclass(slots=True)
class PairFeatures:
    """What the sketches say of samples.

    leaked: float32 [SETS, sources, samples, FEATURES], with the future; past: float32 [sources, samples, FEATURES];
    covered: bool [sources, samples]; false_cover: float32 [sources, samples], the probability that an
    uncovered sample looks covered because hashes collide.
    """

    leaked: Tensor
    past: Tensor
    covered: Tensor
    false_cover: Tensor


class PairSketches:
    """Weights of pairs and total weights of items, of all sources and their three sets.

    ROWS tables of pairs and one of items per (set, source), the real sets first: those alone are asked for
    their past. bits: of the slots that all rows of a set have together.
    """

    def __init__(self, leak: Leak, bits: int, sources: int, device: torch.device) -> None:
        self.leak = leak
        self.sources = sources
        tables = SETS * sources
        rows = bits - (ROWS - 1).bit_length()
        self.pairs = Sketch(leak, rows, device, tables=tables * ROWS, past_tables=sources * ROWS)
        self.items = Sketch(leak, min(bits, ITEM_BITS), device, tables=tables, past_tables=sources)
        self._tables = torch.arange(tables, device=device)

    def update(
        self, source: int, real: PairBatch, folds: np.ndarray, placebo: PairBatch, placebo_folds: np.ndarray
    ) -> None:
        """Add one closed placebo bucket of a source: its pairs and their placebo."""
        half = thinned_half(real)
        self._add(REAL * self.sources + source, real, folds)
        self._add(PLACEBO * self.sources + source, placebo, placebo_folds)
        self._add(THINNED * self.sources + source, real.take(half), folds[half])
        for sketch in self.sketches().values():
            sketch.compact()

    def _add(self, table: int, batch: PairBatch, folds: np.ndarray) -> None:
        ts, fold = torch.from_numpy(batch.ts.copy()), torch.from_numpy(folds.astype(np.int64))
        weight = torch.from_numpy(batch.weight.astype(np.int64))
        a, b = (torch.from_numpy(mix(column).view(np.int64)) for column in (batch.item_a, batch.item_b))
        bits, rows = self.items.bits, range(ROWS)
        slots = [((table * ROWS + row) << self.pairs.bits) + pair_slot(a, b, self.pairs.bits, row) for row in rows]
        self.pairs.update(ts.repeat(ROWS), torch.cat(slots), fold.repeat(ROWS), weight.repeat(ROWS))
        ends = (table << bits) + torch.cat([item_slot(a, bits), item_slot(b, bits)])
        self.items.update(ts.repeat(2), ends, fold.repeat(2), weight.repeat(2))

    def get(self, at: Lookup) -> PairFeatures:
        """Return the features of samples in time order whose times do not cross one of `Leak.cuts`."""
        first = int(at.t[0])
        self.pairs.advance(first)
        self.items.advance(first)
        pairs, items = self.pairs, self.items
        t, fold = at.t[at.slate], at.fold[at.slate]
        of_pair = self._pair_slots(at)
        of_item = self._item_slots(at.item)
        of_history = self._item_slots(at.history)
        w = _least(pairs.leaked(of_pair, t[:, None], fold[:, None])) * at.valid
        d_item = items.leaked(of_item, t, fold)
        d_history = items.leaked(of_history, at.t[:, None], at.fold[:, None])[:, at.slate]
        leaked = pair_features(w, d_item, d_history)
        real = slice(0, self.sources)
        past = pair_features(
            _least(pairs.preceding(of_pair[: self.sources * ROWS], t[:, None])) * at.valid,
            items.preceding(of_item[real], t),
            items.preceding(of_history[real], at.t[:, None])[:, at.slate],
        )
        both = pairs.occupancy().reshape(-1, ROWS).prod(axis=1)
        used = torch.from_numpy(both.astype(np.float32)).to(w.device)
        false_cover = 1 - (1 - used[:, None]) ** at.valid.sum(1)
        return PairFeatures(leaked.view(SETS, self.sources, *leaked.shape[1:]), past, (w[real] > 0).any(2), false_cover)

    def _pair_slots(self, at: Lookup) -> Tensor:
        """Return the slots of (candidate, history entry): int64 [tables * ROWS, samples, K]."""
        bits, history = self.pairs.bits, at.history[at.slate]
        slots = torch.stack([pair_slot(at.item[:, None], history, bits, row) for row in range(ROWS)])
        first = (self._tables * ROWS)[:, None] + torch.arange(ROWS, device=slots.device)
        return ((first << bits)[:, :, None, None] + slots).flatten(0, 1)

    def _item_slots(self, items: Tensor) -> Tensor:
        """Return the slots of items: int64 [tables, ...]."""
        bits = self.items.bits
        return (self._tables << bits).view(-1, *[1] * items.dim()) + item_slot(items, bits)

    def sketches(self) -> dict[str, Sketch]:
        """Return both sketches by name."""
        return {"pairs": self.pairs, "items": self.items}


def _least(counts: Tensor) -> Tensor:
    """Return the smallest of a pair's rows: int [tables, ...] of int [tables * ROWS, ...]."""
    return counts.view(-1, ROWS, *counts.shape[1:]).amin(1)


def pair_features(w: Tensor, d_item: Tensor, d_history: Tensor) -> Tensor:
    """Return float32 [..., samples, FEATURES] of w, d_history: int [..., samples, K] and d_item: int [..., samples]."""
    scale = torch.sqrt((d_history + SMOOTHING) * (d_item[..., None] + SMOOTHING))
    normalised = SCALE * w / scale
    return torch.stack([torch.log1p(w.sum(-1)), normalised.sum(-1), normalised.amax(-1)], dim=-1)
