"""A cap on the samples that one user adds to a bucket, so that bots do not become the metric."""

from __future__ import annotations

import numpy as np


class UserCap:
    """The samples each user has in one bucket so far. Whole slates beyond the limit stay out.

    >>> cap = UserCap(limit=5)
    >>> cap.update(np.array([7, 7, 8]), np.array([3, 3, 3])).tolist()
    [True, False, True]
    """

    def __init__(self, limit: int) -> None:
        if limit < 1:
            raise ValueError(f"limit must be >= 1, got {limit}")
        self.limit = limit
        self._samples: dict[int, int] = {}

    def update(self, user: np.ndarray, sizes: np.ndarray) -> np.ndarray:
        """Count slates in order and return which may be measured: bool [slates].

        user: int64 [slates], id hashes; sizes: int [slates], samples of each.
        """
        kept = np.zeros(len(user), np.bool_)
        for row, (one, size) in enumerate(zip(user.tolist(), sizes.tolist(), strict=True)):
            total = self._samples.get(one, 0) + size
            if total <= self.limit:
                self._samples[one] = total
                kept[row] = True
        return kept

    def clear(self) -> None:
        """Begin a new bucket."""
        self._samples.clear()

    def snapshot(self) -> np.ndarray:
        """Return the counts: int64 [users, 2], hash and samples."""
        return np.array(list(self._samples.items()), np.int64).reshape(-1, 2)

    def restore(self, counts: np.ndarray) -> None:
        """Replace the counts by those of `snapshot`."""
        self._samples = {int(user): int(samples) for user, samples in counts}
