"""Decayed counts against a sum over all events."""

import numpy as np
import pytest

from lis_online.events.batches import SlateBatch
from lis_online.rankers.counts import PRIOR_CLICKS, PRIOR_IMPRESSIONS, DecayedCounts
from lis_online.snapshots.steps import at_once

HALF_LIVES = [60_000, 3_600_000]
TICK = 10_000


def slates(rng: np.random.Generator, count: int, start: int, span: int) -> SlateBatch:
    """Return slates of three items out of 20, a third of them clicked within 30 s."""
    ts = np.sort(rng.integers(start, start + span, count))
    n = 3 * count
    clicked = rng.random(n) < 0.3
    zero = np.zeros(n, np.int64)
    return SlateBatch(
        ts, np.arange(count), np.ones(count, np.int64), np.zeros(count, np.int16), np.zeros((count, 0), np.int16),
        np.full(count, 3, np.int32), np.zeros(count, np.int32), rng.integers(1, 21, n), clicked.astype(np.uint8),
        np.where(clicked, rng.integers(0, 30_000, n), -1), np.zeros(n, np.int16), zero, zero, zero - 1,
        np.zeros(0, np.int64), np.zeros(0, np.int64),
    )  # fmt: skip


def brute_force(batch: SlateBatch, half_life: int) -> tuple[np.ndarray, np.ndarray]:
    """Return decayed impressions and clicks of each sample's item at the start of its tick."""
    t = np.repeat(batch.ts, batch.n_items)
    impressions, clicks = np.zeros(len(t)), np.zeros(len(t))
    for k in range(len(t)):
        now = t[k] // TICK * TICK
        same = batch.item == batch.item[k]
        served = same & (t < now)
        clicked = same & (batch.delay >= 0) & (t + batch.delay < now)
        impressions[k] = (0.5 ** ((now - t[served]) / half_life)).sum()
        clicks[k] = (0.5 ** ((now - (t + batch.delay)[clicked]) / half_life)).sum()
    return impressions, clicks


@pytest.mark.parametrize("pieces", [1, 7])
def test_counts_equal_a_sum_over_all_earlier_events(pieces: int) -> None:
    """As known when the impression was served, at several half-lives, in whatever pieces the ticks come."""
    rng = np.random.default_rng(2)
    batch = slates(rng, 150, 10**12, 1_200_000)
    counts = DecayedCounts(16, HALF_LIVES, TICK)
    ticks = batch.ts // TICK
    piece = (ticks - ticks[0]) * pieces // (ticks[-1] - ticks[0] + 1)
    got = np.concatenate([counts.update(batch.take(np.flatnonzero(piece == p))) for p in range(pieces)])
    for k, half_life in enumerate(HALF_LIVES):
        impressions, clicks = brute_force(batch, half_life)
        rate = (clicks + PRIOR_CLICKS) / (impressions + PRIOR_IMPRESSIONS) * (PRIOR_IMPRESSIONS / PRIOR_CLICKS)
        assert np.allclose(got[:, k], np.log1p(impressions) / 4, atol=1e-5)
        assert np.allclose(got[:, 2 + k], np.log1p(clicks) / 2, atol=1e-5)
        assert np.allclose(got[:, 4 + k], np.log(rate), atol=1e-5)


def test_counts_stay_finite_over_years() -> None:
    """The scale moves before a float overflows; what is old is forgotten."""
    rng = np.random.default_rng(3)
    counts = DecayedCounts(10, HALF_LIVES, TICK)
    for year in range(3):
        got = counts.update(slates(rng, 20, 10**12 + year * 31_536_000_000, 100_000))
        assert np.isfinite(got).all()
        assert got[:3, 0].max() == 0


def test_restored_counts_go_on_exactly() -> None:
    """Snapshot and restore change nothing, pending clicks included."""
    rng = np.random.default_rng(4)
    first, second = DecayedCounts(10, HALF_LIVES, TICK), DecayedCounts(10, HALF_LIVES, TICK)
    first.update(slates(rng, 50, 10**12, 300_000))
    second.restore(first.snapshot())
    following = slates(rng, 50, 10**12 + 300_000, 300_000)
    assert np.array_equal(first.update(following), second.update(following))


@pytest.mark.parametrize("later", [300_000, 31_536_000_000])
def test_a_copy_in_steps_is_of_its_beginning(later: int) -> None:
    """Also where the scale moves meanwhile."""
    rng = np.random.default_rng(6)
    counts = DecayedCounts(10, HALF_LIVES, TICK)
    counts.update(slates(rng, 50, 10**12, 300_000))
    expected = counts.snapshot()
    copying = counts.begin_snapshot()
    counts.update(slates(rng, 50, 10**12 + later, 300_000))
    copied = at_once(copying)
    assert all(np.array_equal(array, copied[name]) for name, array in expected.items())
    assert not np.array_equal(counts.snapshot()["values"], expected["values"])


def test_a_short_half_life_moves_its_scale_alone() -> None:
    """Hours of a short half-life are minutes of a long one: neither overflows, and both keep what they should."""
    rng = np.random.default_rng(5)
    counts = DecayedCounts(10, HALF_LIVES, TICK)
    parts = [slates(rng, 4, 10**12 + hour * 3_600_000, 30_000) for hour in range(40)]
    last = [counts.update(part) for part in parts][-1]
    every = SlateBatch.concatenate(parts)
    for k, half_life in enumerate(HALF_LIVES):
        impressions, clicks = brute_force(every, half_life)
        assert np.allclose(last[:, k], np.log1p(impressions[-12:]) / 4, atol=1e-5)
        assert np.allclose(last[:, 2 + k], np.log1p(clicks[-12:]) / 2, atol=1e-5)
