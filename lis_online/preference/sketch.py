"""Pair sketches: integer counts in fixed tables, exact in time to the millisecond.

One sketch answers, for a sample of a user in fold f at time t, with horizon H and memory P:

    past(key)   = weight of the key's pairs with time in [t - P, t)
    leaked(key) = past(key) + weight of those in [t, t + H] whose fold is not f

The rule itself is in `leak`. t - P is rounded down to an ageing grid of P / 32, so that old counts are kept as sums.
A key is a slot of a power-of-two table indexed by a hash: collisions add up, and are reported (`occupancy`).

The tables hold the state at one sample time. A batch of samples spans many pair events, so
the events inside the span are looked up apart, by (slot, time), and added: no table is
rewritten within a batch, and every sample sees its own millisecond.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from lis_online.preference.leak import Leak

COUNTING_STEPS = 4
"""The occupancy moves slowly: counted every P / 8."""

BEFORE_ALL = -(2**62)
"""The time of tables that were never moved, ms."""


class Sketch:
    """Time-windowed counts of keys in several tables of one size, with the reader's fold left out of the future.

    A slot is `table * 2**bits + hash`, so that one look-up answers for all tables. Arrays, int32:
    `total` [slots] = past and future, `past` [slots of the first `past_tables` tables], `own` [slots * folds] =
    future by fold. leaked = total - own[fold], a subtraction of integers.
    """

    def __init__(self, leak: Leak, bits: int, device: torch.device, *, tables: int = 1, past_tables: int = 1) -> None:
        """past_tables: tables that answer `preceding`; a placebo has no past ranker."""
        self.leak = leak
        self.bits = bits
        self.tables = tables
        self.device = device
        slots = tables << bits
        self.total = torch.zeros(slots, dtype=torch.int32, device=device)
        self.past = torch.zeros(past_tables << bits, dtype=torch.int32, device=device)
        self.own = torch.zeros(slots * leak.folds, dtype=torch.int32, device=device)
        self.time = BEFORE_ALL
        self._events = torch.zeros((4, 0), dtype=torch.int64, device=device)  # ts, slot, fold, weight; by ts
        self._coming: list[Tensor] = []
        self._entered = 0
        self._ageing: dict[int, list[tuple[Tensor, Tensor]]] = {}
        self._counted_at = BEFORE_ALL
        self._occupancy = np.zeros(past_tables)
        self._dirty = torch.zeros(slots, dtype=torch.bool, device=device)

    def update(self, ts: Tensor, slot: Tensor, fold: Tensor, weight: Tensor) -> None:
        """Add events, int64 [events], in any order, none with a time already within the horizon."""
        self._coming.append(torch.stack([ts, slot, fold, weight]).to(self.device))

    def _merge(self) -> None:
        """Put what was added in its place by time; what entered before stays where it is."""
        if self._coming:
            coming = torch.cat([self._events[:, self._entered :], *self._coming], dim=1)
            coming = coming[:, torch.argsort(coming[0], stable=True)]
            self._events = torch.cat([self._events[:, : self._entered], coming], dim=1)
            self._coming = []

    def advance(self, t: int) -> None:
        """Move the tables to sample time t, ms: they then answer exactly for a sample at t."""
        self._merge()
        if t <= self.time:
            return
        ts = self._events[0]
        entered = int(torch.searchsorted(ts, self.leak.future_end(t)))
        moved = int(torch.searchsorted(ts, self.leak.past_end(t)))
        self._enter(self._events[:, self._entered : entered])
        self._move(self._events[:, :moved])
        self._events = self._events[:, moved:]
        self._entered = entered - moved
        self.time = t
        self._forget(self.leak.past_start(t))

    def _enter(self, events: Tensor) -> None:
        _, slot, fold, weight = events
        leaks, held = self.leak.leaks(fold), self.leak.is_withheld(fold)
        self.total.index_add_(0, slot[leaks], weight[leaks].int())
        self.own.index_add_(0, slot[held] * self.leak.folds + fold[held], weight[held].int())

    def _move(self, events: Tensor) -> None:
        if not events.shape[1]:
            return
        ts, slot, fold, weight = events
        only, held = ~self.leak.leaks(fold), self.leak.is_withheld(fold)
        self.total.index_add_(0, slot[only], weight[only].int())
        self.own.index_add_(0, slot[held] * self.leak.folds + fold[held], -weight[held].int())
        self._add_past(slot, weight.int())
        steps = ts // self.leak.ageing
        for step in torch.unique(steps).tolist():
            mine = steps == step
            self._ageing.setdefault(step, []).append((slot[mine], weight[mine].int()))

    def _forget(self, until: int) -> None:
        for step in sorted(step for step in self._ageing if step * self.leak.ageing < until):
            for slot, weight in self._ageing.pop(step):
                self.total.index_add_(0, slot, -weight)
                self._add_past(slot, -weight)

    def _add_past(self, slot: Tensor, weight: Tensor) -> None:
        kept = slot < len(self.past)
        self.past.index_add_(0, slot[kept], weight[kept])

    def compact(self) -> None:
        """Sum what ages together, so that memory is bounded by the table, not by the events."""
        for step, parts in self._ageing.items():
            if len(parts) > 1:
                slot, inverse = torch.unique(torch.cat([s for s, _ in parts]), return_inverse=True)
                weight = torch.zeros(len(slot), dtype=torch.int32, device=self.device)
                self._ageing[step] = [(slot, weight.index_add_(0, inverse, torch.cat([w for _, w in parts])))]

    def leaked(self, slot: Tensor, t: Tensor, fold: Tensor) -> Tensor:
        """Return the leaked weight of each key: int32, the shape of slot.

        slot: int64 [..., rows or entries]; t, fold: int64 that broadcast to it, t >= the tables' time and before
        the next of `Leak.cuts`.
        """
        fold = fold.expand(slot.shape)
        count = self.total[slot] - self.own[slot * self.leak.folds + fold]
        span = int(t.max()) - self.time if slot.numel() else 0
        if span <= 0:
            return count
        leak, last = self.leak, self.time + span
        arriving = self._events[:, self._entered : self._before(leak.future_end(last))]
        leaving = self._events[:, : self._before(leak.past_end(last))]
        hit = self._touched(slot, torch.cat([arriving[1], leaving[1]]))
        key, at, reader = slot[hit], t.expand(slot.shape)[hit], fold[hit]
        arriving = arriving[:, leak.leaks(arriving[2])]
        only = leaving[:, ~leak.leaks(leaving[2])]
        change = self._inside(key, at, arriving[1], leak.comes(arriving[0]), arriving[3])
        change += self._inside(key, at, only[1], leak.passes(only[0]), only[3])
        arrived = arriving[:, leak.is_withheld(arriving[2])]
        left = leaving[:, leak.is_withheld(leaving[2])]
        own = torch.cat([arrived, left], dim=1)
        when = torch.cat([leak.comes(arrived[0]), leak.passes(left[0])])
        weight = torch.cat([arrived[3], -left[3]])
        change -= self._inside(key * leak.folds + reader, at, own[1] * leak.folds + own[2], when, weight)
        count[hit] += change
        return count

    def preceding(self, slot: Tensor, t: Tensor) -> Tensor:
        """Return the past weight of each key: int32, the shape of slot; arguments as for `leaked`."""
        count = self.past[slot]
        span = int(t.max()) - self.time if slot.numel() else 0
        if span <= 0:
            return count
        leaving = self._events[:, : self._before(self.leak.past_end(self.time + span))]
        hit = self._touched(slot, leaving[1])
        at = t.expand(slot.shape)[hit]
        count[hit] += self._inside(slot[hit], at, leaving[1], self.leak.passes(leaving[0]), leaving[3])
        return count

    def _before(self, ts: int) -> int:
        """Return how many of the events have a time before ts."""
        return int(torch.searchsorted(self._events[0], ts))

    def _touched(self, slot: Tensor, changed: Tensor) -> tuple[Tensor, ...]:
        """Return where the look-ups are whose slot has an event inside the span: few of many."""
        self._dirty[changed] = True
        hit: tuple[Tensor, ...] = self._dirty[slot].nonzero(as_tuple=True)
        self._dirty[changed] = False
        return hit

    def _inside(self, key: Tensor, t: Tensor, event_key: Tensor, when: Tensor, weight: Tensor) -> Tensor:
        """Return, per look-up, the weight of the events of its key with when <= t: int32 [look-ups]."""
        if not len(event_key) or not len(key):
            return torch.zeros(len(key), dtype=torch.int32, device=self.device)
        span = int(when.max()) - self.time + 1
        composite, order = torch.sort(event_key * span + (when - self.time))
        sums = torch.cat([weight.new_zeros(1), torch.cumsum(weight[order], 0)])
        high = torch.searchsorted(composite, key * span + (t - self.time).clamp(max=span - 1), right=True)
        low = torch.searchsorted(composite, key * span, right=False)
        return (sums[high] - sums[low]).int()

    def occupancy(self) -> np.ndarray:
        """Return the share of slots in use of each table with a past: how likely an unknown key looks known.

        Counted anew once in COUNTING_STEPS ageing steps: the whole table is read for it.
        """
        if self.time >= self._counted_at + COUNTING_STEPS * self.leak.ageing:
            self._counted_at = self.time
            used = torch.count_nonzero(self.total[: len(self.past)].view(-1, 1 << self.bits), dim=1)
            self._occupancy = used.cpu().numpy() / (1 << self.bits)
        return self._occupancy

    def snapshot(self) -> tuple[dict[str, object], dict[str, np.ndarray]]:
        """Return the state: msgpack-able data and arrays; tables as (slot, count) of what is not zero."""
        tables = {"total": self.total, "own": self.own, "past": self.past}
        arrays = {}
        for name, table in tables.items():
            slots = table.nonzero().squeeze(1)
            arrays[f"{name}.slots"] = slots.cpu().numpy()
            arrays[f"{name}.counts"] = table[slots].cpu().numpy()
        self._merge()
        self.compact()
        steps = sorted(self._ageing)
        for step in steps:
            ((slot, weight),) = self._ageing[step]
            arrays[f"ageing.{step}"] = torch.stack([slot, weight.long()]).cpu().numpy()
        arrays["events"] = self._events.cpu().numpy().copy()
        counted = [self._counted_at, self._occupancy.tolist()]
        return {"time": self.time, "entered": self._entered, "ageing": steps, "counted": counted}, arrays

    def restore(self, meta: dict[str, Any], arrays: dict[str, np.ndarray]) -> None:
        """Replace the state with that of `snapshot`."""
        tables = {"total": self.total, "own": self.own, "past": self.past}
        for name, table in tables.items():
            table.zero_()
            table[self._tensor(arrays[f"{name}.slots"])] = self._tensor(arrays[f"{name}.counts"])
        self._ageing = {}
        for step in meta["ageing"]:
            slot, weight = self._tensor(arrays[f"ageing.{step}"])
            self._ageing[step] = [(slot, weight.int())]
        self._events, self._coming = self._tensor(arrays["events"]), []
        self.time, self._entered = meta["time"], meta["entered"]
        self._counted_at, self._occupancy = meta["counted"][0], np.array(meta["counted"][1])

    def _tensor(self, array: np.ndarray) -> Tensor:
        return torch.from_numpy(array.copy()).to(self.device)


def pair_slot(first: Tensor, second: Tensor, bits: int, row: int = 0) -> Tensor:
    """Return the slot of unordered pairs of mixed item hashes: int64, broadcast shape, 0 to 2**bits - 1.

    row: which of the independent hashes.
    """
    return _slot((first + second) * _PAIR_FACTORS[row], bits)


def item_slot(items: Tensor, bits: int) -> Tensor:
    """Return the slot of mixed item hashes: int64, same shape, 0 to 2**bits - 1."""
    return _slot(items * _ITEM_FACTOR, bits)


# odd; the first is 2**64 / golden ratio as a signed 64-bit number (Fibonacci hashing, Knuth 6.4)
_PAIR_FACTORS = (-7046029254386353131, -3335678366873096957)
_ITEM_FACTOR = -4417276706812531889  # odd; another multiplier, so that an item's slot tells nothing of its pairs'


def _slot(products: Tensor, bits: int) -> Tensor:
    return (products >> (64 - bits)) & ((1 << bits) - 1)
