"""Records that wait for their place in event time."""

from __future__ import annotations

from array import array
from copy import copy
from heapq import heapify, heappop, heappush
from itertools import islice
from typing import Any, Final

import numpy as np

from lis_online.join import saved
from lis_online.join.arrivals import Action
from lis_online.join.pending import Pending
from lis_online.snapshots.contract import Snapshot
from lis_online.snapshots.steps import Steps

IMPRESSION, FEEDBACK, COUNT, FORGET = 0, 1, 2, 3
"""Kinds of waiting records, in their order at one time."""

Entry = tuple[int, int, int, int, int, Any]
"""Event time, kind, request, item, offset; impression, action, what a record is counted as, users to forget."""

_SOME: Final = 512
"""Entries that are packed in one step."""

_TOGETHER: Final = 10
"""Bits of ms: entries of about a second are sorted in one step."""


class Waiting:
    """A heap of records in the order that they are applied in."""

    def __init__(self, experiments: int) -> None:
        self._experiments = experiments
        self._heap: list[Entry] = []
        self._copying = False

    def push(self, entry: Entry) -> None:
        """Put a record in its place."""
        heappush(self._heap, entry)

    def pop(self, watermark: int) -> Entry | None:
        """Remove and return the first record if its time is not after the watermark."""
        heap = self._heap
        if not heap or heap[0][0] > watermark:
            return None
        entry = heappop(heap)
        if self._copying and entry[1] == IMPRESSION:
            return (*entry[:5], copy(entry[5]))  # it will be changed, and a snapshot may not have read it yet
        return entry

    def __len__(self) -> int:
        return len(self._heap)

    def begin_snapshot(self) -> Steps[Snapshot]:
        """Begin to copy the state."""
        self._copying = True
        return self._snapshot(self._heap.copy())

    def restore(self, snapshot: Snapshot) -> None:
        """Replace the state."""
        meta, arrays = snapshot.meta, snapshot.arrays
        chunks = (saved.load(arrays[f"chunk.{number}"], self._experiments) for number in range(meta["chunks"]))
        events = (
            (pending for chunk in chunks for pending in chunk),
            map(_action, arrays["actions"].tolist(), arrays["values"].tolist()),
            (meta["fates"][index] for index in arrays["counts"].tolist()),
            iter(meta["forget"]),
        )
        self._heap = [(*head, next(events[head[1]])) for head in map(tuple, arrays["entries"].tolist())]
        heapify(self._heap)
        self._copying = False

    def _snapshot(self, entries: list[Entry]) -> Steps[Snapshot]:
        yield
        by_second: dict[int, list[Entry]] = {}
        for start in range(0, len(entries), 8 * _SOME):
            for entry in islice(entries, start, start + 8 * _SOME):
                by_second.setdefault(entry[0] >> _TOGETHER, []).append(entry)
            yield
        packed = _Packed()
        for second in sorted(by_second):
            some = sorted(by_second.pop(second))
            for start in range(0, len(some), _SOME):
                packed.update(some[start : start + _SOME])
                yield
        self._copying = False
        return packed.get()


class _Packed:
    """Entries in columns, those of a kind in their order. fates: the names behind the numbers of what is counted."""

    def __init__(self) -> None:
        self._entries, self._actions, self._counts = array("q"), array("q"), array("q")
        self._values = array("d")
        self._fates: dict[str, int] = {}
        self._forget: list[list[int]] = []
        self._shown: list[Pending] = []
        self._chunks: list[np.ndarray] = []

    def update(self, entries: list[Entry]) -> None:
        """Append entries."""
        for entry in entries:
            self._entries.extend(entry[:5])
            kind, event = entry[1], entry[5]
            if kind == IMPRESSION:
                self._shown.append(event)
            elif kind == FEEDBACK:
                self._actions.extend((event.ts, event.request, event.user, event.item, event.action, event.late))
                self._values.append(event.value)
            elif kind == FORGET:
                self._forget.append(event)
            else:
                self._counts.append(self._fates.setdefault(event, len(self._fates)))
        if self._shown:
            self._chunks.append(saved.save(self._shown))
            self._shown = []

    def get(self) -> Snapshot:
        """Return all of them."""
        arrays = {f"chunk.{number}": chunk for number, chunk in enumerate(self._chunks)}
        arrays |= {
            "entries": np.array(self._entries, np.int64).reshape(-1, 5),
            "actions": np.array(self._actions, np.int64).reshape(-1, 6),
            "values": np.array(self._values, np.float64),
            "counts": np.array(self._counts, np.int64),
        }
        return Snapshot({"chunks": len(self._chunks), "fates": list(self._fates), "forget": self._forget}, arrays)


def _action(numbers: list[int], value: float) -> Action:
    ts, request, user, item, action, late = numbers
    return Action(ts, request, user, item, action, value, bool(late))
