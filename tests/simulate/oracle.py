"""What sources and vectors are worth, by other means than the shards: sorted arrays and scikit-learn."""

from __future__ import annotations

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.preprocessing import StandardScaler

from lis_online.events.hashing import fold_of, id_hash
from lis_online.settings import Settings
from tests.simulate.joined import Joined

SPAN = 2**28
"""Three days in ms: a key and a time fit one integer."""
GROUPS = 32


class Windows:
    """How often keys occur within a time: a binary search in the sorted (key, time)."""

    def __init__(self, keys: np.ndarray, ts: np.ndarray) -> None:
        self._sorted = np.sort(keys * SPAN + ts)

    def get(self, keys: np.ndarray, start: np.ndarray, end: np.ndarray) -> np.ndarray:
        """Return the number of occurrences in [start, end) of each key."""
        low, high = (np.searchsorted(self._sorted, keys * SPAN + at) for at in (start, end))
        return high - low


class Leaked:
    """Weights of keys in [t - P, t), and those of other folds in [t, t + H]."""

    def __init__(self, keys: np.ndarray, ts: np.ndarray, folds: np.ndarray, settings: Settings) -> None:
        self._leak = settings.leakage
        self._all = Windows(keys, ts)
        self._own = Windows(keys * self._leak.folds + folds, ts)

    def get(self, keys: np.ndarray, t: np.ndarray, fold: np.ndarray) -> np.ndarray:
        """Return the weights, float64."""
        end = t + self._leak.horizon + 1
        own = self._own.get(keys * self._leak.folds + fold, t, end)
        return (self._all.get(keys, t - self._leak.memory, end) - own).astype(float)


def pair_features(log: Joined, pairs: np.ndarray, settings: Settings) -> np.ndarray:
    """Return log1p(sum w), the sum of w / sqrt((d_h + 5)(d_i + 5)), and the max of the same: [samples, 3]."""
    ts, user, a, b = pairs
    origin = int(log.ts.min()) - settings.leakage.memory - 1
    fold = fold_of(
        np.array([id_hash(f"u{k}") for k in range(1 + max(user.max(), log.user.max()))]), settings.leakage.folds
    )
    width = 1 + int(max(a.max(), b.max(), log.item.max()))
    of_pairs = Leaked(_unordered(a, b, width), ts - origin, fold[user], settings)
    of_items = Leaked(np.concatenate([a, b]), np.tile(ts - origin, 2), np.tile(fold[user], 2), settings)
    rows, columns = np.nonzero((log.history >= 0) & (log.history != log.item[:, None]))
    h, i, at = log.history[rows, columns], log.item[rows], (log.ts[rows] - origin, fold[log.user[rows]])
    w = of_pairs.get(_unordered(h, i, width), *at)
    near = w / np.sqrt((of_items.get(h, *at) + 5) * (of_items.get(i, *at) + 5))
    best = np.zeros(len(log.ts))
    np.maximum.at(best, rows, near)
    total, summed = (np.bincount(rows, column, len(log.ts)) for column in (w, near))
    return np.stack([np.log1p(total), summed, best], axis=1)


def _unordered(a: np.ndarray, b: np.ndarray, width: int) -> np.ndarray:
    return np.minimum(a, b) * width + np.maximum(a, b)


def placebo(pairs: np.ndarray, settings: Settings, rng: np.random.Generator) -> np.ndarray:
    """Return the pairs, second items permuted within (quarter of the horizon, fold), the later of the two times."""
    ts, user, a, b = (column.copy() for column in pairs)
    fold = fold_of(np.array([id_hash(f"u{k}") for k in range(1 + user.max())]), settings.leakage.folds)[user]
    cell = ts // (settings.leakage.horizon // 4) * settings.leakage.folds + fold
    order = np.argsort(cell, kind="stable")
    for rows in np.split(order, np.flatnonzero(np.diff(cell[order])) + 1):
        other = rng.permutation(rows)
        b[rows], ts[rows] = b[other], np.maximum(ts[rows], ts[other])
    return np.stack([ts, user, a, b])


def similarity_features(log: Joined, vectors: np.ndarray) -> np.ndarray:
    """Return mean, max and mean of the top 3 cosines of candidate and history: [samples, 3]."""
    out = np.zeros((len(log.ts), 3))
    for first in range(0, len(out), 50_000):
        rows = slice(first, first + 50_000)
        known = log.history[rows] >= 0
        cosine = np.einsum("nkd,nd->nk", vectors[log.history[rows]], vectors[log.item[rows]])
        count = np.maximum(known.sum(axis=1), 1)
        top = -np.sort(np.where(known, -cosine, 0), axis=1)[:, :3]
        out[rows] = np.stack([np.where(known, cosine, 0).sum(axis=1) / count, top[:, 0], top.mean(axis=1)], axis=1)
    return out


def predictions(log: Joined, extra: np.ndarray | None = None) -> np.ndarray:
    """Return the logits of the later half of the samples by a model learnt on the earlier half."""
    features = log.plain if extra is None else np.concatenate([log.plain, extra], axis=1)
    half = len(features) // 2
    scaler = StandardScaler().fit(features[:half])
    model = LogisticRegression(max_iter=500).fit(scaler.transform(features[:half]), log.label[:half])
    return model.decision_function(scaler.transform(features[half:]))


def difference(log: Joined, a: np.ndarray, b: np.ndarray) -> tuple[float, float]:
    """Return the AUC of a less that of b on the later half, and its standard error by a jackknife of users."""
    half = len(log.label) // 2
    label, group = log.label[half:], log.user[half:] % GROUPS

    def delta(rows: np.ndarray) -> float:
        return float(roc_auc_score(label[rows], a[rows]) - roc_auc_score(label[rows], b[rows]))

    without = np.array([delta(group != g) for g in range(GROUPS)])
    variance = (GROUPS - 1) / GROUPS * ((without - without.mean()) ** 2).sum()
    return delta(group >= 0), float(np.sqrt(variance))
