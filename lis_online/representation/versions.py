"""The vectors of one variant, version by version: each version that is measured has a slot with a store of its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Generic, Protocol, TypeVar

import numpy as np

from lis_online.events.batches import VectorBatch
from lis_online.events.hashing import id_hash
from lis_online.representation.assignment import Assignment, Held, Newcomer
from lis_online.snapshots.packing import packing
from lis_online.snapshots.steps import Steps, at_once

EVER = 2**62


class Store(Protocol):
    """What a slot keeps its vectors in; an empty one costs next to nothing."""

    def update(self, batch: VectorBatch) -> None:
        """Queue vectors."""
        ...

    def begin_snapshot(self) -> Steps[tuple[dict[str, Any], dict[str, np.ndarray]]]:
        """Take hold of the state; return the copying of it."""
        ...

    def restore(self, meta: dict[str, Any], arrays: dict[str, np.ndarray]) -> None:
        """Replace the state."""
        ...


AnyStore = TypeVar("AnyStore", bound=Store)


class Versions(Generic[AnyStore]):
    """The slots of one variant, their stores, and the vectors that wait for a slot.

    Vectors may come in any order, ahead of time. `decide(t)` and `begin(t)` are called when all up to t are here, at
    times that never fall back; who holds a slot depends on the vectors' own times alone. With one slot there is
    nothing to decide: vectors of all versions go to the one store, and it bears the newest one's name.
    """

    def __init__(self, make: Callable[[], AnyStore], slots: int, memory: int) -> None:
        """make: returns an empty store. memory: as in `Assignment`."""
        self._make = make
        self.stores = [make() for _ in range(slots)]
        self.assignment = Assignment(slots, memory)
        self.late = 0
        self._time = -EVER
        self._until = EVER if slots == 1 else -EVER
        self._waiting: list[VectorBatch] = []
        self._firsts: dict[int, int] = {}
        self._names: dict[int, str] = {}

    def update(self, batch: VectorBatch, names: Sequence[str]) -> None:
        """Take vectors. names: of the versions among them. One whose time was reached is counted, and still counts."""
        if not len(batch):
            return
        self._names |= {id_hash(name): name for name in names}
        self.late += int((batch.ts <= self._time).sum())
        if len(self.stores) == 1:
            self._note_firsts(batch)
            self.stores[0].update(batch)
        else:
            self._hand_on([batch], self._until)

    def defer(self) -> None:
        """Begin with no slot in use, before any vector came: slot 0 comes into use at the next decision."""
        self.assignment.slots[0] = Held()

    def begin(self, t: int) -> None:
        """Note that t, ms, has been reached: a variant's first version takes slot 0 at once."""
        self._time = max(self._time, t)
        if self._firsts:
            self._rename(t)
        elif self.assignment.is_new and self._waiting and self.in_use:
            for first in self._newcomers(t)[:1]:
                self.assignment.begin(first)
                waiting, self._waiting = self._waiting, []
                self._hand_on(waiting, self._until)

    def decide(self, t: int, until: int) -> list[tuple[int, bool]]:
        """Settle who holds which slot from t, ms, to `until`, before which there is no other decision.

        Return each slot that changed and whether it is in use now; its store is a new one.
        """
        taken = [] if self.in_use else [(0, True)]
        if taken:
            self.assignment.slots[0].began, self.assignment.slots[0].in_use = t, True
        self.begin(t)
        if len(self.stores) == 1:
            return taken
        waiting, self._waiting = self._waiting, []
        self._hand_on(waiting, t + 1)
        changed = self.assignment.decide(t, self._newcomers(t))
        for place, _ in changed:
            self.stores[place] = self._make()
        waiting, self._waiting, self._until = self._waiting, [], until
        self._hand_on(waiting, until)
        self._waiting = [batch for batch in (b.take(b.ts > t) for b in self._waiting) if len(batch)]
        if changed:
            self._forget_names()
        return [*taken, *changed]

    @property
    def in_use(self) -> list[int]:
        """The slots in use, in order."""
        return [place for place, held in enumerate(self.assignment.slots) if held.in_use]

    def name(self, place: int) -> str:
        """Return the name of the version in a slot, "" where there is none."""
        return self._names.get(self.assignment.slots[place].version, "")

    def _hand_on(self, batches: list[VectorBatch], until: int) -> None:
        """Give vectors before `until`, ms, to their version's store; the others wait."""
        for batch in batches:
            left = np.ones(len(batch), bool)
            for place, held in enumerate(self.assignment.slots):
                mine = (batch.ts < until) & (batch.version == held.version)
                if held.in_use and mine.any():
                    held.last = max(held.last, int(batch.ts[mine].max()))
                    self.stores[place].update(batch.take(mine))
                    left &= ~mine
            if left.any():
                self._waiting.append(batch if left.all() else batch.take(left))

    def _newcomers(self, t: int) -> list[Newcomer]:
        """Return the versions with a vector by t that waits, in the order of their first ones."""
        if not self._waiting:
            return []
        self._waiting = [VectorBatch.concatenate(self._waiting)] if len(self._waiting) > 1 else self._waiting
        batch = self._waiting[0]
        due = batch.ts <= t
        ts, version = batch.ts[due], batch.version[due]
        order = np.lexsort((version, batch.item[due], ts))
        distinct, first = np.unique(version[order], return_index=True)
        found = [int(distinct[k]) for k in np.argsort(first)]
        spans = [ts[version == one] for one in found if self.assignment.get(one) is None]
        kept = [one for one in found if self.assignment.get(one) is None]
        return [Newcomer(one, int(s.min()), int(s.max())) for one, s in zip(kept, spans, strict=True)]

    def _note_firsts(self, batch: VectorBatch) -> None:
        for version in np.unique(batch.version).tolist():
            if not self.assignment.knows(version):
                first = int(batch.ts[batch.version == version].min())
                self._firsts[version] = min(first, self._firsts.get(version, first))

    def _rename(self, t: int) -> None:
        """Call the one slot by the newest version that has begun."""
        for first, version in sorted((first, version) for version, first in self._firsts.items() if first <= t):
            self.assignment.begin(Newcomer(version, first, first))
            del self._firsts[version]

    def _forget_names(self) -> None:
        waiting = {version for batch in self._waiting for version in np.unique(batch.version).tolist()}
        kept = waiting | set(self._firsts)
        self._names = {v: name for v, name in self._names.items() if v in kept or self.assignment.knows(v)}

    def snapshot(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """Return the state: msgpack-able data and arrays."""
        return at_once(self.begin_snapshot())

    def begin_snapshot(self) -> Steps[tuple[dict[str, Any], dict[str, np.ndarray]]]:
        """Take hold of the state; return the copying of it."""
        self._forget_names()
        meta = {
            "assignment": self.assignment.snapshot(),
            "late": self.late,
            "time": self._time,
            "until": self._until,
            "firsts": sorted([version, first] for version, first in self._firsts.items()),
            "names": sorted(self._names.values()),
        }
        return _copying(meta, [store.begin_snapshot() for store in self.stores], list(self._waiting))

    def restore(self, meta: dict[str, Any], arrays: dict[str, np.ndarray]) -> None:
        """Replace the state with that of `snapshot`."""
        self.stores = [self._make() for _ in self.stores]
        for place, (store, data) in enumerate(zip(self.stores, meta["stores"], strict=True)):
            prefix = f"{place}."
            store.restore(data, {n.removeprefix(prefix): a for n, a in arrays.items() if n.startswith(prefix)})
        self.assignment.restore(meta["assignment"])
        self.late, self._time, self._until = meta["late"], meta["time"], meta["until"]
        self._waiting = [VectorBatch.decode(meta["waiting"])] if meta["waiting"] else []
        self._firsts = dict(meta["firsts"])
        self._names = {id_hash(name): name for name in meta["names"]}


def _copying(
    meta: dict[str, Any],
    stores: Sequence[Steps[tuple[dict[str, Any], dict[str, np.ndarray]]]],
    waiting: Sequence[VectorBatch],
) -> Steps[tuple[dict[str, Any], dict[str, np.ndarray]]]:
    states: list[dict[str, Any]] = []
    arrays: dict[str, np.ndarray] = {}
    for place, store in enumerate(stores):
        state, columns = yield from store
        states.append(state)
        arrays |= {f"{place}.{name}": a for name, a in columns.items()}
    packed = (yield from packing(waiting)) if waiting else b""
    return {**meta, "stores": states, "waiting": packed}, arrays
