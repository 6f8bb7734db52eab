"""How many samples resolve a gap of AUC: of the paired design, and of two halves of the users with a ranker each."""

from __future__ import annotations

import numpy as np

from lis_online.metrics.auc import auc
from lis_online.metrics.bins import COARSE_PLACES, GROUPS
from lis_online.metrics.estimate import RESOLUTION
from lis_online.metrics.jackknife import jackknife_variance
from lis_online.metrics.statistics import SAMPLES, Statistics


def needed(variance: float, samples: int) -> float:
    """Return of how many samples two standard errors would be RESOLUTION; variance: of so many samples."""
    return samples * 4 * variance / RESOLUTION**2


def paired(statistics: Statistics, first: int, second: int) -> float:
    """Return the variance of the difference of two rankers' AUCs over all users, by jackknife over users' groups."""
    groups = np.arange(GROUPS)
    return _variance(statistics, groups, _deleted(statistics, first, groups) - _deleted(statistics, second, groups))


def unpaired(statistics: Statistics, first: int, second: int) -> float:
    """Return the variance of the difference where one half of the users sees one ranker, the other half the other.

    The mean over both ways to assign the halves.
    """
    halves = np.arange(0, GROUPS, 2), np.arange(1, GROUPS, 2)
    both = [
        _variance(statistics, groups, _deleted(statistics, ranker, groups))
        for ranker in (first, second)
        for groups in halves
    ]
    return sum(both) / 2


def _deleted(statistics: Statistics, ranker: int, groups: np.ndarray) -> np.ndarray:
    """Return a ranker's AUC over groups of users without one at a time: float64 [groups]."""
    histogram, places = statistics.coarse[0, ranker, groups], statistics.coarse_places[0, ranker, groups]
    return auc(histogram.sum(axis=0) - histogram, places.sum(axis=0) - places, COARSE_PLACES)


def _variance(statistics: Statistics, groups: np.ndarray, deleted: np.ndarray) -> float:
    return float(jackknife_variance(deleted, statistics.counts[0, groups, SAMPLES] > 0))
