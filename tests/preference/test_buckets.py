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


def walked(
    ts: list[int], folds: list[int], edge: int, horizon: int, columns: tuple[int, ...], minimum: int
) -> tuple[list[list[int]], int]:
    """Return the times of each bucket that closes before `edge`, and until when, walking the grid of 10 ms."""
    limit = max(10, horizon // 40 * 10)
    rest, closed, until = sorted(zip(ts, folds, strict=True)), [], 0
    edge -= edge % 10
    while rest and rest[0][0] < edge:
        start = rest[0][0] - rest[0][0] % 10
        for end in range(start + 10, edge + 1, 10):
            inside = [fold for t, fold in rest if t < end]
            if min(inside.count(column) for column in columns) >= minimum or end - start == limit:
                break
        else:
            return closed, until
        closed.append([t for t, _ in rest if t < end])
        rest, until = [entry for entry in rest if entry[0] >= end], end
    return closed, max(until, edge)


PAIR = st.tuples(st.integers(0, 300), st.integers(-1, 2))


@settings(max_examples=150)
@given(
    st.lists(PAIR, max_size=40),
    st.integers(0, 340),
    st.sampled_from([30, 95, 240]),
    st.sampled_from([(0, 1), (2,)]),
    st.integers(1, 4),
)
def test_buckets_are_those_of_a_walk_along_the_grid(
    pairs: list[tuple[int, int]], edge: int, horizon: int, columns: tuple[int, ...], minimum: int
) -> None:
    """The first grid point with enough pairs of every fold that counts, or a quarter of the horizon; pairs whole."""
    ts, folds = [t for t, _ in pairs], [fold for _, fold in pairs]
    buckets = PlaceboBuckets(grid=10, horizon=horizon, columns=columns, minimum=minimum)
    batch = make(np.array(ts, np.int64))
    cut = len(pairs) // 2
    buckets.update(batch.take(slice(cut)), np.array(folds[:cut], np.int64))
    buckets.update(batch.take(slice(cut, None)), np.array(folds[cut:], np.int64))
    closed = buckets.close(edge)
    expected, until = walked(ts, folds, edge, horizon, columns, minimum)
    assert [sorted(found.ts.tolist()) for found, _ in closed] == expected
    assert buckets.closed_until == until and buckets.late == 0
    of_pair = dict(zip(batch.click.tolist(), folds, strict=True))
    for found, its_folds in closed:
        assert its_folds.tolist() == [of_pair[click] for click in found.click.tolist()]


def test_only_what_is_behind_is_late() -> None:
    """A pair at the very end of the last closed bucket is in time; the batch that was given is left as it was."""
    buckets = fresh(minimum=1)
    assert (buckets.closed_until, buckets.late) == (0, 0)
    buckets.update(make(np.array([0])), np.array([0]))
    buckets.close(500)
    given_pairs = make(np.array([3, 499, 500, 505]))
    buckets.update(given_pairs, np.array([0, 1, 0, 1]))
    assert buckets.late == 2
    assert given_pairs.ts.tolist() == [3, 499, 500, 505]
    assert [batch.ts.tolist() for batch, _ in buckets.close(600)] == [[500, 500, 500, 505]]


def test_a_checkpoint_holds_all_of_it() -> None:
    """Pairs, folds, until when it is closed, and how many came late."""
    first, second = fresh(minimum=2), fresh(minimum=2)
    first.close(120)
    first.update(make(np.array([120, 130, 131])), np.array([0, 1, 0]))
    first.update(make(np.array([1])), np.array([1]))
    second.restore(first.snapshot())
    assert (second.closed_until, second.late) == (first.closed_until, first.late) == (120, 1)
    a, b = (buckets.close(1_000) for buckets in (first, second))
    assert [(x.columns()["click"].tolist(), f.tolist()) for x, f in a] == [
        (x.columns()["click"].tolist(), f.tolist()) for x, f in b
    ]
