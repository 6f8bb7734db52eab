"""The pair features with tensors: the way of a GPU. Every look-up of a step at once, the step's events added apart."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from lis_online.preference.lookup import NONE, ROWS, SCALE, SETS, SMOOTHING, Lookup, PairFeatures
from lis_online.preference.sketch import Sketch, item_slot, pair_slot
from lis_online.transfers import sent


def read(pairs: Sketch, items: Sketch, at: Lookup) -> PairFeatures:
    """Return the features of samples whose sketches stand at the first one's time."""
    device, sources = pairs.device, pairs.past_lanes
    item, history, t_slate, fold_slate = (sent(column, device) for column in (at.item, at.history, at.t, at.fold))
    slate = sent(np.repeat(np.arange(len(at.t)), at.n_items), device)
    of_pairs, of_items = (sketch.span(int(at.t[-1])) for sketch in (pairs, items))
    valid = (history[slate] != NONE) & (history[slate] != item[:, None])
    t, fold = t_slate[slate], fold_slate[slate]
    of_pair = pair_cells(item[:, None], history[slate], pairs.bits)
    of_item, of_history = item_slot(item, items.bits), item_slot(history, items.bits)
    w = _by_lane(pairs.leaked(of_pair, t[:, None], fold[:, None], of_pairs).amin(0)) * valid
    leaked = pair_features(
        w,
        _by_lane(items.leaked(of_item, t, fold, of_items)),
        _by_lane(items.leaked(of_history, t_slate[:, None], fold_slate[:, None], of_items))[:, slate],
    )
    past = pair_features(
        _by_lane(pairs.preceding(of_pair, t[:, None], of_pairs).amin(0)) * valid,
        _by_lane(items.preceding(of_item, t, of_items)),
        _by_lane(items.preceding(of_history, t_slate[:, None], of_items))[:, slate],
    )
    used = sent(pairs.occupancy().prod(axis=0).astype(np.float32), device)
    false_cover = 1 - (1 - used[:, None]) ** valid.sum(1)
    covered = (w[:sources] > 0).any(2)
    return PairFeatures(leaked.view(SETS, sources, *leaked.shape[1:]), past, covered, false_cover)


def pair_cells(first: Tensor, second: Tensor, bits: int) -> Tensor:
    """Return the cells of unordered pairs of mixed item hashes: int64 [ROWS, *broadcast shape]."""
    return torch.stack([(row << bits) + pair_slot(first, second, bits, row) for row in range(ROWS)])


def pair_features(w: Tensor, d_item: Tensor, d_history: Tensor) -> Tensor:
    """Return float32 [..., samples, FEATURES] of w, d_history: int [..., samples, K] and d_item: int [..., samples]."""
    scale = torch.sqrt((d_history + SMOOTHING) * (d_item[..., None] + SMOOTHING))
    normalised = SCALE * w / scale
    return torch.stack([torch.log1p(w.sum(-1)), normalised.sum(-1), normalised.amax(-1)], dim=-1)


def _by_lane(counts: Tensor) -> Tensor:
    """Return int32 [lanes, ...] of int32 [..., lanes]."""
    return counts.movedim(-1, 0)
