"""The newest vector of each item as of any time that has not been left behind: what a fresh pair is judged by."""

from __future__ import annotations

import weakref
from typing import Any, Final

import numpy as np

from lis_online.events.batches import VectorBatch
from lis_online.representation.index import MISSING
from lis_online.representation.queue import VectorQueue
from lis_online.representation.rows import CAPACITY, Rows
from lis_online.snapshots.held_rows import HeldRows
from lis_online.snapshots.packing import packing
from lis_online.snapshots.steps import Steps, at_once

SMALLEST: Final = 1e-12
"""A shorter vector has a cosine of 0 with every other."""


class NewestVectors:
    """float16 vectors, as they came; `update` in any order, `get` and `advance` at times that never fall back.

    It is read H before the rankers' own stores are, so it keeps its own copy, in plain memory.
    """

    def __init__(self, dimension: int, capacity: int = CAPACITY) -> None:
        self.dimension = dimension
        self._queue = VectorQueue(dimension)
        self._rows = Rows(capacity)
        self._vectors = np.zeros((0, dimension), np.float16)
        self._held: weakref.ref[HeldRows] | None = None

    def update(self, batch: VectorBatch) -> None:
        """Queue vectors."""
        self._queue.update(batch)

    def get(self, items: np.ndarray, t: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return each item's vector as of its time t, ms, at or after the last `advance`.

        float32 [n, dimension] of unit length (zeros where there is none), float32 [n] how long it was, bool [n] whether
        there is one.
        """
        rows = self._rows.get(items)
        known = rows != MISSING
        if len(self._vectors):
            found = self._vectors[np.maximum(rows, 0)].astype(np.float32)
            found[~known] = 0
        else:
            found = np.zeros((len(items), self.dimension), np.float32)
        queued = self._queue.get()
        at = _newest_before(queued, items, t)
        fresh = at != MISSING
        if fresh.any():
            found[fresh] = queued.vector[at[fresh]]
        lengths = np.sqrt(np.einsum("nd,nd->n", found, found))
        found /= np.maximum(lengths, SMALLEST)[:, None]
        return found, lengths, known | fresh

    def advance(self, t: int) -> None:
        """Leave the times up to t, ms, behind."""
        batch = self._queue.take(t, self._rows.capacity)
        if batch is None:
            return
        rows = self._rows.update(batch.item, batch.ts).rows
        held = None if self._held is None else self._held()
        if held is not None:
            held.keep(rows)
        more = self._rows.size - len(self._vectors)
        if more:
            self._vectors = np.concatenate([self._vectors, np.zeros((more, self.dimension), np.float16)])
        self._vectors[rows] = batch.vector

    def snapshot(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """Return the state: msgpack-able data and arrays."""
        return at_once(self.begin_snapshot())

    def begin_snapshot(self) -> Steps[tuple[dict[str, Any], dict[str, np.ndarray]]]:
        """Take hold of the state; return the copying of it."""
        held = HeldRows(self._vectors)
        self._held = weakref.ref(held)  # it lives as long as the copying does: then nothing needs to be kept
        return _copying(self._queue.get(), held, self._rows.begin_snapshot())

    def restore(self, meta: dict[str, Any], arrays: dict[str, np.ndarray]) -> None:
        """Replace the state with that of `snapshot`."""
        self._queue.restore(meta["queue"])
        self._rows.restore(meta["free"], arrays)
        self._vectors = arrays["vectors"]


def _copying(
    queued: VectorBatch, held: HeldRows, rows: Steps[tuple[list[int], dict[str, np.ndarray]]]
) -> Steps[tuple[dict[str, Any], dict[str, np.ndarray]]]:
    (vectors,) = yield from held.copying()
    free, arrays = yield from rows
    queue = yield from packing([queued])
    return {"queue": queue, "free": free}, {**arrays, "vectors": vectors}


def _newest_before(queued: VectorBatch, items: np.ndarray, t: np.ndarray) -> np.ndarray:
    """Return the queue's row that is an item's newest at or before its time: int64 [n], MISSING where none is."""
    n = len(queued)
    if not n:
        return np.full(len(items), MISSING, np.int64)
    asked = np.concatenate([np.zeros(n, bool), np.ones(len(items), bool)])
    item, ts = np.concatenate([queued.item, items]), np.concatenate([queued.ts, t])
    version = np.concatenate([queued.version, np.zeros(len(items), np.int64)])
    order = np.lexsort((version, asked, ts, item))
    place = np.where(asked[order], -1, np.arange(len(order)))
    before = np.maximum.accumulate(place)
    newest = np.where(before >= 0, order[np.maximum(before, 0)], MISSING)
    newest = np.where((newest != MISSING) & (item[newest] == item[order]), newest, MISSING)
    found = np.empty(len(order), np.int64)
    found[order] = newest
    return found[n:]
