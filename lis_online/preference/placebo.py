"""The placebo's pairs: what a source leaks that is *not* preference.

Second items are permuted among the pairs of one (time bucket, fold); a placebo pair's time is the
later of its two pairs' times; the two come from different clicks. Each half of this rule alone
leaks labels (+0.002 to +0.009 of AUC, measured), and small buckets keep real preference (+0.026 at
4 pairs a bucket), so a bucket closes at a minimum number of pairs per fold.
"""

from __future__ import annotations

import numpy as np

from lis_online.events.batches import PairBatch
from lis_online.events.hashing import mix

REPAIRS = 16
"""Rounds of random swaps that separate pairs of one click; what is left then is dropped."""


def placebo_pairs(pairs: PairBatch, folds: np.ndarray, salt: int) -> tuple[PairBatch, np.ndarray]:
    """Return the placebo of one closed bucket, sorted by time, and the fold of each pair.

    pairs: the bucket's pairs, any order (the result does not depend on it). folds: their folds.
    salt: seeds the permutation. A pair that cannot be matched with another click is left out.
    """
    order = canonical_order(pairs)
    pairs, folds = pairs.take(order), folds[order]
    return placebo_of(pairs, folds, *matched(pairs, folds, salt))


def placebo_of(
    pairs: PairBatch, folds: np.ndarray, first: np.ndarray, second: np.ndarray
) -> tuple[PairBatch, np.ndarray]:
    """Return the placebo that rows `matched` with each other make, sorted by time, and the fold of each pair."""
    batch = pairs.take(first)
    batch.item_b = pairs.item_b[second]
    batch.ts = np.maximum(pairs.ts[first], pairs.ts[second])
    chronological = np.argsort(batch.ts, kind="stable")
    return batch.take(chronological), folds[first][chronological]


def canonical_order(pairs: PairBatch) -> np.ndarray:
    """Return the order (time, click, items, user) that is the same however the pairs arrived."""
    return np.lexsort((pairs.user, pairs.item_b, pairs.item_a, pairs.click, pairs.ts))


def matched(pairs: PairBatch, folds: np.ndarray, salt: int) -> tuple[np.ndarray, np.ndarray]:
    """Return (i, j) rows of the same fold and different clicks; each row is at most once an i, at most once a j.

    pairs: in `canonical_order`, and their folds. The j's items are as popular as the i's: they are the same ones.
    """
    firsts, seconds = [], []
    for fold in np.unique(folds):
        rows = np.flatnonzero(folds == fold)
        shuffled = rows[np.argsort(_lots(pairs, rows, salt), kind="stable")]
        partner = _separate(np.roll(shuffled, 1), pairs.click[shuffled], pairs, salt)
        kept = pairs.click[shuffled] != pairs.click[partner]
        firsts.append(shuffled[kept])
        seconds.append(partner[kept])
    return np.concatenate([*firsts, np.zeros(0, np.int64)]), np.concatenate([*seconds, np.zeros(0, np.int64)])


def _lots(pairs: PairBatch, rows: np.ndarray, salt: int) -> np.ndarray:
    event = mix(pairs.click[rows], salt) ^ mix(pairs.item_a[rows], salt + 1)
    return mix(event.view(np.int64) + np.arange(len(rows)), salt + 2)


def _separate(partner: np.ndarray, clicks: np.ndarray, pairs: PairBatch, salt: int) -> np.ndarray:
    """Swap partners until no row has one of its own click, as far as that is possible."""
    n = len(partner)
    for attempt in range(REPAIRS):
        conflicts = np.flatnonzero(pairs.click[partner] == clicks)
        if not len(conflicts):
            break
        draws = (mix(conflicts, salt + 3 + attempt) % np.uint64(n)).astype(np.int64)
        for i, j in zip(conflicts.tolist(), draws.tolist(), strict=True):
            if pairs.click[partner[j]] != clicks[i] and pairs.click[partner[i]] != clicks[j]:
                partner[i], partner[j] = partner[j], partner[i]
    return partner
