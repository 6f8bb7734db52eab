"""Slates on their way: first until their counts can be read, then for the horizon H."""

from __future__ import annotations

from collections import deque
from typing import Any

import numpy as np

from lis_online.events.batches import SlateBatch
from lis_online.rankers.counts import DecayedCounts
from lis_online.snapshots.held_rows import PIECE
from lis_online.snapshots.packing import packing
from lis_online.snapshots.steps import Steps, at_once


class DelayLine:
    """Slates in the order (time, request), with their count features as of when they were served."""

    def __init__(self, counts: DecayedCounts, experiments: int) -> None:
        self.counts = counts
        self.experiments = experiments
        self._waiting: list[SlateBatch] = []
        self._line: deque[tuple[SlateBatch, np.ndarray]] = deque()
        self._served_until = -(2**62)
        self.late = 0

    @property
    def served_until(self) -> int:
        """The time before which every slate has its counts, ms: `take` knows of none from then on."""
        return self._served_until

    def update(self, slates: SlateBatch) -> None:
        """Add slates in any order. Those of a tick that has been read are dropped and counted."""
        behind = slates.ts < self._served_until
        if behind.any():
            self.late += int(behind.sum())
            slates = slates.take(np.flatnonzero(~behind))
        if len(slates):
            self._waiting.append(slates)

    def serve(self, complete_until: int) -> None:
        """Read the counts of every slate in a tick that ends at or before `complete_until`, ms.

        complete_until: every slate with a time before it has been given to `update`.
        """
        edge = complete_until // self.counts.tick * self.counts.tick
        self._served_until = max(self._served_until, edge)
        if not any((slates.ts < edge).any() for slates in self._waiting):
            return
        slates = SlateBatch.concatenate(self._waiting)
        due = slates.ts < edge
        self._waiting = [slates.take(np.flatnonzero(~due))] if not due.all() else []
        rows = np.flatnonzero(due)
        ready = slates.take(rows[np.lexsort((slates.request[rows], slates.ts[rows]))])
        self._line.append((ready, self.counts.update(ready)))

    def take(self, until: int) -> list[tuple[SlateBatch, np.ndarray]]:
        """Return and remove the slates with a time before `until`, in order."""
        taken = []
        while self._line and self._line[0][0].ts[0] < until:
            slates, counts = self._line.popleft()
            n = int(np.searchsorted(slates.ts, until))
            if n < len(slates):
                items = int(slates.n_items[:n].sum())
                self._line.appendleft((slates.take(np.arange(n, len(slates))), counts[items:]))
                slates, counts = slates.take(np.arange(n)), counts[:items]
            taken.append((slates, counts))
        return taken

    def snapshot(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """Return the state: msgpack-able data and arrays."""
        return at_once(self.begin_snapshot())

    def begin_snapshot(self) -> Steps[tuple[dict[str, Any], dict[str, np.ndarray]]]:
        """Take hold of the state; return the copying of it. Slates and their features never change in place."""
        none = SlateBatch.empty(self.experiments)
        return self._copying(
            {"served": self._served_until, "late": self.late},
            [none, *self._waiting],
            [none, *(slates for slates, _ in self._line)],
            [features for _, features in self._line],
            self.counts.begin_snapshot(),
        )

    def _copying(
        self,
        meta: dict[str, Any],
        waiting: list[SlateBatch],
        line: list[SlateBatch],
        features: list[np.ndarray],
        counts: Steps[dict[str, np.ndarray]],
    ) -> Steps[tuple[dict[str, Any], dict[str, np.ndarray]]]:
        of_counts = yield from counts
        packed = {"waiting": (yield from packing(waiting)), "line": (yield from packing(line))}
        arrays = {"features": (yield from _joined(features, self.counts.width))}
        return {**packed, **meta}, arrays | {f"counts.{name}": array for name, array in of_counts.items()}

    def restore(self, meta: dict[str, Any], arrays: dict[str, np.ndarray]) -> None:
        """Replace the state with that of `snapshot`."""
        waiting, line = SlateBatch.decode(meta["waiting"]), SlateBatch.decode(meta["line"])
        self._waiting = [waiting] if len(waiting) else []
        self._line = deque([(line, arrays["features"])] if len(line) else [])
        self._served_until, self.late = meta["served"], meta["late"]
        self.counts.restore(
            {name.removeprefix("counts."): a for name, a in arrays.items() if name.startswith("counts.")}
        )


def _joined(parts: list[np.ndarray], width: int) -> Steps[np.ndarray]:
    """Return float32 arrays [n, width] one after the other."""
    found = np.empty((sum(len(part) for part in parts), width), np.float32)
    together, at = max(1, PIECE // found[:1].nbytes) if found.size else 1, 0
    for part in parts:
        for first in range(0, len(part), together):
            piece = part[first : first + together]
            found[at : at + len(piece)] = piece
            at += len(piece)
            yield
    return found
