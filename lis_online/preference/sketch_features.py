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

    A lane for each (set, source), the real sets first: those alone are asked for their past. Pairs have ROWS hashes,
    items one. bits: of the cells that all rows of a set have together.
    """

    def __init__(self, leak: Leak, bits: int, sources: int, device: torch.device) -> None:
        self.leak = leak
        self.sources = sources
        lanes = SETS * sources
        of_row = bits - (ROWS - 1).bit_length()
        self.pairs = Sketch(leak, of_row, device, rows=ROWS, lanes=lanes, past_lanes=sources)
        self.items = Sketch(leak, min(bits, ITEM_BITS), device, lanes=lanes, past_lanes=sources)

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

    def _add(self, lane: int, batch: PairBatch, folds: np.ndarray) -> None:
        ts, fold = torch.from_numpy(batch.ts.copy()), torch.from_numpy(folds.astype(np.int64))
        weight = torch.from_numpy(batch.weight.astype(np.int64))
        a, b = (torch.from_numpy(mix(column).view(np.int64)) for column in (batch.item_a, batch.item_b))
        pairs, items = self.pairs, self.items
        of_pair = pair_cells(a, b, pairs.bits).flatten() * pairs.lanes + lane
        pairs.update(ts.repeat(ROWS), of_pair, fold.repeat(ROWS), weight.repeat(ROWS))
        ends = item_slot(torch.cat([a, b]), items.bits) * items.lanes + lane
        items.update(ts.repeat(2), ends, fold.repeat(2), weight.repeat(2))

    def get(self, at: Lookup) -> PairFeatures:
        """Return the features of samples in time order whose times do not cross one of `Leak.cuts`."""
        first = int(at.t[0])
        self.pairs.advance(first)
        self.items.advance(first)
        pairs, items = self.pairs, self.items
        t, fold = at.t[at.slate], at.fold[at.slate]
        of_pair = pair_cells(at.item[:, None], at.history[at.slate], pairs.bits)
        of_item, of_history = item_slot(at.item, items.bits), item_slot(at.history, items.bits)
        w = _by_lane(pairs.leaked(of_pair, t[:, None], fold[:, None]).amin(0)) * at.valid
        leaked = pair_features(
            w,
            _by_lane(items.leaked(of_item, t, fold)),
            _by_lane(items.leaked(of_history, at.t[:, None], at.fold[:, None]))[:, at.slate],
        )
        past = pair_features(
            _by_lane(pairs.preceding(of_pair, t[:, None]).amin(0)) * at.valid,
            _by_lane(items.preceding(of_item, t)),
            _by_lane(items.preceding(of_history, at.t[:, None]))[:, at.slate],
        )
        used = torch.from_numpy(pairs.occupancy().prod(axis=0).astype(np.float32)).to(w.device)
        false_cover = 1 - (1 - used[:, None]) ** at.valid.sum(1)
        covered = (w[: self.sources] > 0).any(2)
        return PairFeatures(leaked.view(SETS, self.sources, *leaked.shape[1:]), past, covered, false_cover)

    def sketches(self) -> dict[str, Sketch]:
        """Return both sketches by name."""
        return {"pairs": self.pairs, "items": self.items}


def pair_cells(first: Tensor, second: Tensor, bits: int) -> Tensor:
    """Return the cells of unordered pairs of mixed item hashes: int64 [ROWS, *broadcast shape]."""
    return torch.stack([(row << bits) + pair_slot(first, second, bits, row) for row in range(ROWS)])


def _by_lane(counts: Tensor) -> Tensor:
    """Return int32 [lanes, ...] of int32 [..., lanes]."""
    return counts.movedim(-1, 0)


def pair_features(w: Tensor, d_item: Tensor, d_history: Tensor) -> Tensor:
    """Return float32 [..., samples, FEATURES] of w, d_history: int [..., samples, K] and d_item: int [..., samples]."""
    scale = torch.sqrt((d_history + SMOOTHING) * (d_item[..., None] + SMOOTHING))
    normalised = SCALE * w / scale
    return torch.stack([torch.log1p(w.sum(-1)), normalised.sum(-1), normalised.amax(-1)], dim=-1)
