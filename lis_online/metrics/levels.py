"""Each ranker's metric in a window, and the same without one group of users or one block of time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from lis_online.metrics.auc import auc, calibration, divide, normalised_entropy
from lis_online.metrics.bins import COARSE_PLACES, FINE_PLACES, FIXED
from lis_online.metrics.jackknife import jackknife_covariance, jackknife_variance
from lis_online.metrics.statistics import GAUC, LOG_LOSS, MIXED, POSITIVES, PREDICTED, SAMPLES
from lis_online.metrics.windows import Window

Metric = Literal["auc", "gauc"]
_UNLEAKED: Final = slice(0, 1)
_CHUNK: Final = 8
"""Rankers at a time: their histograms stay in a core's cache, twice as fast as all at once (measured)."""


@dataclass(frozen=True, slots=True)
class Levels:
    """Estimates and their deletions, over S slices, C columns (rankers, or differences of them), groups.

    value: float64 [S, C]; user: [S, C, groups]; time: [S, C, blocks]; NaN where there is none.
    has_user: bool [S, 1, groups]; has_time: [S, 1, blocks]: which of them have data.
    """

    value: np.ndarray
    user: np.ndarray
    time: np.ndarray
    has_user: np.ndarray
    has_time: np.ndarray

    def minus(self, first: list[int], second: list[int]) -> Levels:
        """Return the differences of columns, pair by pair."""
        value, user, time = (x[:, first] - x[:, second] for x in (self.value, self.user, self.time))
        return Levels(value, user, time, self.has_user, self.has_time)

    def take(self, columns: list[int]) -> Levels:
        """Return some columns."""
        value, user, time = (x[:, columns] for x in (self.value, self.user, self.time))
        return Levels(value, user, time, self.has_user, self.has_time)

    def variances(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the variance by user and by time: float64 [S, C] each."""
        return jackknife_variance(self.user, self.has_user), jackknife_variance(self.time, self.has_time)

    def covariances(self, other: Levels) -> tuple[np.ndarray, np.ndarray]:
        """Return the covariance with another's columns, by user and by time: float64 [S, C] each."""
        return (
            jackknife_covariance(self.user, other.user, self.has_user),
            jackknife_covariance(self.time, other.time, self.has_time),
        )


def levels(window: Window, metric: Metric, rankers: slice = slice(None)) -> Levels:
    """Return AUC or GAUC of the rankers."""
    return _auc_levels(window, rankers) if metric == "auc" else _gauc_levels(window, rankers)


def entropy_levels(window: Window) -> Levels:
    """Return the unleaked ranker's normalised entropy, as one column."""
    return _ratio_levels(
        window,
        _UNLEAKED,
        lambda sums, counts: normalised_entropy(
            sums[..., LOG_LOSS] / FIXED, counts[..., SAMPLES], counts[..., POSITIVES]
        ),
        SAMPLES,
    )


def calibration_levels(window: Window) -> Levels:
    """Return the unleaked ranker's calibration, as one column."""
    return _ratio_levels(
        window,
        _UNLEAKED,
        lambda sums, counts: calibration(sums[..., PREDICTED] / FIXED, counts[..., POSITIVES]),
        SAMPLES,
    )


def _auc_levels(window: Window, rankers: slice) -> Levels:
    whole = window.total
    coarse, places = whole.coarse[:, rankers], whole.coarse_places[:, rankers]
    blocks = [(block.coarse[:, rankers], block.coarse_places[:, rankers]) for block in window.blocks]
    slices, columns, groups = coarse.shape[:3]
    user, time = np.full((slices, columns, groups), np.nan), np.full((slices, columns, len(blocks)), np.nan)
    value = np.full((slices, columns), np.nan)
    for s in np.flatnonzero(whole.counts[..., SAMPLES].sum(axis=1)):
        value[s] = auc(whole.fine[s, rankers], whole.fine_places[s, rankers], FINE_PLACES)
        for first in range(0, columns, _CHUNK):
            at = s, slice(first, first + _CHUNK)
            total, within = (x[at].sum(axis=1, keepdims=True, dtype=x.dtype) for x in (coarse, places))
            user[at] = auc(total - coarse[at], within - places[at], COARSE_PLACES)
            if blocks:
                counts, sums = (np.stack([block[k][at] for block in blocks], axis=1) for k in (0, 1))
                time[at] = auc(total - counts, within - sums, COARSE_PLACES)
    return Levels(value, user, time, *_present(window, SAMPLES))


def _gauc_levels(window: Window, rankers: slice) -> Levels:
    def mean(sums: np.ndarray, counts: np.ndarray) -> np.ndarray:
        return divide(sums[..., GAUC] / FIXED, counts[..., MIXED])

    return _ratio_levels(window, rankers, mean, MIXED)


def _ratio_levels(
    window: Window, rankers: slice, metric: Callable[[np.ndarray, np.ndarray], np.ndarray], column: int
) -> Levels:
    """Return a metric of sums [S, C, groups, 3] and counts [S, 1, groups, 4]; column: the count it needs."""
    sums = window.total.sums[:, rankers]
    counts = window.total.counts[:, None]
    block_sums = _stacked([block.sums[:, rankers] for block in window.blocks], sums.sum(axis=2))
    block_counts = _stacked([block.counts[:, None] for block in window.blocks], counts.sum(axis=2))
    all_sums, all_counts = sums.sum(axis=2, keepdims=True), counts.sum(axis=2, keepdims=True)
    value = metric(all_sums, all_counts)[..., 0]
    user = metric(all_sums - sums, all_counts - counts)
    time = metric(all_sums - block_sums, all_counts - block_counts)
    return Levels(value, user, time, *_present(window, column))


def _present(window: Window, column: int) -> tuple[np.ndarray, np.ndarray]:
    by_user = window.total.counts[:, None, :, column] > 0
    by_time = _stacked([block.counts[:, None, column] for block in window.blocks], by_user[:, :, 0]) > 0
    return by_user, by_time


def _stacked(blocks: list[np.ndarray], like: np.ndarray) -> np.ndarray:
    """Return the blocks [S, C, blocks, ...], also where there are none; like: an array of a block's shape."""
    return np.stack(blocks, axis=2) if blocks else np.zeros((*like.shape[:2], 0, *like.shape[2:]), np.int64)
