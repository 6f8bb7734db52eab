"""Similarity features of a variant: mean, max and mean of the top 3 cosines of (history, candidate)."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from lis_online.representation.index import MISSING
from lis_online.representation.store import VectorStore
from lis_online.representation.summaries import SCALE, TOP, summaries
from lis_online.transfers import sent

FEATURES = 3


def similarity_features(
    store: VectorStore, item_rows: np.ndarray, history_rows: np.ndarray, slate: np.ndarray
) -> Tensor:
    """Return float32 [2, samples, 3]: aligned, then permuted; zeros where candidate or history have no vector.

    item_rows: int64 [samples]; history_rows: int64 [slates, K]; slate: int64 [samples], ascending.
    Vectors are gathered once per slate, and candidates of a slate share one matrix product.
    """
    slates, samples = len(history_rows), len(item_rows)
    items = np.concatenate([item_rows, store.donors(item_rows)])
    histories = np.concatenate([history_rows, store.donors(history_rows)])
    return _features(store, items, histories, np.concatenate([slate, slate + slates])).view(2, samples, FEATURES)


def _features(store: VectorStore, item_rows: np.ndarray, history_rows: np.ndarray, slate: np.ndarray) -> Tensor:
    counts = np.bincount(slate, minlength=len(history_rows))
    column = np.arange(len(slate)) - np.repeat(np.cumsum(counts) - counts, counts)
    padded = np.full((len(history_rows), int(counts.max(initial=1))), MISSING, np.int64)
    padded[slate, column] = item_rows
    device = store.device
    of_item, of_history = sent(padded, device), sent(history_rows, device)
    cosines = torch.bmm(store.vectors(of_item), store.vectors(of_history).transpose(1, 2))
    if device.type == "cpu":
        return torch.from_numpy(summaries(cosines.numpy(), padded, history_rows, slate, column))
    known = (of_item != MISSING)[:, :, None] & (of_history != MISSING)[:, None, :]
    at = (sent(slate, device), sent(column, device))
    return _summaries(cosines[at], known[at])


def _summaries(cosines: Tensor, known: Tensor) -> Tensor:
    """Return mean, max and mean of the top 3, times SCALE, over the known entries of [samples, K]."""
    n = known.sum(1)
    mean = (cosines * known).sum(1) / n.clamp_min(1)
    k = min(TOP, cosines.shape[1])
    top = torch.where(known, cosines, -torch.inf).topk(k, dim=1).values
    top = torch.where(torch.isfinite(top), top, 0.0)
    top_mean = top.sum(1) / n.clamp(1, k)
    return SCALE * torch.stack([mean, top[:, 0], top_mean], dim=1)
