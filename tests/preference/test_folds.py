"""Folds and the thinned half."""

import numpy as np

from lis_online.events.batches import PairBatch
from lis_online.events.hashing import fold_of
from lis_online.preference.folds import pair_folds, thinned_half
from lis_online.preference.leak import PAST_ONLY


def test_a_pair_without_a_user_never_leaks_unless_the_source_is_independent() -> None:
    """Such pairs cannot obey the fold rule and read labels (measured: +0.16 to +0.31)."""
    users = np.array([0, 7, 8])
    assert pair_folds(users, 4, independent=False)[0] == PAST_ONLY
    assert (pair_folds(users, 4, independent=False)[1:] >= 0).all()
    assert pair_folds(users, 4, independent=True).tolist() == [4, 4, 4]


def test_folds_are_balanced() -> None:
    """Each of 8 folds holds an eighth of 80,000 users, within five standard deviations."""
    folds = pair_folds(np.arange(1, 80_001), 8, independent=False)
    assert abs(np.bincount(folds, minlength=8) - 10_000).max() < 5 * np.sqrt(80_000 / 8 * 7 / 8)


def test_the_thinned_half_is_fixed_and_a_half() -> None:
    """The same pair event always falls on the same side, wherever it stands."""
    n = 10_000
    ids = np.arange(1, n + 1)
    pairs = PairBatch(ids, np.zeros(n, np.int16), ids, ids + 1, ids, ids, np.ones(n, np.int32))
    half = thinned_half(pairs)
    assert abs(int(half.sum()) - n / 2) < 5 * np.sqrt(n) / 2
    order = np.random.default_rng(0).permutation(n)
    assert np.array_equal(thinned_half(pairs.take(order)), half[order])


def test_the_thinned_half_is_the_same_for_ever() -> None:
    """It depends on click and items alone, on every machine and in every version."""
    ids = np.arange(1, 13)
    pairs = PairBatch(100 + ids, np.zeros(12, np.int16), ids, ids + 50, ids, ids // 2, np.ones(12, np.int32))
    assert thinned_half(pairs).astype(int).tolist() == [1, 0, 1, 1, 0, 1, 0, 1, 0, 0, 0, 1]
    other = PairBatch(ids, np.ones(12, np.int16), ids, ids + 50, ids + 9, ids // 2, np.full(12, 5, np.int32))
    assert thinned_half(other).tolist() == thinned_half(pairs).tolist()


def test_a_feed_users_pair_has_the_users_fold() -> None:
    """The same fold as the samples of that user: what keeps one's own click from leaking."""
    users = np.arange(1, 200)
    assert pair_folds(users, 5, independent=False).tolist() == fold_of(users, 5).tolist()
