"""`mix` in compiled loops: of one number, and of a few, for which numpy takes longer to begin than to end."""

from __future__ import annotations

import numpy as np

from lis_online.compiled import compiled
from lis_online.events.hashing import GOLDEN


@compiled
def mixed(value: int, salt: int) -> np.uint64:
    """Return what `lis_online.events.hashing.mix` returns of a number."""
    x = np.uint64(value) + np.uint64(GOLDEN) * np.uint64(salt + 1)
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


@compiled
def hashed(values: np.ndarray, salt: int, count: int) -> np.ndarray:
    """Return `mix` of some values, 0 to count - 1 each: int64."""
    found = np.empty(len(values), np.int64)
    for k in range(len(values)):
        found[k] = mixed(values[k], salt) % np.uint64(count)
    return found
