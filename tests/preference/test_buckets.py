"""When placebo buckets close: by the pairs alone."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from lis_online.events.batches import PairBatch
from lis_online.preference.buckets import PlaceboBuckets


def make(ts: np.ndarray) -> PairBatch:
    """Return pairs at some times; everything else is numbered."""
    n = len(ts)
    ids = np.arange(1, n + 1)
    return PairBatch(ts.astype(np.int64), np.zeros(n, np.int16), ids, ids, ids, ids, np.ones(n, np.int32))


def fresh(minimum: int) -> PlaceboBuckets:
    """Return buckets with a grid of 10, a horizon of 240 (so a limit of 60) and two folds."""
    return PlaceboBuckets(grid=10, horizon=240, columns=(0, 1), minimum=minimum)


@settings(max_examples=60)
@given(st.integers(0, 10**6), st.integers(1, 8), st.lists(st.integers(0, 900), max_size=12))
def test_buckets_do_not_depend_on_how_often_they_are_closed(seed: int, minimum: int, stops: list[int]) -> None:
    """The same pairs give the same buckets, whether closed at every watermark or once."""
    rng = np.random.default_rng(seed)
    ts = np.sort(rng.integers(0, 800, int(rng.integers(0, 200))))
    folds = rng.integers(0, 2, len(ts))
    pairs = make(ts)

    def run(watermarks: list[int]) -> list[tuple[list[int], int]]:
        buckets, found, given_until = fresh(minimum), [], 0
        for watermark in watermarks:
            upto = int(np.searchsorted(ts, watermark))
            buckets.update(pairs.take(slice(given_until, upto)), folds[given_until:upto])
            given_until = max(given_until, upto)
            for batch, _ in buckets.close(watermark):
                found.append(sorted(batch.click.tolist()))
        return found

    assert run([*sorted(stops), 2_000]) == run([2_000])


def test_a_bucket_closes_when_every_fold_has_enough() -> None:
    """Small buckets keep real preference, so the least filled fold decides."""
    buckets = fresh(minimum=2)
    buckets.update(make(np.array([1, 2, 3, 12, 25])), np.array([0, 0, 0, 1, 1]))
    closed = buckets.close(100)
    assert [batch.ts.tolist() for batch, _ in closed] == [[1, 2, 3, 12, 25]]


def test_a_bucket_closes_at_a_quarter_of_the_horizon_with_too_few() -> None:
    """A bucket stays well under the horizon and the items' lifetime."""
    buckets = fresh(minimum=100)
    buckets.update(make(np.array([5, 64, 70])), np.array([0, 1, 0]))
    assert [batch.ts.tolist() for batch, _ in buckets.close(69)] == [[5]]
    assert buckets.closed_until == 60


def test_scoring_is_held_while_a_bucket_is_open() -> None:
    """Pairs of an open bucket are in no table, so no sample may need them yet."""
    buckets = fresh(minimum=100)
    buckets.update(make(np.array([35])), np.array([0]))
    buckets.close(59)
    assert buckets.closed_until <= 35


def test_without_pairs_the_watermark_passes() -> None:
    """An empty source must not stop the stream."""
    buckets = fresh(minimum=100)
    assert buckets.close(1_234) == []
    assert buckets.closed_until == 1_230


def test_a_pair_behind_a_closed_bucket_is_counted_and_happens_now() -> None:
    """A late side record is counted and takes effect from its place in the log."""
    buckets = fresh(minimum=1)
    buckets.close(500)
    buckets.update(make(np.array([3, 505])), np.array([0, 1]))
    assert buckets.late == 1
    assert [batch.ts.tolist() for batch, _ in buckets.close(600)] == [[500, 505]]


def test_restored_buckets_close_as_the_ones_they_were_taken_from() -> None:
    """Snapshot and restore change nothing."""
    first, second = fresh(minimum=3), fresh(minimum=3)
    first.update(make(np.arange(0, 90, 7)), np.arange(13) % 2)
    first.close(30)
    second.restore(first.snapshot())
    a, b = ([batch.ts.tolist() for batch, _ in buckets.close(400)] for buckets in (first, second))
    assert a == b
