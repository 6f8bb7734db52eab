"""Pair alignment in the rank shard, against a search through the raw pairs and vectors."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from lis_online.events.batches import PairBatch, VectorBatch
from lis_online.events.hashing import id_hash
from lis_online.metrics.alignment import (
    DISTANCES,
    FIXED,
    HALVES,
    LENGTHS,
    PAIRS,
    PLACED,
    Tallies,
    decode,
    merge,
    share,
)
from lis_online.metrics.alignment import LEFT_OUT as LEFT_OUT_ROW
from lis_online.metrics.alignment import VECTORS as VECTORS_ROW
from lis_online.preference.leak import Leak
from lis_online.representation.centroid import Centroid
from lis_online.representation.newest import NewestVectors
from lis_online.settings import Settings
from lis_online.shards.pair_alignment import LEFT_OUT, PairAlignments, judge
from lis_online.shards.pair_intake import PairIntake
from lis_online.snapshots.steps import at_once
from tests.shards.village import buckets, calm

BUCKET = 60_000
SETTINGS = Settings.of(
    {
        "leakage": {"horizon": "16m", "memory": "30m", "folds": 2, "placebo_pairs": 5, "sketch_bits": 10},
        "metrics": {"bucket": "1m", "windows": ["5m"]},
        "preference": [{"name": "own"}, {"name": "other"}],
        "variant": [{"name": "v", "preference": "own", "dimension": 3}],
    }
)
Row = tuple[int, int, int, int, int]
"""Time, items a, b and b' (0: none), user."""


def pair_batch(rows: Sequence[Row], source: int = 0) -> PairBatch:
    """Return pairs; each its own click."""
    ts, a, b, _, user = (np.array(column, np.int64) for column in zip(*rows, strict=True))
    n = len(rows)
    return PairBatch(ts, np.full(n, source, np.int16), a, b, user, np.arange(1, n + 1), np.ones(n, np.int32))


def vector_batch(rows: Sequence[tuple[int, int, str, tuple[int, ...]]]) -> VectorBatch:
    """Return vectors of (time, item, version, numbers)."""
    ts, item, version, numbers = zip(*rows, strict=True)
    hashes = np.array([id_hash(name) for name in version], np.int64)
    return VectorBatch(np.array(ts), np.array(item), hashes, np.array(numbers, np.float16))


VECTORS = st.lists(
    st.tuples(
        st.integers(0, 5 * BUCKET),
        st.integers(1, 4),
        st.just("1"),
        st.tuples(*[st.integers(-2, 2)] * 3),
    ),
    max_size=12,
    unique_by=lambda row: row[:2],
)
PAIRS_OF = st.lists(
    st.tuples(
        st.integers(0, 5 * BUCKET), st.integers(1, 5), st.integers(1, 5), st.integers(0, 5), st.integers(0, 3)
    ).filter(lambda row: row[1] != row[2]),
    min_size=1,
    max_size=12,
)


def cosine(x: np.ndarray, y: np.ndarray) -> float:
    """Return the cosine of two vectors, 0 where one has no length."""
    norms = np.linalg.norm(x) * np.linalg.norm(y)
    return float(x @ y / norms) if norms else 0.0


def expected(row: Row, vectors: Sequence[tuple[int, int, str, tuple[int, ...]]]) -> int:
    """Return what becomes of a pair, by looking through all vectors."""
    t, a, b, other, _ = row
    newest = {}
    for ts, item, _, numbers in sorted(vectors):
        if ts <= t:
            newest[item] = np.array(numbers, float)
    if other in (0, a) or not {a, b, other} <= set(newest):
        return LEFT_OUT
    gap = cosine(newest[a], newest[b]) - cosine(newest[a], newest[other])
    return 1 if abs(gap) < 1e-9 else 2 if gap > 0 else 0


@settings(max_examples=60, deadline=None)
@given(VECTORS, PAIRS_OF, st.integers(0, 12))
def test_counts_equal_a_search_through_raw_pairs_and_vectors(
    vectors: list[tuple[int, int, str, tuple[int, ...]]], rows: list[Row], cut: int
) -> None:
    """As of each pair's own time, ties one half, missing items and pairs without b' counted apart, bucket by bucket."""
    rows = sorted(rows)
    alignments = PairAlignments(SETTINGS)
    pieces = [rows[:cut], rows[cut:]]
    if vectors:
        alignments.update_vectors(0, vector_batch(vectors), ["1"])
    for piece in pieces:
        if piece:
            other = np.array([row[3] for row in piece])
            alignments.update_pairs(0, pair_batch(piece), other, other > 0)
            alignments.update_pairs(1, pair_batch(piece, 1), other, other > 0)  # of another source: not judged
    found = {start: decode(data)["v", "1"] for start, data in alignments.take(2**62)}
    since = min((ts for ts, *_ in vectors), default=2**62)
    wanted: dict[int, list[int]] = {}
    for row in rows:
        if row[0] >= since:
            outcome = expected(row, vectors)
            counts = wanted.setdefault(row[0] // BUCKET * BUCKET, [0, 0, 0])
            counts[HALVES] += max(outcome, 0)
            counts[PAIRS] += outcome >= 0
            counts[LEFT_OUT_ROW] += outcome < 0
    assert {start: counts.sum(axis=1).tolist()[: LEFT_OUT_ROW + 1] for start, counts in found.items()} == wanted
    assert alignments.take(2**62) == []


def test_a_pair_of_equal_cosines_is_a_tie_to_the_last_bit() -> None:
    """A b' that is b is a tie whatever the vectors; a itself is no item to compare with."""
    rng = np.random.default_rng(5)
    store = NewestVectors(64)
    ones = np.ones(50, np.int64)
    store.update(VectorBatch(0 * ones, np.arange(1, 51), ones, rng.normal(size=(50, 64)).astype(np.float16)))
    a, b = np.arange(1, 26), np.arange(26, 51)
    rows = [(1, int(x), int(y), 0, 1) for x, y in zip(a, b, strict=True)]
    for other, outcome in ((b, 1), (a, LEFT_OUT)):
        assert judge(store, pair_batch(rows), other, Centroid(64))[0].tolist() == [outcome] * 25


def test_lengths_and_distances_are_those_of_the_vectors_as_they_came() -> None:
    """Each pair's two items, as of its time, against the centroid of all that were seen in the buckets before."""
    rng = np.random.default_rng(6)
    numbers = rng.integers(-4, 5, (6, 3)) + 0.5
    alignments = PairAlignments(SETTINGS)
    alignments.update_vectors(0, vector_batch([(0, k + 1, "1", tuple(v)) for k, v in enumerate(numbers)]), ["1"])
    pieces = [[(10 + k, *rng.choice(6, 2, replace=False) + 1, 9, k) for k in range(8)] for _ in range(3)]
    seen: list[np.ndarray] = []
    lengths, distances, placed = 0.0, 0.0, 0
    for piece in pieces:
        rows = [(t, int(a), int(b), other, user) for t, a, b, other, user in piece]
        alignments.update_pairs(0, pair_batch(rows), np.full(8, 9), np.zeros(8, bool))
        mine = [numbers[item - 1] for row in rows for item in row[1:3]]
        lengths += sum(float(np.linalg.norm(v)) for v in mine)
        if seen:
            centre = sum(v / np.linalg.norm(v) for v in seen)
            distances += sum(1 - cosine(v, np.asarray(centre)) for v in mine)
            placed += len(mine)
        seen += mine
        again = PairAlignments(SETTINGS)
        again.restore(*at_once(alignments.begin_snapshot()))
        alignments = again
    [(_, data)] = alignments.take(2**62)
    total = decode(data)["v", "1"].sum(axis=1)
    assert total[[VECTORS_ROW, PLACED]].tolist() == [48, placed] == [48, 32]
    assert total[LENGTHS] / FIXED == pytest.approx(lengths, abs=48 / FIXED)
    assert total[DISTANCES] / FIXED == pytest.approx(distances, abs=32 / FIXED)


def test_a_second_version_is_judged_from_its_first_vector_on_beside_the_first() -> None:
    """Both versions see the pairs of their own time; the old one goes on."""
    alignments = PairAlignments(SETTINGS)
    near, far = (1, 0, 0), (0, 1, 0)
    first = [(0, item, "1", numbers) for item, numbers in ((1, near), (2, near), (3, far))]
    second = [(BUCKET + 5, item, "2", numbers) for item, numbers in ((1, near), (2, far), (3, near))]
    alignments.update_vectors(0, vector_batch(first), ["1"])
    alignments.update_vectors(0, vector_batch(second), ["2"])
    rows = [(t, 1, 2, 3, 1) for t in (10, BUCKET + 4, BUCKET + 5, 2 * BUCKET)]
    alignments.update_pairs(0, pair_batch(rows), np.full(4, 3), np.ones(4, bool))
    found = {start: decode(data) for start, data in alignments.take(2**62)}
    counts = {
        (start // BUCKET, key[1]): c.sum(axis=1).tolist()[: LEFT_OUT_ROW + 1]
        for start, one in found.items()
        for key, c in one.items()
    }
    assert counts == {
        (0, "1"): [2, 1, 0],
        (1, "1"): [4, 2, 0],
        (2, "1"): [2, 1, 0],
        (1, "2"): [0, 1, 0],
        (2, "2"): [0, 1, 0],
    }


def test_the_second_item_of_the_comparison_is_the_placebos() -> None:
    """It is what the placebo gives a in b's place: as popular, of the same bucket and fold."""
    leakage = SETTINGS.leakage
    seen: list[tuple[PairBatch, np.ndarray, np.ndarray]] = []
    intake = PairIntake(SETTINGS, Leak(leakage.horizon, leakage.memory, leakage.folds), torch.device("cpu"))
    assert intake.sketches is not None
    intake.alignments.update_pairs = lambda source, *rest: seen.append(rest)  # type: ignore[method-assign]
    placebos: list[PairBatch] = []
    intake.sketches.update = lambda source, real, folds, placebo, of: placebos.append(placebo)  # type: ignore[method-assign, assignment]
    rng = np.random.default_rng(3)
    rows = [(int(t), int(a), int(a) + 50, 0, int(u)) for t, a, u in rng.integers(1, 40, (60, 3))]
    intake.update(pair_batch(sorted(rows)))
    intake.close(10 * leakage.horizon)
    (real, other, compared), (placebo,) = seen[0], placebos
    assert len(real) == 60 and compared.sum() == len(placebo)
    made = sorted(zip(real.item_a[compared].tolist(), other[compared].tolist(), strict=True))
    assert made == sorted(zip(placebo.item_a.tolist(), placebo.item_b.tolist(), strict=True))


@cache
def village() -> Tallies:
    """Return the pair alignment of the simulated village's whole run."""
    total: Tallies = {}
    for bucket in buckets(calm()):
        for _, data in bucket.alignment:
            merge(total, decode(data))
    return total


def test_a_random_variant_has_a_half_and_a_good_one_far_more() -> None:
    """Without meaning a cosine prefers neither item; with meaning it prefers the pair's own."""
    good, chance = (share(village()[name, "1"][None]) for name in ("good", "random"))
    assert chance.lower is not None and chance.upper is not None and good.lower is not None
    assert chance.lower < 0.5 < chance.upper and chance.upper - chance.lower < 0.2
    assert good.lower > 0.7


@pytest.mark.parametrize("final", [False, True])
def test_a_bucket_of_pair_time_is_sent_once_as_soon_as_it_is_whole(final: bool) -> None:
    """Up to H after the samples' bucket, never in two records; what is left goes with the last record."""
    horizon, sent = 6 * 60_000, buckets(calm())
    starts = [start for bucket in sent for start, _ in bucket.alignment]
    assert len(starts) == len(set(starts)) and starts == sorted(starts)
    for bucket in sent:
        if bucket.final == final and not final:
            assert all(start + 4 * 60_000 <= bucket.end + horizon for start, _ in bucket.alignment)
    reached = [max((start for start, _ in b.alignment), default=0) for b in sent if not b.final]
    assert max(reached) > max(b.end for b in sent if not b.final) - 2 * horizon
