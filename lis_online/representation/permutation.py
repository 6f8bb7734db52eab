"""A random permutation that grows and shrinks: whose vector the permuted ranker sees.

Rows are permuted within blocks of rows that came about the same time, one to one at every moment, so the
permuted variant has the same vectors, the same coverage and a cosine of 1 with itself in the same
places: what remains is what similarity features give without meaning.
"""

from __future__ import annotations

import numpy as np

from lis_online.compiled import compiled
from lis_online.events.hash_loop import mixed

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

    def update(self, rows: np.ndarray) -> None:
        """Put free rows into their blocks' cycles, one after the other. rows: int64."""
        _enter(self.donor, rows, BLOCK, self.salt)

    def remove(self, rows: np.ndarray) -> None:
        """Take rows out of their blocks' cycles. rows: int64."""
        _leave(self.donor, rows, BLOCK)


@compiled
def _enter(donor: np.ndarray, rows: np.ndarray, block: int, salt: int) -> None:
    members = np.empty(block, np.int64)
    for row in rows:
        start, count = row // block * block, 0
        for other in range(start, min(start + block, len(donor))):
            if donor[other] != FREE:
                members[count] = other
                count += 1
        if count == 0:
            donor[row] = row
            continue
        other = members[mixed(row + count, salt) % np.uint64(count)]
        donor[row], donor[other] = donor[other], row


@compiled
def _leave(donor: np.ndarray, rows: np.ndarray, block: int) -> None:
    for row in rows:
        before = row // block * block
        while donor[before] != row:
            before += 1
        donor[before] = donor[row]
        donor[row] = FREE
