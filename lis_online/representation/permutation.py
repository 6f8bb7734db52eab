"""A random permutation that grows and shrinks: whose vector the permuted ranker sees.

Rows are permuted within blocks of rows that came about the same time, one to one at every moment, so the
permuted variant has the same vectors, the same coverage and a cosine of 1 with itself in the same
places: what remains is what similarity features give without meaning.
"""

from __future__ import annotations

import numpy as np

from lis_online.events.hashing import mix

BLOCK = 512
"""Rows permuted among each other: items of about the same age, enough of them to carry no meaning."""

FREE = -1


class GrowingPermutation:
    """`donor[row]`: the row whose vector stands in for row's. No fixed point in a block of two or more.

    Sattolo's algorithm (1986), run from the inside out: a new row takes the donor of a random
    row of its block and becomes that row's donor, which keeps one cycle per block.
    """

    def __init__(self, salt: int) -> None:
        self.salt = salt
        self.donor = np.zeros(0, np.int64)

    def grow(self, rows: int) -> None:
        """Make room for rows 0 to rows - 1."""
        self.donor = np.concatenate([self.donor, np.full(max(0, rows - len(self.donor)), FREE, np.int64)])

    def update(self, row: int) -> None:
        """Put a free row into its block's cycle."""
        start = row // BLOCK * BLOCK
        block = np.flatnonzero(self.donor[start : start + BLOCK] != FREE)
        if not len(block):
            self.donor[row] = row
            return
        draw = int(mix(np.array([row + len(block)], np.int64), self.salt)[0] % np.uint64(len(block)))
        other = start + int(block[draw])
        self.donor[row], self.donor[other] = self.donor[other], row

    def remove(self, row: int) -> None:
        """Take a row out of its block's cycle."""
        start = row // BLOCK * BLOCK
        before = start + int(np.flatnonzero(self.donor[start : start + BLOCK] == row)[0])
        self.donor[before] = self.donor[row]
        self.donor[row] = FREE
