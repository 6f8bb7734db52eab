"""Rolling windows over random streams, every number recomputed from the raw samples."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lis_online.metrics.effective import effective_users
from lis_online.metrics.levels import Levels, calibration_levels, entropy_levels, levels
from lis_online.metrics.whole_run import WholeRun
from lis_online.metrics.windows import RollingWindow, Window
from tests.metrics import raw
from tests.metrics.raw import LAYOUT, RANKERS, Slate, statistics

LOGITS = [-40.0, -8.0, -7.99, -2.0, -1.0, -0.01, 0.0, 0.01, 0.015625, 1.0, 1.0001, 2.5, 7.999, 8.0, 31.0]
"""Ties, edges of bins, both ends, and beyond."""
BUCKET = 5
"""Ms."""


@st.composite
def slates(draw: st.DrawFn, buckets: int = 40) -> Slate:
    """Draw a slate of one to four items somewhere in the stream; few users, so that groups repeat."""
    labels = draw(st.lists(st.integers(0, 1), min_size=1, max_size=4))
    logits = np.random.default_rng(draw(st.integers(0, 2**16))).choice(LOGITS, (RANKERS, len(labels)))
    start, user, surface = draw(st.integers(0, buckets - 1)) * BUCKET, draw(st.integers(1, 9)), draw(st.integers(0, 2))
    return Slate(start, user, surface, tuple(labels), logits.astype(np.float32))


STREAM = st.lists(slates(), max_size=14)


def in_buckets(stream: Sequence[Slate]) -> dict[int, list[Slate]]:
    """Return the slates of each bucket."""
    return {start: [s for s in stream if s.start == start] for start in sorted({s.start for s in stream})}


def check(
    found: Levels, column: int, ranker: int, metrics: tuple[raw.Metric, raw.Metric], kept: list[Slate], width: int
) -> None:
    """Compare a column with the raw samples': value, every deletion and both variances, in every slice.

    metrics: what the value is, and what its deletions are (of an AUC: of coarser bins).
    """
    whole, without = metrics
    blocks = sorted({s.start // width for s in kept})
    keys: tuple[Callable[[Slate], int], ...] = (lambda s: s.group, lambda s: blocks.index(s.start // width))
    for index in range(len(LAYOUT.slices)):
        mine = [s for s in kept if s.is_in(index)]
        close = {"rel": 1e-6, "abs": 2e-5, "nan_ok": True}
        assert found.value[index, column] == pytest.approx(whole(mine, ranker), **close)
        for by, deleted, variance in zip(keys, (found.user, found.time), found.variances(), strict=True):
            expected = raw.deletions(without, mine, ranker, by)
            for group, value in expected.items():
                assert deleted[index, column, group] == pytest.approx(value, **close)
            jackknife = raw.variance(list(expected.values()))
            assert variance[index, column] == pytest.approx(jackknife, rel=1e-2, abs=1e-6, nan_ok=True)


def check_all(window: Window, kept: list[Slate], width: int) -> None:
    """Compare AUC, GAUC, normalised entropy and calibration of a window with those of its raw samples."""
    # A slice's GAUC jackknife deletes the groups that have a slate with both labels: the others change nothing.
    aucs, gaucs = levels(window, "auc"), levels(window, "gauc")
    for ranker in (0, 3, RANKERS - 1):
        check(aucs, ranker, ranker, (raw.auc(32), raw.auc(256)), kept, width)
    mixed = [s for s in kept if len(set(s.labels)) == 2]
    at = [sorted({s.start // width for s in kept}).index(b) for b in sorted({s.start // width for s in mixed})]
    only = Levels(gaucs.value, gaucs.user, gaucs.time[:, :, at], gaucs.has_user, gaucs.has_time[:, :, at])
    check(only, 1, 1, (raw.gauc, raw.gauc), mixed, width)
    check(entropy_levels(window), 0, 0, (raw.normalised_entropy, raw.normalised_entropy), kept, width)
    check(calibration_levels(window), 0, 0, (raw.calibration, raw.calibration), kept, width)


@settings(max_examples=25)
@given(STREAM, st.randoms(use_true_random=False), st.sampled_from([1, 7, 20, 40]), st.integers(0, 60), st.booleans())
def test_a_window_says_what_its_raw_samples_say(
    stream: list[Slate], random: object, length: int, silence: int, read_between: bool
) -> None:
    """Buckets in any order, late ones too, read on the way or not, after any silence: the window is its raw samples."""
    window = RollingWindow(LAYOUT, length * BUCKET, BUCKET)
    buckets = list(in_buckets(stream).items())
    random.shuffle(buckets)  # type: ignore[attr-defined]
    end = 0
    for start, members in buckets:
        window.update(start, statistics(members))
        end = max(end, start + BUCKET)
        if read_between:
            window.get(end)
    end += silence * BUCKET
    found = window.get(end)
    assert found.end - found.start == length * BUCKET
    kept = [s for s in stream if found.start <= s.start < found.end]
    assert len(found.blocks) == len({s.start // window.width for s in kept})
    assert found.total.samples == sum(len(s.labels) for s in kept)
    check_all(found, kept, window.width)


@settings(max_examples=10)
@given(st.lists(slates(buckets=400), max_size=14), st.randoms(use_true_random=False))
def test_a_whole_run_says_what_its_raw_samples_say(stream: list[Slate], random: object) -> None:
    """Everything since the warm-up, buckets in any order."""
    whole = WholeRun(LAYOUT, BUCKET)
    buckets = list(in_buckets(stream).items())
    random.shuffle(buckets)  # type: ignore[attr-defined]
    for start, members in buckets:
        whole.update(start, statistics(members))
    found = whole.get()
    if found is None:
        assert not stream
        return
    assert (found.start, found.end) == (min(s.start for s in stream), max(s.start for s in stream) + BUCKET)
    check_all(found, stream, whole._width)


@settings(max_examples=25)
@given(STREAM, STREAM, st.integers(1, 3))
def test_statistics_are_those_of_the_samples_however_they_came(one: list[Slate], two: list[Slate], parts: int) -> None:
    """Batches of any size, two shards merged: counts and users are those of a loop over all slates."""
    merged = statistics(two)
    for at in range(parts):
        merged.merge(statistics(one[at::parts]))
    both = one + two
    for index in range(len(LAYOUT.slices)):
        mine = [s for s in both if s.is_in(index)]
        mixed = sum(len(set(s.labels)) == 2 for s in mine)
        expected = [sum(len(s.labels) for s in mine), sum(sum(s.labels) for s in mine), len(mine), mixed]
        assert merged.counts[index].sum(axis=0).tolist() == expected
        users = {u: sum(len(s.labels) for s in mine if s.user == u) for u in {s.user for s in mine}}
        assert sorted(x for x in merged.users[index].tolist() if x) == sorted(users.values())
        found, total = float(effective_users(merged.users[index])), sum(users.values())
        if total:
            kish = total**2 / sum(n * n for n in users.values())
            assert found == pytest.approx(min(kish, total), rel=0.01)
        else:
            assert np.isnan(found)
