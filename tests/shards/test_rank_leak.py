"""What leaks, through the whole rank shard: pair features against a brute force over every pair of the log."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from lis_online.events.batches import PairBatch, SlateBatch
from lis_online.events.hashing import NO_ID, fold_of, mix
from lis_online.events.rank_log import VERSION, Block
from lis_online.preference.folds import thinned_half
from lis_online.preference.leak import Leak
from lis_online.preference.lookup import SCALE, SMOOTHING
from lis_online.records import MAX_TIME
from lis_online.settings import Settings
from lis_online.shards.rank import RankShard
from tests.shards.village import rank_log

H, P, FOLDS = 64_000, 128_000, 3
SPAN = 400_000
USERS, ITEMS = 8, 12
AGEING = Leak(H, P, FOLDS).ageing
"""t - P is rounded down to this grid."""

SOURCES = ("feed", "free")

SETTINGS = Settings.of(
    {
        "events": {"attribution_window": "10s", "history_length": 5},
        "leakage": {"horizon": "64s", "memory": "128s", "folds": FOLDS, "sketch_bits": 16, "placebo_pairs": 4},
        "training": {"embedding": 2, "hidden": [4], "user_bits": 4, "item_bits": 8, "batch": 16, "count_tick": "1s"},
        "metrics": {"bucket": "100s", "windows": ["100s"]},
        "preference": [
            {"name": "feed", "kind": "topic"},
            {"name": "free", "kind": "topic", "users": "independent"},
        ],
    }
)


def ids(numbers: Any) -> np.ndarray:
    """Return made-up id hashes of small numbers."""
    return mix(np.asarray(numbers), salt=77).view(np.int64)


def made(seed: int) -> tuple[SlateBatch, PairBatch]:
    """Return slates in order of time and pairs in any order, of few users and items; some pairs have no user."""
    rng = np.random.default_rng(seed)
    slates, pairs = 40, 300
    n_history = rng.integers(0, 5, slates)
    entries = int(n_history.sum())
    zero = np.zeros(3 * slates, np.int64)
    slate_batch = SlateBatch(
        np.sort(rng.integers(10**6, 10**6 + SPAN, slates)), np.arange(1, slates + 1),
        ids(rng.integers(0, USERS, slates)),
        np.zeros(slates, np.int16), np.zeros((slates, 0), np.int16), np.full(slates, 3, np.int32),
        n_history.astype(np.int32), ids([rng.permutation(ITEMS)[:3] for _ in range(slates)]).reshape(-1),
        (rng.random(3 * slates) < 0.3).astype(np.uint8), zero - 1, zero.astype(np.int16), zero, zero, zero - 1,
        ids(rng.integers(0, ITEMS, entries)), rng.integers(1, 10**5, entries),
    )  # fmt: skip
    a = rng.integers(0, ITEMS, pairs)
    users = ids(rng.integers(0, USERS, pairs))
    users[rng.random(pairs) < 0.15] = NO_ID
    pair_batch = PairBatch(
        rng.integers(10**6 - P, 10**6 + SPAN, pairs), rng.integers(0, 2, pairs).astype(np.int16),
        ids(a), ids((a + rng.integers(1, ITEMS, pairs)) % ITEMS), users, np.arange(pairs),
        rng.integers(1, 4, pairs).astype(np.int32),
    )  # fmt: skip
    return slate_batch, pair_batch


def side_features(slates: SlateBatch, pairs: PairBatch) -> dict[str, np.ndarray]:
    """Return what each ranker of a rank shard is shown of every sample: ranker -> [samples, features]."""
    shard = RankShard(SETTINGS)
    learn, seen = shard.rankers.step, []

    def step(inputs: Any, side: Any, label: np.ndarray) -> np.ndarray:
        seen.append(side.numpy().copy())
        return learn(inputs, side, label)

    shard.rankers.step = step  # type: ignore[method-assign]
    cut = len(pairs) // 2
    log = [
        Block(VERSION, 0, 0, b"", 0, pairs.take(slice(cut)).encode(), [], -1),
        Block(VERSION, 0, 0, slates.encode(), cut, pairs.take(slice(cut, None)).encode(), [], MAX_TIME),
    ]
    shard.feed(rank_log(block.encode() for block in log))
    assert shard.late_side == 0
    return dict(zip(shard.layout.rankers, np.concatenate(seen, axis=1), strict=True))


class Oracle:
    """The rule of the leak, by going through every pair for every look-up."""

    def __init__(self, pairs: PairBatch, independent: bool) -> None:
        self.independent = independent
        folds = fold_of(pairs.user, FOLDS).tolist()
        self.rows = list(
            zip(
                *(c.tolist() for c in (pairs.ts, pairs.item_a, pairs.item_b, pairs.user, pairs.weight)),
                folds,
                strict=True,
            )
        )

    def weight(self, t: int, fold: int, future: bool, items: set[int]) -> int:
        """Return the weight of the pairs that have all of these items, as a user of this fold sees them at t."""
        found = 0
        for ts, a, b, user, weight, of in self.rows:
            past = (t - P) // AGEING * AGEING <= ts < t
            may_leak = self.independent or (user != NO_ID and of != fold)
            if items <= {a, b} and (past or (future and t <= ts <= t + H and may_leak)):
                found += weight
        return found

    def features(self, slates: SlateBatch, future: bool) -> np.ndarray:
        """Return [samples, 3]: log1p(sum w), sum and maximum of w / sqrt((d_h + c)(d_i + c))."""
        rows, at_item, at_history = [], 0, 0
        for k in range(len(slates)):
            t, fold = int(slates.ts[k]), int(fold_of(slates.user[k : k + 1], FOLDS)[0])
            history = slates.history[at_history : at_history + slates.n_history[k]].tolist()
            at_history += len(history)
            total = {h: self.weight(t, fold, future, {h}) for h in history}
            for item in slates.item[at_item : at_item + 3].tolist():
                d = self.weight(t, fold, future, {item})
                w = [self.weight(t, fold, future, {h, item}) for h in history if h != item]
                scaled = [
                    SCALE * weight / math.sqrt((total[h] + SMOOTHING) * (d + SMOOTHING))
                    for weight, h in zip(w, (h for h in history if h != item), strict=True)
                ]
                rows.append([math.log1p(sum(w)), sum(scaled), max(scaled, default=0.0)])
            at_item += 3
        return np.array(rows)


@pytest.mark.parametrize("seed", range(4))
def test_pair_features_are_those_of_every_pair_of_the_log(seed: int) -> None:
    """Past: [t - P, t) of all users; leaked: and [t, t + H] of users of other folds; thinned: the same of a half."""
    slates, pairs = made(seed)
    found = side_features(slates, pairs)
    for number, name in enumerate(SOURCES):
        mine = pairs.take(pairs.source == number)
        oracle = Oracle(mine, independent=name == "free")
        half = Oracle(mine.take(thinned_half(mine)), independent=name == "free")
        expected = {"leaked": oracle.features(slates, True), "past": oracle.features(slates, False)}
        expected["thinned"] = half.features(slates, True)
        assert (expected["leaked"] > expected["past"]).any()
        for kind, features in expected.items():
            np.testing.assert_allclose(
                found[f"{kind}:{name}"], features, rtol=1e-5, atol=1e-6, err_msg=f"{kind}:{name}"
            )
    assert not found["unleaked"].any() and not found["twin"].any()


@pytest.mark.parametrize(("seed", "number"), [(1, 0), (2, 3), (3, 5), (4, 6)])
def test_a_users_own_future_cannot_leak(seed: int, number: int) -> None:
    """Removing all that a user does from a sample on, and those of the same fold, changes no leaked feature of it."""
    slates, pairs = made(seed)
    user = ids([number])
    own = pairs.take(pairs.source == 0)
    mine = slates.user == user[0]
    assert mine.any()
    first = int(slates.ts[mine].min())
    samples = np.repeat(mine & (slates.ts == first), slates.n_items)
    same_fold = (fold_of(own.user, FOLDS) == fold_of(user, FOLDS)) & (own.user != NO_ID)
    future = own.ts >= first
    whole = side_features(slates, own)
    without = side_features(slates, own.take(~(same_fold & future)))
    for kind in ("leaked:feed", "past:feed", "thinned:feed", "unleaked"):
        assert np.array_equal(whole[kind][samples], without[kind][samples]), kind


def test_the_future_of_other_folds_does_leak() -> None:
    """The control of the rule above: without the other folds' future, leaked features are other ones."""
    slates, pairs = made(3)
    own = pairs.take(pairs.source == 0)
    first = int(slates.ts[0])
    samples = np.repeat(slates.ts == first, slates.n_items)
    whole, without = side_features(slates, own), side_features(slates, own.take(own.ts < first))
    assert not np.array_equal(whole["leaked:feed"][samples], without["leaked:feed"][samples])
    assert np.array_equal(whole["past:feed"][samples], without["past:feed"][samples])


def test_pairs_without_a_user_never_leak() -> None:
    """They cannot obey the fold rule, so they count for the past alone."""
    slates, pairs = made(4)
    own = pairs.take(pairs.source == 0)
    own.user[:] = NO_ID
    found = side_features(slates, own)
    assert found["past:feed"].any()
    assert np.array_equal(found["leaked:feed"], found["past:feed"])
