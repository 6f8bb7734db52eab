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
from lis_online.preference.sketch import Leak, Sketch, item_slot, pair_slot

SMOOTHING = 5.0
"""c of the normalised weight: an item with one pair is not yet similar to anything."""

SCALE = 10.0
"""Brings the normalised weights, a few hundredths, to the size of the other features."""

FEATURES = 3
ITEM_BITS = 20
"""Slots of the tables of item totals; never more than the pair tables'."""

ROLES = ("leaked", "past", "placebo", "thinned")


@dataclass(slots=True)
class Lookup:
    """Candidates and their histories, ready to look up; on the sketches' device.

    item: int64 [samples], history: int64 [slates, K] mixed item hashes; valid: bool [samples, K], whether the history
    entry exists and is not the candidate itself; slate: int64 [samples]; t, fold: int64 [slates].
    """

    item: Tensor
    history: Tensor
    valid: Tensor
    slate: Tensor
    t: Tensor
    fold: Tensor


@dataclass(slots=True)
class PairFeatures:
    """blocks: role -> float32 [samples, 3]; covered: bool [samples]; false_cover: float32 [samples],
    the probability that an uncovered sample looks covered because of hash collisions."""

    blocks: dict[str, Tensor]
    covered: Tensor
    false_cover: Tensor


class PairTable:
    """One set of pairs in sketches: weights of pairs and total weights of items."""

    def __init__(self, leak: Leak, bits: int, device: torch.device, *, keep_past: bool) -> None:
        self.pairs = Sketch(leak, bits, device, keep_past=keep_past)
        self.items = Sketch(leak, min(bits, ITEM_BITS), device, keep_past=keep_past)

    def update(self, batch: PairBatch, folds: np.ndarray) -> None:
        """Add pairs in time order."""
        ts, fold = torch.from_numpy(batch.ts.copy()), torch.from_numpy(folds.astype(np.int64))
        weight = torch.from_numpy(batch.weight.astype(np.int64))
        a, b = (torch.from_numpy(mix(column).view(np.int64)) for column in (batch.item_a, batch.item_b))
        self.pairs.update(ts, pair_slot(a, b, self.pairs.bits), fold, weight)
        both = torch.stack([item_slot(a, self.items.bits), item_slot(b, self.items.bits)], 1).flatten()
        twice = (column.repeat_interleave(2) for column in (ts, fold, weight))
        ts2, fold2, weight2 = twice
        self.items.update(ts2, both, fold2, weight2)

    def advance(self, t: int) -> None:
        """Move to sample time t, ms."""
        self.pairs.advance(t)
        self.items.advance(t)

    def compact(self) -> None:
        """Bound the memory of what ages."""
        self.pairs.compact()
        self.items.compact()

    def weights(self, at: Lookup, *, past: bool) -> tuple[Tensor, Tensor]:
        """Return the pair weights, int32 [samples, K], and the features, float32 [samples, 3]."""
        slots = pair_slot(at.item[:, None], at.history[at.slate], self.pairs.bits)
        of_item, of_history = item_slot(at.item, self.items.bits), item_slot(at.history, self.items.bits)
        t, fold = at.t[at.slate], at.fold[at.slate]
        if past:
            w = self.pairs.preceding(slots, t)
            d_item, d_history = self.items.preceding(of_item, t), self.items.preceding(of_history, at.t)
        else:
            w = self.pairs.leaked(slots, t, fold)
            d_item = self.items.leaked(of_item, t, fold)
            d_history = self.items.leaked(of_history, at.t, at.fold)
        w = w * at.valid
        return w, pair_features(w.float(), d_item.float(), d_history.float()[at.slate])


def pair_features(w: Tensor, d_item: Tensor, d_history: Tensor) -> Tensor:
    """Return the three features: float32 [samples, 3] of w [samples, K], d_item [samples], d_history [samples, K]."""
    scale = torch.sqrt((d_history + SMOOTHING) * (d_item[:, None] + SMOOTHING))
    normalised = SCALE * w / scale
    return torch.stack([torch.log1p(w.sum(1)), normalised.sum(1), normalised.amax(1)], dim=1)


class SourceSketches:
    """The three pair tables of one source: its pairs, their placebo, and a fixed half of them."""

    def __init__(self, leak: Leak, bits: int, device: torch.device) -> None:
        self.leak = leak
        self.real = PairTable(leak, bits, device, keep_past=True)
        self.placebo = PairTable(leak, bits, device, keep_past=False)
        self.thinned = PairTable(leak, bits, device, keep_past=False)

    def tables(self) -> dict[str, PairTable]:
        """Return the tables by name."""
        return {"real": self.real, "placebo": self.placebo, "thinned": self.thinned}

    def update(self, real: PairBatch, folds: np.ndarray, placebo: PairBatch, placebo_folds: np.ndarray) -> None:
        """Add one closed placebo bucket: its pairs and its placebo, both in time order."""
        self.real.update(real, folds)
        self.placebo.update(placebo, placebo_folds)
        half = thinned_half(real)
        self.thinned.update(real.take(half), folds[half])
        for table in self.tables().values():
            table.compact()

    def get(self, at: Lookup) -> PairFeatures:
        """Return the features of samples whose times do not cross one of `Leak.cuts`."""
        first = int(at.t.min())
        for table in self.tables().values():
            table.advance(first)
        weights, leaked = self.real.weights(at, past=False)
        blocks = {
            "leaked": leaked,
            "past": self.real.weights(at, past=True)[1],
            "placebo": self.placebo.weights(at, past=False)[1],
            "thinned": self.thinned.weights(at, past=False)[1],
        }
        chance = 1 - (1 - self.real.pairs.occupancy()) ** at.valid.sum(1).float()
        return PairFeatures(blocks, (weights > 0).any(1), chance)

    def sketches(self) -> dict[str, Sketch]:
        """Return every sketch by name."""
        return {f"{name}.{part}": getattr(t, part) for name, t in self.tables().items() for part in ("pairs", "items")}
