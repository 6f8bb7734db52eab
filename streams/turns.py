"""How many records a shard is fed at once, so that a turn stays short."""

from __future__ import annotations

LONGEST_TURN = 0.5
"""Seconds a feed call aims at. Between calls checkpoints, rebalances and SIGTERM get their turn."""


class TurnLength:
    """The number of records of the next turn, learnt from how long the last ones took.

    most: the highest it gets. It starts at one record, because the first may be heavy (200 records
    of the rank log made one turn of 13.8 s), doubles at most, and falls at once.

    >>> turn = TurnLength(most=8)
    >>> for _ in range(4):
    ...     turn.update(seconds=0.001)
    >>> turn.get()
    8
    >>> turn.update(seconds=2.0)
    >>> turn.get()
    2
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._records = 1.0

    def get(self) -> int:
        """Return how many records to feed next, at least 1."""
        return max(1, min(self._most, int(self._records)))

    def update(self, seconds: float) -> None:
        """Take in how long a turn of `get()` records took."""
        factor = min(2.0, LONGEST_TURN / max(seconds, 1e-6))
        self._records = max(1.0, min(float(self._most), self.get() * factor))
