"""The delete-one-group jackknife over the last axis (Quenouille 1956; Efron 1982, section 4)."""

from __future__ import annotations

import numpy as np


def jackknife_covariance(first: np.ndarray, second: np.ndarray, present: np.ndarray) -> np.ndarray:
    """Return the covariance of two estimates: float64 [...], NaN with fewer than two groups.

    first, second: float64 [..., groups], each estimate without one group at a time; present: bool
    [..., groups], which groups have data: to leave out an empty one is no deletion.

    >>> x = np.array([1.0, 2.0, 4.0, 9.0])  # a mean: the classical variance of it
    >>> deleted = (x.sum() - x) / 3
    >>> float(jackknife_covariance(deleted, deleted, np.ones(4, bool))), float(x.var(ddof=1) / 4)
    (3.166666666666667, 3.1666666666666665)
    """
    groups = np.broadcast_to(present, first.shape).sum(axis=-1)
    enough = groups >= 2
    count = np.where(enough, groups, 2)
    a = _centred(first, present, count)
    b = a if second is first else _centred(second, present, count)
    covariance = (a * b).sum(axis=-1) * ((count - 1) / count)
    return np.where(enough, covariance, np.nan)


def jackknife_variance(deleted: np.ndarray, present: np.ndarray) -> np.ndarray:
    """Return the variance of an estimate: `jackknife_covariance` with itself."""
    return jackknife_covariance(deleted, deleted, present)


def wider(by_user: np.ndarray, by_time: np.ndarray) -> np.ndarray:
    """Return the larger variance; that by time is left out where there are too few blocks for one.

    NaN where there is none by user.
    """
    return np.where(np.isnan(by_user), np.nan, np.fmax(by_user, by_time))


def _centred(deleted: np.ndarray, present: np.ndarray, count: np.ndarray) -> np.ndarray:
    kept = np.where(present, deleted, 0.0)
    mean = kept.sum(axis=-1, keepdims=True) / np.asarray(count)[..., None]
    return np.where(present, deleted - mean, 0.0)
