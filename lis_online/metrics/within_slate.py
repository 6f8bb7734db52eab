"""AUC within a slate: the share of (positive, negative) pairs of one slate that a ranker puts in order."""

from __future__ import annotations

import numpy as np


def within_slate_auc(logits: np.ndarray, label: np.ndarray, starts: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """Return each slate's AUC: float64 [rankers, slates]; a tie counts one half, 0 without both labels.

    logits: float [rankers, samples]; label: int [samples]; starts, sizes: int64 [slates], where each
    slate's samples begin and how many there are.

    >>> one = np.array([0, 3]), np.array([3, 0])
    >>> within_slate_auc(np.array([[2.0, 1.0, 2.0]]), np.array([1, 0, 0]), *one).tolist()
    [[0.75, 0.0]]
    """
    slate = np.repeat(np.arange(len(sizes)), sizes)
    positives = np.flatnonzero(label)
    others = sizes[slate[positives]]
    first = np.repeat(starts[slate[positives]], others)
    other = first + np.arange(others.sum()) - np.repeat(np.cumsum(others) - others, others)
    positive = np.repeat(positives, others)
    wanted = label[other] == 0
    positive, other = positive[wanted], other[wanted]
    above = (logits[:, positive] > logits[:, other]).astype(np.int64) * 2 + (logits[:, positive] == logits[:, other])
    won = segment_sums(above, np.bincount(slate[positive], minlength=len(sizes)))
    pairs = np.bincount(slate[positive], minlength=len(sizes))
    return won / np.maximum(2 * pairs, 1)


def segment_sums(values: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """Return the sums of consecutive segments of the last axis: whole numbers, segments may be empty.

    >>> segment_sums(np.array([[1, 2, 3]]), np.array([2, 0, 1])).tolist()
    [[3, 0, 3]]
    """
    running = np.zeros((*values.shape[:-1], values.shape[-1] + 1), np.int64)
    np.cumsum(values, axis=-1, out=running[..., 1:])
    ends = np.cumsum(sizes)
    return running[..., ends] - running[..., ends - sizes]
