"""What bins cost an AUC, a difference of two and its standard error, against full sorts, at every size."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from scipy.stats import rankdata

from lis_online.events.hashing import group_of
from lis_online.metrics.levels import Levels, levels
from lis_online.metrics.scored import Scored
from lis_online.metrics.statistics import Statistics
from lis_online.metrics.windows import RollingWindow
from tests.metrics.raw import LAYOUT

SIZES = {500: 24, 5_000: 8, 50_000: 2, 500_000: 1}
"""Samples, and how many feeds of that size an error is the root mean square of: a single small one may be unlucky."""
APART = {"leaked:coclick": 0.25, "past:coclick": 0.05, "placebo:coclick": 0.02, "thinned:coclick": 0.01}
"""Spread of the logits' difference from the unleaked ranker's, whose own spread is 0.26 (measured: docs/bins.md)."""
PAIRS = [(size, name) for size in SIZES for name in APART if (size, APART[name]) != (500, 0.01)]
"""A difference of 0.01 among 50 positives is a few swapped neighbours: no bin tells, and nothing is judged by it."""


@cache
def feed(size: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, Levels]:
    """Return logits, labels and user groups of correlated rankers, and what the statistics make of them."""
    rng = np.random.default_rng([size, seed])
    truth = rng.normal(-2.2, 0.26, size)
    label = (rng.random(size) < 1 / (1 + np.exp(-truth))).astype(np.uint8)
    logits = np.tile(truth + rng.normal(0, 0.1, size), (len(LAYOUT.rankers), 1))
    for name, spread in APART.items():
        logits[LAYOUT.rankers.index(name)] += rng.normal(0, spread, size)
    logits = logits.astype(np.float32)
    user = rng.integers(1, size // 20, size // 5)
    batch = Scored(
        logits, label, np.repeat(np.arange(len(user)), 5), user,
        LAYOUT.memberships(np.zeros(len(user), np.int64), np.zeros((len(user), 0), np.int64)),
        np.zeros((1, size), np.bool_), np.zeros((1, size), np.float32), np.zeros((0, size), np.bool_),
    )  # fmt: skip
    statistics, window = Statistics(LAYOUT), RollingWindow(LAYOUT, 10, 10)
    statistics.update(batch)
    window.update(0, statistics)
    return logits, label, np.repeat(group_of(user, 32), 5), levels(window.get(10), "auc")


def delong(label: np.ndarray, first: np.ndarray, second: np.ndarray) -> tuple[float, float]:
    """Return a difference of two AUCs and its standard error by placements (DeLong and others 1988)."""
    high, low = [], []
    for logits in (first, second):
        rank, positive = rankdata(logits), label == 1
        p, n = int(positive.sum()), int((~positive).sum())
        high.append((rank[positive] - rankdata(logits[positive])) / n)
        low.append(1 - (rank[~positive] - rankdata(logits[~positive])) / p)
    of_high, of_low = high[0] - high[1], low[0] - low[1]
    variance = of_high.var(ddof=1) / len(of_high) + of_low.var(ddof=1) / len(of_low)
    return float(of_high.mean()), float(np.sqrt(variance))


def sorted_auc(label: np.ndarray, logits: np.ndarray) -> float:
    """Return AUC by a full sort."""
    positives = int(label.sum())
    won = rankdata(logits)[label == 1].sum() - positives * (positives + 1) / 2
    return float(won / (positives * (len(label) - positives)))


def rms(errors: list[float]) -> float:
    """Return the root mean square."""
    return float(np.sqrt(np.mean(np.square(errors))))


@pytest.mark.parametrize("size", SIZES)
def test_the_bins_cost_a_level_under_a_tenth_of_its_standard_error(size: int) -> None:
    """Against a full sort, at every size."""
    logits, label, _, found = feed(size, 0)
    nothing = np.zeros(size)
    for ranker, row in enumerate(logits):
        value, stderr = delong(label, row, nothing)
        assert abs(found.value[0, ranker] - 0.5 - value) < 0.1 * stderr


@pytest.mark.parametrize(("size", "name"), PAIRS)
def test_the_bins_cost_a_difference_under_a_tenth_of_its_standard_error(size: int, name: str) -> None:
    """The number that counts: two rankers on the same samples, however little their logits differ."""
    first, second = LAYOUT.rankers.index(name), LAYOUT.rankers.index("unleaked")
    errors = []
    for seed in range(SIZES[size]):
        logits, label, _, found = feed(size, seed)
        value, stderr = delong(label, logits[first], logits[second])
        errors.append((found.value[0, first] - found.value[0, second] - value) / stderr)
    assert rms(errors) < 0.1


@pytest.mark.parametrize(("size", "name"), [pair for pair in PAIRS if pair[0] < max(SIZES)])
def test_the_bins_cost_the_standard_error_under_a_tenth(size: int, name: str) -> None:
    """The jackknife from coarse bins is the jackknife by a full sort of the samples that are left."""
    first, second = LAYOUT.rankers.index(name), LAYOUT.rankers.index("unleaked")
    ratios = []
    for seed in range(SIZES[size]):
        logits, label, group, found = feed(size, seed)
        by_user, _ = found.minus([first], [second]).variances()
        kept = [group != one for one in np.unique(group)]
        deleted = [sorted_auc(label[k], logits[first, k]) - sorted_auc(label[k], logits[second, k]) for k in kept]
        ratios.append(by_user[0, 0] / ((len(deleted) - 1) * np.var(deleted)))
    assert np.sqrt(np.mean(ratios)) == pytest.approx(1, abs=0.1)
