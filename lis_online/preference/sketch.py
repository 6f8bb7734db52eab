"""Pair sketches: integer counts in fixed tables, exact in time to the millisecond.

One sketch answers, for a sample of a user in fold f at time t, with horizon H and memory P:

    past(key)   = weight of the key's pairs with time in [t - P, t)
    leaked(key) = past(key) + weight of those in [t, t + H] whose fold is not f

The rule itself is in `leak`. t - P is rounded down to an ageing grid of P / 32, so that old counts are kept as sums.
A key is a cell of a power-of-two table indexed by a hash: collisions add up, and are reported (`occupancy`).

The tables hold the state at one sample time. A batch of samples spans many pair events, so
the events inside the span are looked up apart, by (key, time), and added: no table is
rewritten within a batch, and every sample sees its own millisecond.

Reading is what costs: a look-up is a random access to memory. So what a reader of fold f sees is kept for each f, and
the lanes (tables that are asked for the same hashes) of a cell lie side by side: one access answers for all of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from lis_online.pages import zeros
from lis_online.preference.hashes import ITEM_FACTOR, PAIR_FACTORS
from lis_online.preference.leak import Leak
from lis_online.preference.tables import Tables, mark, move
from lis_online.snapshots.held_rows import PIECE
from lis_online.snapshots.steps import Steps, at_once

COUNTING_STEPS = 4
"""The occupancy moves slowly: counted every P / 8."""

BEFORE_ALL = -(2**62)
"""The time of tables that were never moved, ms."""


class Sketch:
    """Time-windowed counts of keys, with the reader's fold left out of the future.

    rows: independent hashes of a key; a cell is `row * 2**bits + hash`. lanes: tables of one size that are asked for
    the same cells; the first `past_lanes` of them answer `preceding` (a placebo has no past ranker). Arrays, int32:
    `seen` [cells * folds, lanes] = what readers of a fold see, past and future; `past` [cells, past_lanes] = the past
    alone; `total` [past_lanes, cells] = past and future of every fold, for `occupancy`. An event is of a *key*,
    `cell * lanes + lane`.
    """

    def __init__(
        self, leak: Leak, bits: int, device: torch.device, *, rows: int = 1, lanes: int = 1, past_lanes: int = 1
    ) -> None:
        self.leak = leak
        self.bits = bits
        self.rows = rows
        self.lanes = lanes
        self.past_lanes = past_lanes
        self.device = device
        cells = rows << bits
        self.seen = self._zeros(cells * leak.folds, lanes)
        self.past = self._zeros(cells, past_lanes)
        self.total = self._zeros(past_lanes, cells)
        self._used = np.zeros(max(1, cells // 8) if device.type == "cpu" else 0, np.uint8)
        self.time = BEFORE_ALL
        self._events = torch.zeros((4, 0), dtype=torch.int64, device=device)  # ts, key, fold, weight; by ts
        self._coming: list[Tensor] = []
        self._passed = 0  # events before it are past in the tables
        self._entered = 0  # and those before this one are in them
        self._ageing: dict[int, list[tuple[Tensor, Tensor]]] = {}
        self._counted_at = BEFORE_ALL
        self._occupancy = np.zeros((rows, past_lanes))
        self._dirty = torch.zeros(cells, dtype=torch.bool, device=device)
        self._folds = torch.arange(leak.folds, device=device)
        self._lanes = torch.arange(lanes, device=device)

    def _zeros(self, rows: int, columns: int) -> Tensor:
        """Return an empty table, on a CPU in memory as it fills: a restored sketch has nothing to clear."""
        if self.device.type == "cpu":
            return torch.from_numpy(zeros((rows, columns), np.int32))
        return torch.zeros((rows, columns), dtype=torch.int32, device=self.device)

    def update(self, ts: Tensor, key: Tensor, fold: Tensor, weight: Tensor) -> None:
        """Add events, int64 [events], in any order, none with a time already within the horizon."""
        self._coming.append(torch.stack([ts, key, fold, weight]).to(self.device))

    def _merge(self) -> None:
        """Put what was added in its place by time; what entered before stays where it is. What passed goes."""
        if self._coming:
            coming = torch.cat([self._events[:, self._entered :], *self._coming], dim=1)
            coming = coming[:, torch.argsort(coming[0], stable=True)]
            self._events = torch.cat([self._events[:, self._passed : self._entered], coming], dim=1)
            self._passed, self._entered, self._coming = 0, self._entered - self._passed, []

    @property
    def place(self) -> tuple[int, int]:
        """How many of the events in `tables` have entered, and how many have passed."""
        return self._entered, self._passed

    def tables(self) -> Tables:
        """Return the tables and all events as arrays that are shared with this sketch, on a CPU."""
        self._merge()
        return Tables(
            self.seen.numpy(), self.past.numpy(), self.total.numpy(), self._used, self._events.numpy(), self.leak.folds
        )

    def advance(self, t: int) -> None:
        """Move the tables to sample time t, ms: they then answer exactly for a sample at t."""
        self._merge()
        if t <= self.time:
            return
        future_end, past_end = self.leak.future_end(t), self.leak.past_end(t)
        if self.device.type == "cpu":
            entered, passed = move(self.tables(), *self.place, future_end, past_end)
        else:
            entered, passed = self._before(future_end), self._before(past_end)
            self._enter(self._events[:, self._entered : entered])
            self._pass(self._events[:, self._passed : passed])
        self.moved(entered, passed, t)
        self._forget(self.leak.past_start(t))

    def moved(self, entered: int, passed: int, t: int) -> None:
        """Note that the tables were moved to sample time t, before the next of `Leak.cuts`: see `place`."""
        first = self._passed
        while first < passed:
            step = int(self._events[0, first]) // self.leak.ageing
            last = min(passed, self._before((step + 1) * self.leak.ageing))
            key, weight = self._events[1, first:last].clone(), self._events[3, first:last].int()
            self._ageing.setdefault(step, []).append((key, weight))
            first = last
        self._entered, self._passed, self.time = entered, passed, t

    def _enter(self, events: Tensor) -> None:
        _, key, fold, weight = events
        leaks, held = self.leak.leaks(fold), self.leak.is_withheld(fold)
        self._add_everywhere(key[leaks], weight[leaks].int())
        self._add_own(key[held], fold[held], -weight[held].int())

    def _pass(self, events: Tensor) -> None:
        _, key, fold, weight = events
        only, held = ~self.leak.leaks(fold), self.leak.is_withheld(fold)
        self._add_everywhere(key[only], weight[only].int())
        self._add_own(key[held], fold[held], weight[held].int())
        self._add_past(key, weight.int())

    def _forget(self, until: int) -> None:
        old = sorted(step for step in self._ageing if step * self.leak.ageing < until)
        for step in old:
            for key, weight in self._ageing.pop(step):
                self._add_everywhere(key, -weight)
                self._add_past(key, -weight)
        if old:
            self._mark()

    def _mark(self) -> None:
        """Note anew which cells are in use."""
        self._used[:] = 0
        if len(self._used):
            aged = (key for parts in self._ageing.values() for key, _ in parts)
            for keys in (*aged, self._events[1, self._passed : self._entered]):
                mark(self._used, keys.numpy(), self.lanes)

    def _add_everywhere(self, key: Tensor, weight: Tensor) -> None:
        """Add to what readers of every fold see."""
        cell, lane = key // self.lanes, key % self.lanes
        places = ((cell * self.leak.folds)[:, None] + self._folds) * self.lanes + lane[:, None]
        self.seen.view(-1).index_add_(0, places.flatten(), weight.repeat_interleave(self.leak.folds))
        kept = lane < self.past_lanes
        self.total.view(-1).index_add_(0, (lane * len(self.past) + cell)[kept], weight[kept])

    def _add_own(self, key: Tensor, fold: Tensor, weight: Tensor) -> None:
        """Add to what readers of the events' own fold see."""
        cell, lane = key // self.lanes, key % self.lanes
        self.seen.view(-1).index_add_(0, (cell * self.leak.folds + fold) * self.lanes + lane, weight)

    def _add_past(self, key: Tensor, weight: Tensor) -> None:
        cell, lane = key // self.lanes, key % self.lanes
        kept = lane < self.past_lanes
        self.past.view(-1).index_add_(0, (cell * self.past_lanes + lane)[kept], weight[kept])

    def compact(self) -> None:
        """Sum what ages together, so that memory is bounded by the table, not by the events."""
        for step, parts in self._ageing.items():
            self._ageing[step] = [_summed(parts)]

    def leaked(self, cell: Tensor, t: Tensor, fold: Tensor) -> Tensor:
        """Return the leaked weight in each lane of each cell: int32 [*cell.shape, lanes].

        cell: int64; t, fold: int64 that broadcast to it, t >= the tables' time and before the next of `Leak.cuts`.
        """
        fold = fold.expand(cell.shape)
        count = self.seen.index_select(0, (cell * self.leak.folds + fold).flatten()).view(*cell.shape, self.lanes)
        span = int(t.max()) - self.time if cell.numel() else 0
        if span <= 0:
            return count
        leak, last = self.leak, self.time + span
        arriving = self._events[:, self._entered : self._before(leak.future_end(last))]
        leaving = self._events[:, self._passed : self._before(leak.past_end(last))]
        hit = self._touched(cell, torch.cat([arriving[1], leaving[1]]))
        if not len(hit[0]):
            return count
        key, at, reader = self._keys(cell[hit]), t.expand(cell.shape)[hit][:, None], fold[hit][:, None]
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

    def preceding(self, cell: Tensor, t: Tensor) -> Tensor:
        """Return the past weight in each lane with a past: int32 [*cell.shape, past_lanes]; arguments as `leaked`."""
        count = self.past.index_select(0, cell.flatten()).view(*cell.shape, self.past_lanes)
        span = int(t.max()) - self.time if cell.numel() else 0
        if span <= 0:
            return count
        leaving = self._events[:, self._passed : self._before(self.leak.past_end(self.time + span))]
        hit = self._touched(cell, leaving[1])
        if len(hit[0]):
            at = t.expand(cell.shape)[hit][:, None]
            key = self._keys(cell[hit])[:, : self.past_lanes]
            count[hit] += self._inside(key, at, leaving[1], self.leak.passes(leaving[0]), leaving[3])
        return count

    def _keys(self, cell: Tensor) -> Tensor:
        """Return the keys of cells: int64 [cells, lanes]."""
        return cell[:, None] * self.lanes + self._lanes

    def _before(self, ts: int) -> int:
        """Return how many of the events have a time before ts."""
        return int(torch.searchsorted(self._events[0], ts))

    def _touched(self, cell: Tensor, changed: Tensor) -> tuple[Tensor, ...]:
        """Return where the look-ups are whose cell has an event inside the span: few of many."""
        cells = changed // self.lanes
        self._dirty[cells] = True
        hit: tuple[Tensor, ...] = self._dirty[cell].nonzero(as_tuple=True)
        self._dirty[cells] = False
        return hit

    def _inside(self, key: Tensor, t: Tensor, event_key: Tensor, when: Tensor, weight: Tensor) -> Tensor:
        """Return, per look-up, the weight of the events of its key with when <= t: int32, the shape of key."""
        if not len(event_key):
            return torch.zeros(key.shape, dtype=torch.int32, device=self.device)
        span = int(when.max()) - self.time + 1
        composite, order = torch.sort(event_key * span + (when - self.time))
        sums = torch.cat([weight.new_zeros(1), torch.cumsum(weight[order], 0)])
        high = torch.searchsorted(composite, key * span + (t - self.time).clamp(max=span - 1), right=True)
        low = torch.searchsorted(composite, key * span, right=False)
        return (sums[high] - sums[low]).int()

    def occupancy(self) -> np.ndarray:
        """Return the share of cells in use, [rows, past_lanes]: how likely an unknown key looks known.

        Counted anew once in COUNTING_STEPS ageing steps: the whole table is read for it.
        """
        if self.time >= self._counted_at + COUNTING_STEPS * self.leak.ageing:
            self._counted_at = self.time
            self._occupancy = _used(self.total.view(self.past_lanes, self.rows, 1 << self.bits)).T / (1 << self.bits)
        return self._occupancy

    def snapshot(self) -> tuple[dict[str, object], dict[str, np.ndarray]]:
        """Return the state: msgpack-able data and arrays. The tables are sums of them, and are not in it."""
        return at_once(self.begin_snapshot())

    def begin_snapshot(self) -> Steps[tuple[dict[str, object], dict[str, np.ndarray]]]:
        """Take hold of the state; return the copying of it. Events, and what ages of them, never change in place."""
        self._merge()
        ageing = {step: list(self._ageing[step]) for step in sorted(self._ageing)}
        counted = [self._counted_at, self._occupancy.tolist()]
        entered = self._entered - self._passed
        meta = {"time": self.time, "entered": entered, "ageing": list(ageing), "counted": counted}
        return _copying(meta, ageing, self._events[:, self._passed :])

    def restore(self, meta: dict[str, Any], arrays: dict[str, np.ndarray]) -> None:
        """Replace the state with that of `snapshot`."""
        if self.time != BEFORE_ALL:
            for table in (self.seen, self.past, self.total):
                table.zero_()
        self._ageing = {}
        for step in meta["ageing"]:
            key, weight = self._tensor(arrays[f"ageing.{step}"])
            self._ageing[step] = [(key, weight.int())]
            self._add_everywhere(key, weight.int())
            self._add_past(key, weight.int())
        self._events, self._coming = self._tensor(arrays["events"]), []
        self.time, self._passed, self._entered = meta["time"], 0, meta["entered"]
        self._enter(self._events[:, : self._entered])
        self._mark()
        self._counted_at, self._occupancy = meta["counted"][0], np.array(meta["counted"][1])

    def _tensor(self, array: np.ndarray) -> Tensor:
        return torch.from_numpy(array).to(self.device)


def _summed(parts: Sequence[tuple[Tensor, Tensor]]) -> tuple[Tensor, Tensor]:
    """Return keys and weights as one part: each key once, ascending, if they were several."""
    if len(parts) == 1:
        return parts[0]
    key, inverse = torch.unique(torch.cat([key for key, _ in parts]), return_inverse=True)
    weight = torch.zeros(len(key), dtype=torch.int32, device=key.device)
    return key, weight.index_add_(0, inverse, torch.cat([weight for _, weight in parts]))


def _copying(
    meta: dict[str, object], ageing: dict[int, list[tuple[Tensor, Tensor]]], events: Tensor
) -> Steps[tuple[dict[str, object], dict[str, np.ndarray]]]:
    arrays = {}
    for step, parts in ageing.items():
        columns = _summed(parts)
        yield
        arrays[f"ageing.{step}"] = yield from _stacked(columns)
    arrays["events"] = yield from _stacked(events)
    return meta, arrays


def _stacked(columns: Sequence[Tensor] | Tensor) -> Steps[np.ndarray]:
    """Return columns of one length as int64 [columns, length], in plain memory."""
    found = np.empty((len(columns), len(columns[0])), np.int64)
    together = PIECE // found.itemsize
    for row, column in zip(found, columns, strict=True):
        for first in range(0, len(row), together):
            row[first : first + together] = column[first : first + together].cpu().numpy()
            yield
    return found


def _used(table: Tensor) -> np.ndarray:
    """Return how many entries of the last dimension are not 0. Torch takes thirty times as long for it on a CPU."""
    if table.device.type == "cpu":
        return np.array([[np.count_nonzero(row) for row in rows] for rows in table.numpy()])
    counts: np.ndarray = torch.count_nonzero(table, dim=-1).cpu().numpy()
    return counts


def pair_slot(first: Tensor, second: Tensor, bits: int, row: int = 0) -> Tensor:
    """Return the hash of unordered pairs of mixed item hashes: int64, broadcast shape, 0 to 2**bits - 1.

    row: which of the independent hashes.
    """
    return _slot((first + second) * PAIR_FACTORS[row], bits)


def item_slot(items: Tensor, bits: int) -> Tensor:
    """Return the hash of mixed item hashes: int64, same shape, 0 to 2**bits - 1."""
    return _slot(items * ITEM_FACTOR, bits)


def _slot(products: Tensor, bits: int) -> Tensor:
    return (products >> (64 - bits)) & ((1 << bits) - 1)
