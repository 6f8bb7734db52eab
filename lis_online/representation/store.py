"""The vectors of one variant, as of a sample's time, on the ranker's device."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from lis_online.events.batches import VectorBatch
from lis_online.representation.index import MISSING, ItemIndex
from lis_online.representation.permutation import GrowingPermutation

CAPACITY = 1 << 20
"""Items held at most; the tenth that was published longest ago makes room."""

FIRST_ROWS = 1024


class VectorStore:
    """Newest vector of each item, normalised, float16 [rows, dimension]; `update` is called in time order.

    A vector is queued until the samples reach its time: `advance(t)` applies those with ts <= t. A step whose
    samples span several times advances to the last of them; only replacements cut it (`replacement_times`).
    """

    def __init__(self, dimension: int, device: torch.device, salt: int, capacity: int = CAPACITY) -> None:
        self.dimension = dimension
        self.device = device
        self.capacity = capacity
        self.late = 0
        self.time = -(2**62)
        self._queue: list[VectorBatch] = []
        self._index = ItemIndex()
        self._vectors = torch.zeros((0, dimension), dtype=torch.float16, device=device)
        self._published = np.zeros(0, np.int64)
        self._since = np.zeros(0, np.int64)
        self._permutation = GrowingPermutation(salt)
        self._free: list[int] = []

    def update(self, batch: VectorBatch) -> None:
        """Queue vectors. One whose time has been applied is counted and takes effect at once."""
        if len(batch):
            self.late += int((batch.ts <= self.time).sum())
            self._queue.append(batch)

    def replacement_times(self, first: int, last: int) -> np.ndarray:
        """Return the distinct times in (first, last] at which an item's vector gives way to another.

        An item's first vector needs no cut: `rows` hides it from samples before its time.
        """
        queued = self._queued()
        due = queued.ts <= last
        times, items = queued.ts[due], queued.item[due]
        _, inverse, counts = np.unique(items, return_inverse=True, return_counts=True)
        replaces = (self._index.get(items) != MISSING) | (counts[inverse] > 1)
        return np.unique(times[replaces & (times > first)])

    def advance(self, t: int) -> None:
        """Apply every queued vector with ts <= t, in the order (ts, item, version)."""
        self.time = max(self.time, t)
        queued = self._queued()
        due = queued.ts <= t
        if not due.any():
            return
        self._queue = [queued.take(~due)]
        batch = queued.take(due)
        batch = batch.take(np.lexsort((batch.version, batch.item, batch.ts)))
        last = _last_of_each(batch.item)
        self._apply(batch.take(last))

    def _queued(self) -> VectorBatch:
        if not self._queue:
            empty = np.zeros(0, np.int64)
            self._queue = [VectorBatch(empty, empty, empty, np.zeros((0, self.dimension), np.float16))]
        if len(self._queue) > 1:
            self._queue = [VectorBatch.concatenate(self._queue)]
        return self._queue[0]

    def _apply(self, batch: VectorBatch) -> None:
        rows = self._index.get(batch.item)
        new = np.flatnonzero(rows == MISSING)
        if len(new):
            rows[new] = self._take_rows(len(new))
            self._index.update(batch.item[new], rows[new])
            self._since[rows[new]] = batch.ts[new]
            for row in rows[new].tolist():
                self._permutation.update(row)
        self._published[rows] = batch.ts
        vectors = torch.from_numpy(batch.vector.astype(np.float32)).to(self.device)
        norms = vectors.norm(dim=1, keepdim=True).clamp_min(1e-12)
        self._vectors[torch.from_numpy(rows).to(self.device)] = (vectors / norms).half()

    def _take_rows(self, count: int) -> np.ndarray:
        while len(self._free) < count and len(self._published) < self.capacity:
            self._grow(min(self.capacity, max(FIRST_ROWS, 2 * len(self._published))))
        if len(self._free) < count:
            self._evict(max(count - len(self._free), self.capacity // 10))
        taken, self._free = self._free[:count], self._free[count:]
        return np.array(taken, np.int64)

    def _grow(self, rows: int) -> None:
        old = len(self._published)
        self._published = np.concatenate([self._published, np.zeros(rows - old, np.int64)])
        self._since = np.concatenate([self._since, np.zeros(rows - old, np.int64)])
        more = torch.zeros((rows - old, self.dimension), dtype=torch.float16, device=self.device)
        self._vectors = torch.cat([self._vectors, more])
        self._permutation.grow(rows)
        self._free += range(old, rows)

    def _evict(self, count: int) -> None:
        owned = self._index.rows
        oldest = owned[np.lexsort((owned, self._published[owned]))][:count]
        self._index.remove(oldest)
        for row in oldest.tolist():
            self._permutation.remove(row)
        self._free += sorted(oldest.tolist())

    def rows(self, items: np.ndarray, t: np.ndarray) -> np.ndarray:
        """Return the row of each item as of time t, ms: int64, same shape, MISSING where it has no vector yet.

        t: int64 that broadcasts to items.
        """
        rows = self._index.get(items)
        if not len(self._since):
            return rows
        return np.where((rows != MISSING) & (self._since[rows] <= t), rows, MISSING)

    def donors(self, rows: np.ndarray) -> np.ndarray:
        """Return the rows whose vectors stand in for some rows; MISSING stays MISSING."""
        return np.where(rows == MISSING, MISSING, self._permutation.donor[rows])

    def vectors(self, rows: Tensor) -> Tensor:
        """Return unit vectors, float32 [..., dimension], zeros for MISSING."""
        if not len(self._vectors):
            return torch.zeros((*rows.shape, self.dimension), device=self.device)
        return self._vectors[rows.clamp_min(0)].float() * (rows != MISSING)[..., None]

    def snapshot(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """Return the state: msgpack-able data and arrays."""
        meta = {"queue": self._queued().encode(), "free": self._free, "late": self.late, "time": self.time}
        arrays = {
            "items": self._index.items.copy(),
            "rows": self._index.rows.copy(),
            "published": self._published.copy(),
            "since": self._since.copy(),
            "donor": self._permutation.donor.copy(),
            "vectors": self._vectors.cpu().numpy().copy(),
        }
        return meta, arrays

    def restore(self, meta: dict[str, Any], arrays: dict[str, np.ndarray]) -> None:
        """Replace the state with that of `snapshot`."""
        self._queue = [VectorBatch.decode(meta["queue"])]
        self._free = list(meta["free"])
        self.late, self.time = meta["late"], meta["time"]
        self._index.items, self._index.rows = arrays["items"].copy(), arrays["rows"].copy()
        self._published, self._since = arrays["published"].copy(), arrays["since"].copy()
        self._permutation.donor = arrays["donor"].copy()
        self._vectors = torch.from_numpy(arrays["vectors"].copy()).to(self.device)


def _last_of_each(items: np.ndarray) -> np.ndarray:
    """Return, ascending, the last row of each item."""
    _, last = np.unique(items[::-1], return_index=True)
    return np.sort(len(items) - 1 - last)


def distinct_times(stores: Sequence[VectorStore], first: int, last: int) -> list[int]:
    """Return the times in (first, last] at which any store replaces a vector, ascending."""
    times = [store.replacement_times(first, last) for store in stores]
    return sorted({int(t) for part in times for t in part})
