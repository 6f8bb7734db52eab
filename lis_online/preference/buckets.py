"""Placebo buckets: when enough pairs of every fold are there to permute.

A bucket starts and ends on a grid in event time, at the first grid point with the minimum number of pairs
in every fold, or after a quarter of the horizon. All pairs of a bucket, real and placebo, are handed on
when it closes; scoring stays behind the last closed bucket.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from lis_online.events.batches import PairBatch

MAX_SHARE_OF_HORIZON = 4
"""A bucket is at most H / 4 long: it must stay well under the horizon (design, "The placebo's pairs")."""


class PlaceboBuckets:
    """The open bucket of one source and the pairs that wait for it or a later one."""

    def __init__(self, grid: int, horizon: int, columns: tuple[int, ...], minimum: int) -> None:
        """columns: the folds that must each hold the minimum."""
        self.grid = grid
        self.limit = max(grid, horizon // MAX_SHARE_OF_HORIZON // grid * grid)
        self.columns = columns
        self.minimum = minimum
        self.closed_until = 0
        self.late = 0
        self._waiting: list[tuple[PairBatch, np.ndarray]] = []

    def update(self, pairs: PairBatch, folds: np.ndarray) -> None:
        """Add pairs in any order. One that comes after its bucket has closed happens at the open one's start."""
        if not len(pairs):
            return
        behind = pairs.ts < self.closed_until
        if behind.any():
            self.late += int(behind.sum())
            pairs = pairs.take(slice(None))
            pairs.ts = np.maximum(pairs.ts, self.closed_until)
        self._waiting.append((pairs, folds))

    def close(self, known_until: int) -> list[tuple[PairBatch, np.ndarray]]:
        """Close the buckets that end at or before `known_until` and return each one's pairs and folds.

        known_until: every pair with a time before it has been given to `update`.
        """
        edge = known_until // self.grid * self.grid
        closed: list[tuple[PairBatch, np.ndarray]] = []
        while True:
            pairs, folds = self._pending()
            known = pairs.ts < edge
            if not known.any():
                self.closed_until = max(self.closed_until, edge)
                return closed
            end = self._end(pairs.ts[known], folds[known], edge)
            if end is None:
                return closed
            inside = pairs.ts < end
            closed.append((pairs.take(inside), folds[inside]))
            self._waiting = [(pairs.take(~inside), folds[~inside])]
            self.closed_until = end

    def _pending(self) -> tuple[PairBatch, np.ndarray]:
        if len(self._waiting) != 1:
            pairs = PairBatch.concatenate([p for p, _ in self._waiting])
            folds = np.concatenate([f for _, f in self._waiting] or [np.zeros(0, np.int64)])
            self._waiting = [(pairs, folds)]
        return self._waiting[0]

    def _end(self, ts: np.ndarray, folds: np.ndarray, edge: int) -> int | None:
        """Return the end of the first bucket that can close, or None. All pairs before `edge` are here.

        A bucket starts at the grid point before its first pair, so its limits depend on the pairs alone,
        not on how often `close` is called.
        """
        start = int(ts.min()) // self.grid * self.grid
        last = min(start + self.limit, edge)
        cells = (last - start) // self.grid
        known = ts < last
        counts = np.zeros((cells, max(self.columns) + 2), np.int64)
        np.add.at(counts, ((ts[known] - start) // self.grid, folds[known]), 1)
        full = (np.cumsum(counts, axis=0)[:, self.columns].min(axis=1) >= self.minimum).nonzero()[0]
        if len(full):
            return start + (int(full[0]) + 1) * self.grid
        return last if last == start + self.limit else None

    def snapshot(self) -> dict[str, Any]:
        """Return the state as msgpack-able data."""
        pairs, folds = self._pending()
        return {
            "pairs": pairs.encode(),
            "folds": folds.astype("<i8").tobytes(),
            "closed_until": self.closed_until,
            "late": self.late,
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Replace the state with that of `snapshot`."""
        self._waiting = [(PairBatch.decode(state["pairs"]), np.frombuffer(state["folds"], "<i8"))]
        self.closed_until = state["closed_until"]
        self.late = state["late"]
