"""How a step enters the statistics: what is not whole is computed here, and counted by `tally_loop`."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from lis_online.events.hash_loop import hashed
from lis_online.events.hashing import GROUP_SALT
from lis_online.metrics.bins import GROUPS, LOSS_EDGE, USER_CELLS
from lis_online.metrics.scored import Scored
from lis_online.metrics.tally_loop import Counts, Histograms, Places, Predictions, tally_rankers, tally_slates
from lis_online.metrics.within_slate import within_slate_auc

_USER_SALT = 3


def add(into: Mapping[str, np.ndarray], scored: Scored) -> None:
    """Add a batch of whole slates to the arrays of statistics that are wide enough for it."""
    sizes = np.bincount(scored.slate, minlength=len(scored.user)).astype(np.int64)
    groups, cells = hashed(scored.user, GROUP_SALT, GROUPS), hashed(scored.user, _USER_SALT, USER_CELLS)
    at = Places(sizes, groups, cells, np.ascontiguousarray(scored.slices))
    label = np.ascontiguousarray(scored.label, np.uint8)
    cover = np.ascontiguousarray(scored.covered), np.ascontiguousarray(scored.false_cover)
    counts = Counts(*(into[name] for name in Counts._fields))
    tally_slates(counts, at, label, *cover, np.ascontiguousarray(scored.vectors))
    histograms = Histograms(*(into[name] for name in Histograms._fields))
    tally_rankers(histograms, at, label, _predictions(np.ascontiguousarray(scored.logits), label, sizes))


def _predictions(logits: np.ndarray, label: np.ndarray, sizes: np.ndarray) -> Predictions:
    x = np.clip(logits, -LOSS_EDGE, LOSS_EDGE).astype(np.float64)
    tail = np.exp(-np.abs(x))
    auc = within_slate_auc(logits, label, np.cumsum(sizes) - sizes, sizes)
    return Predictions(logits, x, tail, np.log1p(tail), auc)
