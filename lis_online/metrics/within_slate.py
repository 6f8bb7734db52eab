"""AUC within a slate: the share of (positive, negative) pairs of one slate that a ranker puts in order."""

from __future__ import annotations

import numpy as np

from lis_online.compiled import compiled


@compiled
def within_slate_auc(logits: np.ndarray, label: np.ndarray, starts: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """Return each slate's AUC: float64 [rankers, slates]; a tie counts one half, 0 without both labels.

    logits: float [rankers, samples]; label: int [samples]; starts, sizes: int64 [slates], where each
    slate's samples begin and how many there are.

    >>> one = np.array([0, 3]), np.array([3, 0])
    >>> within_slate_auc(np.array([[2.0, 1.0, 2.0]]), np.array([1, 0, 0]), *one).tolist()
    [[0.75, 0.0]]
    """
    found = np.zeros((len(logits), len(sizes)))
    for slate in range(len(sizes)):
        begin, end = starts[slate], starts[slate] + sizes[slate]
        positives = 0
        for n in range(begin, end):
            positives += label[n] != 0
        pairs = positives * (sizes[slate] - positives)
        if not pairs:
            continue
        for ranker in range(len(logits)):
            won = 0
            for n in range(begin, end):
                if label[n]:
                    for other in range(begin, end):
                        if not label[other]:
                            above, below = logits[ranker, n], logits[ranker, other]
                            won += 2 * (above > below) + (above == below)
            found[ranker, slate] = won / (2 * pairs)
    return found
