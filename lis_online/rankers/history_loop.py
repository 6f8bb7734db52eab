"""What a sample has to do with its user's history, entry after entry on a CPU."""

from __future__ import annotations

from typing import Final

import numpy as np

from lis_online.compiled import compiled

HOUR: Final = 3_600_000
UNKNOWN_HOURS: Final = 24.0
"""The age of an entry that has none."""


@compiled
def fill_histories(
    n_history: np.ndarray, history: np.ndarray, history_age: np.ndarray, items: np.ndarray, ages: np.ndarray
) -> None:
    """Put each slate's newest entries at the beginning of its row: int64 [slates, length]."""
    end, length = 0, items.shape[1]
    for slate in range(len(n_history)):
        end += n_history[slate]
        kept = min(n_history[slate], length)
        for k in range(kept):
            items[slate, k] = history[end - kept + k]
            ages[slate, k] = history_age[end - kept + k]


@compiled
def count_repeats(item: np.ndarray, slate: np.ndarray, history: np.ndarray, ages: np.ndarray) -> np.ndarray:
    """Return how often and how recently the candidate is itself in the history: float64 [samples, 2].

    item, slate: int64 [samples]; history, ages: int64 [slates, K], age in ms or -1.
    """
    out = np.zeros((len(item), 2))
    for n in range(len(item)):
        count = 0
        for k in range(history.shape[1]):
            if history[slate[n], k] != item[n]:
                continue
            count += 1
            age = ages[slate[n], k]
            hours = age / HOUR if age >= 0 else UNKNOWN_HOURS
            out[n, 1] = max(out[n, 1], 1 / (1 + hours))
        out[n, 0] = np.log1p(float(count))
    return out
