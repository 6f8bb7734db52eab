"""Pair features of (history, candidate): what each ranker of a source sees.

For weights w_k between the candidate and the history's entries, and total weights d:

    log1p(sum w),   sum of w / sqrt((d_h + c) (d_i + c)),   max of the same.

Read with tensors on a GPU (`pair_tensors`), in one loop on a CPU (`pair_loop`): the same integers, and features that
agree to the last bits of a float32.
"""

from __future__ import annotations

import numpy as np
import torch

from lis_online.events.batches import PairBatch
from lis_online.events.hashing import mix
from lis_online.preference import pair_loop, pair_tensors
from lis_online.preference.folds import thinned_half
from lis_online.preference.leak import Leak
from lis_online.preference.lookup import PLACEBO, REAL, ROWS, SETS, THINNED, Lookup, PairFeatures
from lis_online.preference.pair_tensors import pair_cells
from lis_online.preference.sketch import Sketch, item_slot

ITEM_BITS = 20
"""Slots of the tables of item totals; never more than the pair tables'."""


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
        for sketch in (self.pairs, self.items):
            sketch.advance(int(at.t[0]))
        read = pair_loop.read if self.pairs.device.type == "cpu" else pair_tensors.read
        return read(self.pairs, self.items, at)

    def sketches(self) -> dict[str, Sketch]:
        """Return both sketches by name."""
        return {"pairs": self.pairs, "items": self.items}
