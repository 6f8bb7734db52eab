"""Applied impressions whose attribution window is open."""

from __future__ import annotations

from array import array
from collections import deque
from collections.abc import Container, Iterator
from typing import Final

import numpy as np

from lis_online.join import saved
from lis_online.join.pending import Pending
from lis_online.snapshots.contract import Snapshot
from lis_online.snapshots.steps import Steps

_ROWS: Final = 512
"""Impressions of a chunk: packing one takes a few ms."""


class _Chunk:
    """Impressions that came one after the other; appended to until full, then left as they are but for their clicks.

    skipped: how many that belong before `rows` were closed before a checkpoint. clicks: row, index of the item and
    delay of each first click, as they came. packed: `rows` without clicks, once packed.
    """

    __slots__ = ("clicks", "packed", "rows", "skipped")

    def __init__(self, skipped: int = 0) -> None:
        self.skipped = skipped
        self.rows: list[Pending] = []
        self.clicks: array[int] = array("q")
        self.packed: np.ndarray | None = None

    @property
    def is_full(self) -> bool:
        return self.skipped + len(self.rows) >= _ROWS

    def append(self, pending: Pending) -> None:
        pending.log, pending.row = self.clicks, len(self.rows)
        self.rows.append(pending)

    def without(self, users: Container[int], start: int) -> _Chunk:
        """Return a chunk of the rows from a place on that are not of these users, with their clicks so far."""
        other = _Chunk(self.skipped + start)
        for pending in self.rows[start:]:
            if pending.user not in users:
                other.append(pending)
                for index, delay in (pending.delays or {}).items():
                    other.clicks.extend((pending.row, index, delay))
        return other


Span = tuple[_Chunk, int, int, int]
"""A chunk as it was: the first open row, how many rows, how many numbers of clicks."""


class PendingImpressions:
    """Applied impressions whose attribution window is open, by request, in order of time.

    Chunks only grow, so a snapshot needs no more than how far each had grown when it began; a full one is packed for
    the first snapshot, and the later ones share it.
    """

    def __init__(self, window: int, experiments: int) -> None:
        self._window = window
        self._experiments = experiments
        self._clear()

    def _clear(self) -> None:
        self._chunks = deque([_Chunk()])
        self._head = 0
        self._by_request: dict[int, Pending] = {}

    def update(self, pending: Pending) -> None:
        """Add an impression, not earlier than those before."""
        chunk = self._chunks[-1]
        rows = chunk.rows
        if len(rows) + chunk.skipped >= _ROWS:
            chunk = _Chunk()
            rows = chunk.rows
            self._chunks.append(chunk)
        pending.log, pending.row = chunk.clicks, len(rows)
        rows.append(pending)
        self._by_request[pending.request] = pending

    def get(self, request: int) -> Pending | None:
        """Return the open impression of a request."""
        return self._by_request.get(request)

    def close(self, watermark: int) -> Iterator[Pending]:
        """Remove and yield those whose window ends at or before the watermark, in order of (time, request)."""
        last = watermark - self._window
        while True:
            rows = self._chunks[0].rows
            if self._head == len(rows):
                if len(self._chunks) == 1:
                    return
                self._chunks.popleft()
                self._head = 0
                continue
            pending = rows[self._head]
            if pending.ts > last:
                return
            self._head += 1
            if self._by_request.get(pending.request) is pending:
                del self._by_request[pending.request]
            yield pending

    def remove(self, users: Container[int]) -> int:
        """Remove the impressions of users; return how many. What a snapshot has begun to read is left as it is."""
        removed = 0
        for place, chunk in enumerate(self._chunks):
            start = self._head if place == 0 else 0
            gone = [pending for pending in chunk.rows[start:] if pending.user in users]
            if not gone:
                continue
            removed += len(gone)
            for pending in gone:
                if self._by_request.get(pending.request) is pending:
                    del self._by_request[pending.request]
            self._chunks[place] = chunk.without(users, start)
            if place == 0:
                self._head = 0
        return removed

    def __len__(self) -> int:
        return sum(len(chunk.rows) for chunk in self._chunks) - self._head

    def open(self) -> Iterator[Pending]:
        """Yield the impressions in order."""
        for place, chunk in enumerate(self._chunks):
            yield from chunk.rows[0 if place else self._head :]

    def begin_snapshot(self) -> Steps[Snapshot]:
        """Begin to copy the state."""
        starts = [self._head, *[0] * (len(self._chunks) - 1)]
        chunks = zip(self._chunks, starts, strict=True)
        return _snapshot([(chunk, start, len(chunk.rows), len(chunk.clicks)) for chunk, start in chunks])

    def restore(self, snapshot: Snapshot) -> None:
        """Replace the state."""
        self._clear()
        self._chunks.clear()
        skipped = snapshot.meta["skipped"]
        for number in range(snapshot.meta["chunks"]):
            packed = snapshot.arrays[f"chunk.{number}"]
            chunk = _Chunk(0 if number else skipped)
            for pending in saved.load(packed, self._experiments):
                chunk.append(pending)
                self._by_request[pending.request] = pending
            chunk.packed = packed if chunk.is_full else None
            self._chunks.append(chunk)
        shown = list(self.open())
        for number, index, delay in snapshot.arrays["clicks"].tolist():
            pending = shown[number]
            pending.click(pending.items[index], pending.ts + delay)


def _snapshot(spans: list[Span]) -> Steps[Snapshot]:
    arrays: dict[str, np.ndarray] = {}
    clicks = [np.zeros((0, 3), np.int64)]
    first = 0
    (chunk, start, *_), *_ = spans
    skipped = chunk.skipped + start
    yield
    for number, (chunk, start, count, told) in enumerate(spans):
        arrays[f"chunk.{number}"] = _packed(chunk, start, count)
        log = np.array(chunk.clicks[:told], np.int64).reshape(-1, 3)
        log = log[log[:, 0] >= start] + np.array([first - start, 0, 0])
        clicks.append(log)
        first += count - start
        yield
    return Snapshot({"chunks": len(spans), "skipped": skipped}, arrays | {"clicks": np.concatenate(clicks)})


def _packed(chunk: _Chunk, start: int, count: int) -> np.ndarray:
    if start or count < len(chunk.rows) or not chunk.is_full:
        return saved.save(chunk.rows[start:count], delays=False)
    if chunk.packed is None:
        chunk.packed = saved.save(chunk.rows, delays=False)
    return chunk.packed
