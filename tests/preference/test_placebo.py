"""The placebo's rule, whole: same fold, later time, other click, each second item once."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from lis_online.events.batches import PairBatch
from lis_online.preference.placebo import canonical_order, placebo_pairs


def make(seed: int, clicks: int, per_click: int) -> tuple[PairBatch, np.ndarray]:
    """Return pairs of clicks of `per_click` partners each, and their folds; a click has one of either."""
    rng = np.random.default_rng(seed)
    click = np.repeat(np.arange(1, clicks + 1), per_click)
    ts = np.repeat(rng.integers(0, 1_000, clicks), per_click)
    second = np.repeat(rng.integers(1, 10**9, clicks), per_click)
    folds = np.repeat(rng.integers(0, 3, clicks), per_click)
    n = len(click)
    batch = PairBatch(
        ts, np.zeros(n, np.int16), rng.integers(1, 10**9, n), second, folds + 100, click, np.ones(n, np.int32)
    )
    return batch, folds


@given(st.integers(0, 10**6), st.integers(0, 60), st.integers(1, 5))
def test_second_items_are_permuted_within_a_fold_between_clicks(seed: int, clicks: int, per_click: int) -> None:
    """Each half of the rule alone leaks labels: fold, click and time are held together."""
    pairs, folds = make(seed, clicks, per_click)
    placebo, placebo_folds = placebo_pairs(pairs, folds, salt=1)
    of_click = {
        int(c): (int(t), int(b), int(f)) for c, t, b, f in zip(pairs.click, pairs.ts, pairs.item_b, folds, strict=True)
    }
    by_second = {b: (t, f) for t, b, f in of_click.values()}
    for k in range(len(placebo)):
        own_time, own_second, own_fold = of_click[int(placebo.click[k])]
        other_time, other_fold = by_second[int(placebo.item_b[k])]
        assert placebo.item_b[k] != own_second
        assert placebo.ts[k] == max(own_time, other_time)
        assert placebo_folds[k] == own_fold == other_fold
    assert (np.diff(placebo.ts) >= 0).all()
    seconds, counts = np.unique(pairs.item_b, return_counts=True)
    limits = dict(zip(seconds.tolist(), counts.tolist(), strict=True))
    for second, count in zip(*np.unique(placebo.item_b, return_counts=True), strict=True):
        assert count <= limits[int(second)]


def test_nearly_every_pair_of_a_full_bucket_finds_a_partner() -> None:
    """A placebo with fewer pairs would be a thinned source, not a permuted one."""
    pairs, folds = make(7, 400, 5)
    placebo, _ = placebo_pairs(pairs, folds, salt=1)
    assert len(placebo) == len(pairs)


@given(st.integers(0, 10**6), st.randoms())
def test_the_placebo_does_not_depend_on_the_order_of_arrival(seed: int, random: object) -> None:
    """A rank shard's output is a function of the events."""
    pairs, folds = make(seed, 30, 2)
    order = np.arange(len(pairs))
    random.shuffle(order)  # type: ignore[attr-defined]
    first, first_folds = placebo_pairs(pairs, folds, salt=9)
    second, second_folds = placebo_pairs(pairs.take(order), folds[order], salt=9)
    for name, column in first.columns().items():
        assert np.array_equal(column, getattr(second, name)), name
    assert np.array_equal(first_folds, second_folds)


def test_one_click_alone_has_no_placebo() -> None:
    """Its pairs could only be matched with themselves, which would be real preference."""
    pairs, folds = make(1, 1, 5)
    placebo, placebo_folds = placebo_pairs(pairs, folds, salt=1)
    assert len(placebo) == len(placebo_folds) == 0


def test_the_canonical_order_is_by_time_first() -> None:
    """Pairs enter the sketches in time order."""
    pairs, _ = make(2, 40, 3)
    assert (np.diff(pairs.take(canonical_order(pairs)).ts) >= 0).all()


def twelve(click: np.ndarray) -> PairBatch:
    """Return twelve pairs of some clicks; everything else is numbered."""
    ids = np.arange(1, 13)
    return PairBatch(100 + ids, np.zeros(12, np.int16), ids, ids + 50, ids, click, np.ones(12, np.int32))


def test_the_permutation_is_the_same_for_ever() -> None:
    """A rank shard's output is a function of the events: on every machine, in every version, by the salt alone."""
    ids = np.arange(1, 13)
    placebo, folds = placebo_pairs(twelve(ids // 2), ids % 2, salt=7)
    assert placebo.item_a.tolist() == [3, 4, 7, 5, 8, 9, 10, 2, 11, 1, 12, 6]
    assert placebo.item_b.tolist() == [55, 56, 51, 57, 52, 53, 54, 60, 59, 61, 58, 62]
    assert placebo.ts.tolist() == [105, 106, 107, 107, 108, 109, 110, 110, 111, 111, 112, 112]
    assert folds.tolist() == [1, 0, 1, 1, 0, 1, 0, 0, 1, 1, 0, 0]


def test_pairs_of_large_clicks_are_separated_by_swaps() -> None:
    """Three clicks of five, four and three pairs: everyone finds a partner of another click, and always the same."""
    placebo, _ = placebo_pairs(twelve(np.repeat([1, 2, 3], [5, 4, 3])), np.zeros(12, np.int64), salt=7)
    assert placebo.item_b.tolist() == [56, 54, 52, 57, 58, 53, 59, 60, 51, 61, 55, 62]
    assert placebo.click.tolist() == [1, 2, 2, 1, 1, 2, 3, 1, 3, 2, 3, 1]


@given(st.integers(0, 10**6), st.lists(st.integers(1, 9), min_size=2, max_size=6))
def test_what_can_be_matched_is_nearly_always_matched(seed: int, sizes: list[int]) -> None:
    """Where no click has more than a third of the pairs, at most one in twelve is left out."""
    if max(sizes) * 3 > sum(sizes):
        return
    rng = np.random.default_rng(seed)
    click = rng.permutation(np.repeat(np.arange(len(sizes)), sizes) + 1)
    n = len(click)
    pairs = PairBatch(
        rng.integers(0, 99, n), np.zeros(n, np.int16), rng.permutation(n), rng.permutation(n), click, click,
        np.ones(n, np.int32),
    )  # fmt: skip
    placebo, _ = placebo_pairs(pairs, np.zeros(n, np.int64), salt=seed)
    assert n - len(placebo) <= n / 12


def test_the_canonical_order_breaks_every_tie() -> None:
    """Time, click, first item, second item, user, in this order."""
    rows = sorted((t, c, a, b, u) for t in (1, 2) for c in (1, 2) for a in (1, 2) for b in (1, 2) for u in (1, 2))
    shuffled = np.random.default_rng(0).permutation(np.array(rows, np.int64))
    ts, click, a, b, user = shuffled.T
    pairs = PairBatch(ts, np.zeros(32, np.int16), a, b, user, click, np.ones(32, np.int32))
    assert [tuple(row) for row in shuffled[canonical_order(pairs)].tolist()] == rows
