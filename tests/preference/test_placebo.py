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
