"""The vectors of one variant, as of a sample's time, on the ranker's device."""

from __future__ import annotations

import weakref
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from lis_online.events.batches import VectorBatch
from lis_online.representation.index import MISSING
from lis_online.representation.permutation import BLOCK, GrowingPermutation
from lis_online.representation.queue import VectorQueue
from lis_online.representation.rows import CAPACITY, Rows
from lis_online.snapshots.held_rows import HeldRows
from lis_online.snapshots.packing import packing
from lis_online.snapshots.steps import Steps, at_once
from lis_online.transfers import sent


class VectorStore:
    """Newest vector of each item, normalised, float16 [rows, dimension]; `update` is called in time order.

    A vector is queued until the samples reach its time: `advance(t)` applies those with ts <= t. A step whose
    samples span several times advances to the last of them; only replacements cut it (`replacement_times`).
    """

    def __init__(self, dimension: int, device: torch.device, salt: int, capacity: int = CAPACITY) -> None:
        self.dimension = dimension
        self.device = device
        self._queue = VectorQueue(dimension)
        self._rows = Rows(capacity)
        self._vectors = torch.zeros((0, dimension), dtype=torch.float16, device=device)
        self._since = np.zeros(0, np.int64)
        self._permutation = GrowingPermutation(salt)
        self._held: weakref.ref[_Held] | None = None

    def update(self, batch: VectorBatch) -> None:
        """Queue vectors. One whose time has been applied takes effect with the next `advance`."""
        self._queue.update(batch)

    def replacement_times(self, first: int, last: int) -> np.ndarray:
        """Return the distinct times in (first, last] at which an item's vector gives way to another.

        An item's first vector needs no cut: `rows` hides it from samples before its time. Neither does one that is
        delivered twice: of one time there is one vector.
        """
        queued = self._queue.get()
        due = queued.ts <= last
        if not due.any():
            return np.zeros(0, np.int64)
        items, times = _once(queued.item[due], queued.ts[due])
        _, inverse, counts = np.unique(items, return_inverse=True, return_counts=True)
        replaces = (self._rows.get(items) != MISSING) | (counts[inverse] > 1)
        return np.unique(times[replaces & (times > first)])

    def advance(self, t: int) -> None:
        """Apply every queued vector with ts <= t, in the order (ts, item, version)."""
        batch = self._queue.take(t, self._rows.capacity)
        if batch is not None:
            self._apply(batch)

    def _apply(self, batch: VectorBatch) -> None:
        placed = self._rows.update(batch.item, batch.ts)
        rows, new = placed.rows, placed.rows[placed.new]
        held = None if self._held is None else self._held()
        if held is not None:
            held.keep(rows, np.concatenate([new, placed.evicted]))
        self._grow(self._rows.size)
        self._permutation.remove(placed.evicted)
        self._since[new] = batch.ts[placed.new]
        self._permutation.update(new)
        vectors = sent(batch.vector.astype(np.float32), self.device)
        norms = vectors.norm(dim=1, keepdim=True).clamp_min(1e-12)
        self._vectors[sent(rows, self.device)] = (vectors / norms).half()

    def _grow(self, rows: int) -> None:
        old = len(self._since)
        if rows == old:
            return
        self._since = np.concatenate([self._since, np.zeros(rows - old, np.int64)])
        more = torch.zeros((rows - old, self.dimension), dtype=torch.float16, device=self.device)
        self._vectors = torch.cat([self._vectors, more])
        self._permutation.grow(rows)

    def rows(self, items: np.ndarray, t: np.ndarray) -> np.ndarray:
        """Return the row of each item as of time t, ms: int64, same shape, MISSING where it has no vector yet.

        t: int64 that broadcasts to items.
        """
        rows = self._rows.get(items)
        if not len(self._since):
            return rows
        return np.where((rows != MISSING) & (self._since[rows] <= t), rows, MISSING)

    def donors(self, rows: np.ndarray) -> np.ndarray:
        """Return the rows whose vectors stand in for some rows; MISSING stays MISSING."""
        if not len(self._since):
            return rows
        return np.where(rows == MISSING, MISSING, self._permutation.donor[rows])

    def vectors(self, rows: Tensor) -> Tensor:
        """Return unit vectors, float32 [..., dimension]; any for MISSING."""
        if not len(self._vectors):
            return torch.zeros((*rows.shape, self.dimension), device=self.device)
        gathered = self._vectors.index_select(0, rows.flatten().clamp_min(0))
        return gathered.float().view(*rows.shape, self.dimension)

    def snapshot(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """Return the state: msgpack-able data and arrays."""
        return at_once(self.begin_snapshot())

    def begin_snapshot(self) -> Steps[tuple[dict[str, Any], dict[str, np.ndarray]]]:
        """Take hold of the state; return the copying of it."""
        held = _Held(HeldRows(self._since, self._vectors), HeldRows(self._permutation.donor))
        self._held = weakref.ref(held)  # it lives as long as the copying does: then nothing needs to be kept
        return _copying(self._queue.get(), held, self._rows.begin_snapshot())

    def restore(self, meta: dict[str, Any], arrays: dict[str, np.ndarray]) -> None:
        """Replace the state with that of `snapshot`."""
        self._queue.restore(meta["queue"])
        self._rows.restore(meta["free"], arrays)
        self._since = arrays["since"]
        self._permutation.donor = arrays["donor"]
        self._vectors = sent(arrays["vectors"], self.device)


@dataclass(frozen=True, eq=False)
class _Held:
    """What a snapshot of a store is copied from."""

    rows: HeldRows
    donors: HeldRows

    def keep(self, rows: np.ndarray, placed: np.ndarray) -> None:
        """Set rows aside that are about to change, and the blocks of those that come into use or go out of it."""
        self.rows.keep(rows)
        self.donors.keep((np.unique(placed // BLOCK)[:, None] * BLOCK + np.arange(BLOCK)).ravel())


def _copying(
    queued: VectorBatch, held: _Held, rows: Steps[tuple[list[int], dict[str, np.ndarray]]]
) -> Steps[tuple[dict[str, Any], dict[str, np.ndarray]]]:
    since, vectors = yield from held.rows.copying()
    (donor,) = yield from held.donors.copying()
    free, arrays = yield from rows
    queue = yield from packing([queued])
    return {"queue": queue, "free": free}, {**arrays, "since": since, "donor": donor, "vectors": vectors}


def _once(items: np.ndarray, times: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return each pair of item and time once."""
    order = np.lexsort((times, items))
    items, times = items[order], times[order]
    first = np.ones(len(items), bool)
    first[1:] = (items[1:] != items[:-1]) | (times[1:] != times[:-1])
    return items[first], times[first]


def distinct_times(stores: Sequence[VectorStore], first: int, last: int) -> list[int]:
    """Return the times in (first, last] at which any store replaces a vector, ascending."""
    times = [store.replacement_times(first, last) for store in stores]
    return sorted({int(t) for part in times for t in part})
