"""Pair alignment's counts and intervals, against plain loops and explicit deletion."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lis_online.errors import BlockError
from lis_online.events.batches import PairBatch
from lis_online.events.hashing import group_of
from lis_online.metrics.alignment import (
    DISTANCES,
    FIXED,
    HALVES,
    LEFT_OUT,
    LENGTHS,
    LONGEST,
    NO_PAIRS,
    ONE_GROUP,
    PAIRS,
    PLACED,
    ROWS,
    VECTORS,
    Shape,
    Tallies,
    decode,
    distance,
    encode,
    length,
    merge,
    share,
    tally,
)
from lis_online.metrics.alignment_windows import AlignmentWindows
from lis_online.metrics.bins import GROUPS
from lis_online.metrics.estimate import T_QUANTILE, Estimate


def pairs(users: np.ndarray, clicks: np.ndarray) -> PairBatch:
    """Return pairs of some users and clicks; what else they hold does not matter here."""
    n, zero = len(users), np.zeros(len(users), np.int64)
    return PairBatch(zero, zero.astype(np.int16), zero, zero, users, clicks, np.ones(n, np.int32))


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(1, 9), st.sampled_from([-1, 0, 1, 2])), max_size=40))
def test_a_tally_counts_each_pair_once_in_its_users_group(rows: list[tuple[int, int, int]]) -> None:
    """A win counts two halves, a tie one; what could not be compared is counted apart; no user: the click's group."""
    users, clicks, outcome = (np.array([row[k] for row in rows], np.int64) for k in range(3))
    expected = np.zeros((ROWS, GROUPS), np.int64)
    for user, click, result in rows:
        group = int(group_of(np.array([user or click], np.int64), GROUPS)[0])
        if result < 0:
            expected[LEFT_OUT, group] += 1
        else:
            expected[HALVES, group] += result
            expected[PAIRS, group] += 1
    nothing = np.full((len(rows), 2), np.nan)
    assert np.array_equal(tally(pairs(users, clicks), outcome, Shape(nothing, nothing)), expected)


def test_a_tally_sums_what_the_vectors_of_its_pairs_are_like() -> None:
    """In fixed point; what has no vector, or no centroid before it, is not counted; what is absurd has a bound."""
    users, nan = np.array([1, 1, 2]), float("nan")
    shape = Shape(np.array([[1.5, nan], [2.0, 1e30], [0.25, 0.5]]), np.array([[nan, nan], [0.5, 2.0], [1.0, nan]]))
    found = tally(pairs(users, users), np.zeros(3, np.int64), shape)
    mine, other = group_of(np.array([1, 2], np.int64), GROUPS).tolist()
    assert found[[VECTORS, PLACED], mine].tolist() == [3, 2] and found[[VECTORS, PLACED], other].tolist() == [2, 1]
    assert found[LENGTHS].sum() == round((1.5 + 2.0 + LONGEST + 0.25 + 0.5) * FIXED)
    assert found[DISTANCES, mine] == 2.5 * FIXED and found[DISTANCES, other] == 1.0 * FIXED
    blocks = np.stack([found, found])
    assert length(blocks).value == pytest.approx((1.5 + 2.0 + LONGEST + 0.75) / 5)
    assert distance(blocks).value == pytest.approx(3.5 / 3) and distance(blocks * 0).reason == NO_PAIRS


def random_blocks(rng: np.random.Generator, blocks: int, most: int = 30) -> np.ndarray:
    """Return tallies by block of time."""
    counts = rng.integers(0, most, (blocks, GROUPS)) * (rng.random((blocks, GROUPS)) < 0.7)
    halves = rng.binomial(2 * counts, 0.6)
    lengths, distances = (rng.integers(0, FIXED, (blocks, GROUPS)) * counts for _ in range(2))
    rows = [halves, counts, counts // 5, 2 * counts, lengths, counts, distances]
    return np.stack(rows, axis=1).astype(np.int64)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 17))
def test_the_interval_is_the_wider_of_two_explicit_jackknives(seed: int, blocks: int) -> None:
    """One group of users, and one block of time, deleted at a time."""
    found = random_blocks(np.random.default_rng(seed), blocks)
    numbers = ((share, HALVES, PAIRS, 2), (length, LENGTHS, VECTORS, FIXED), (distance, DISTANCES, PLACED, FIXED))
    for number, row, count, unit in numbers:
        check_interval(number(found), found, row, count, unit)


def check_interval(estimate: Estimate, found: np.ndarray, row: int, count: int, unit: int) -> None:
    """Hold an estimate to explicit deletion. row, count: of the tallies; unit: what 1 adds."""
    blocks = len(found)

    def value(counts: np.ndarray) -> float:
        return float(counts[:, row].sum() / (unit * counts[:, count].sum()))

    def variance(deleted: list[float]) -> float:
        return (len(deleted) - 1) * float(np.var(deleted))

    groups = [g for g in range(GROUPS) if found[:, count, g].any()]
    times = [b for b in range(blocks) if found[b, count].any()]
    by_user = variance([value(np.delete(found, g, axis=2)) for g in groups])
    by_time = variance([value(np.delete(found, b, axis=0)) for b in times]) if len(times) > 1 else 0.0
    assert estimate.value == pytest.approx(value(found)) and estimate.stderr is not None
    assert estimate.stderr == pytest.approx(np.sqrt(max(by_user, by_time)))
    assert estimate.upper == pytest.approx(value(found) + T_QUANTILE * estimate.stderr)


def test_no_pairs_and_one_group_are_reasons_not_numbers() -> None:
    """None with a reason, never 0 and never an interval of no width."""
    empty = np.zeros((2, ROWS, GROUPS), np.int64)
    assert share(empty).reason == NO_PAIRS and share(empty[:0]).reason == NO_PAIRS
    empty[0, :, 3] = 4
    assert share(empty).reason == ONE_GROUP
    empty[0, :, 5] = 4
    assert share(empty).value == 0.5


def test_tallies_survive_their_bytes_and_other_bytes_are_refused() -> None:
    """Names of versions may hold anything printable."""
    block = random_blocks(np.random.default_rng(1), 2)
    found = decode(encode({("v", "2@a#é"): block[0], ("w", ""): block[1]}))
    assert list(found) == [("v", "2@a#é"), ("w", "")]
    assert np.array_equal(found["v", "2@a#é"], block[0]) and np.array_equal(found["w", ""], block[1])
    with pytest.raises(BlockError, match="pair alignment cannot be read"):
        decode(b"\xc1")


def summed(buckets: dict[int, Tallies], first: int, end: int) -> dict[tuple[str, str], tuple[int, int]]:
    """Return pairs and those left out of each version in the buckets of [first, end), by hand."""
    total: Tallies = {}
    for start, tallies in buckets.items():
        if first <= start < end:
            merge(total, tallies)
    return {key: (int(c[PAIRS].sum()), int(c[LEFT_OUT].sum())) for key, c in total.items()}


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(1, 12), min_size=1, max_size=60), st.integers(0, 30), st.integers(0, 59), st.data())
def test_windows_are_the_sums_of_their_buckets(gaps: list[int], silence: int, cut: int, data: st.DataObject) -> None:
    """Rolling, whole run and overlap, after any stream with gaps, any silence and a restart; memory is bounded."""
    starts = np.cumsum(gaps).tolist()
    rng = np.random.default_rng(7)
    buckets: dict[int, Tallies] = {}
    windows = AlignmentWindows(1, [5, 40], kept=20)
    since = data.draw(st.sampled_from(starts))
    begun = False
    for k, start in enumerate(starts):
        names = ["1"] if start < since else ["1", "2"]
        buckets[start] = {("v", name): random_blocks(rng, 1, most=3)[0] for name in names}
        windows.update([(start, encode(buckets[start]))], start + 1)
        if not begun and start >= since:
            windows.begin(since)
            begun = True
        if k == cut:
            again = AlignmentWindows(1, [5, 40], kept=20)
            again.restore(windows.snapshot())
            windows = again
    end = starts[-1] + 1 + silence
    windows.update([], end)

    def counts(found: dict) -> dict:  # type: ignore[type-arg]
        assert all(one.end == end for one in found.values())
        return {key: (one.pairs, one.left_out) for key, one in found.items()}

    for width in (5, 40):
        assert counts(windows.rolling(width)) == summed(buckets, end - width, end)
    assert counts(windows.between(end - 30, end - 10)) == summed(buckets, end - 30, end - 10)
    assert counts(windows.whole()) == summed(buckets, 0, end)
    assert counts(windows.overlap()) == summed(buckets, since, end)
    state = windows.snapshot()
    assert len(state["recent"]) <= 41 and len(state["whole"][1]) < 32
