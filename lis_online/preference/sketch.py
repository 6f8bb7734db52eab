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

from lis_online.preference.hashes import ITEM_FACTOR, PAIR_FACTORS
from lis_online.preference.leak import Leak
from lis_online.preference.sketch_counts import Counts
from lis_online.preference.sketch_span import Span, span
from lis_online.preference.tables import Tables, mark, move
from lis_online.snapshots.held_rows import PIECE
from lis_online.snapshots.steps import Steps, at_once

COUNTING_STEPS = 4
"""The occupancy moves slowly: counted every P / 8."""

BEFORE_ALL = -(2**62)
"""The time of tables that were never moved, ms."""


Aged = tuple[np.ndarray, np.ndarray]
"""Keys, int64, and weights, int32, that are forgotten together."""


class Sketch:
    """Time-windowed counts of keys, with the reader's fold left out of the future.

    rows: independent hashes of a key; a cell is `row * 2**bits + hash`. lanes: tables of one size that are asked for
    the same cells; the first `past_lanes` of them answer `preceding` (a placebo has no past ranker). Arrays, int32:
    `seen` [cells * folds, lanes] = what readers of a fold see, past and future; `past` [cells, past_lanes] = the past
    alone; `total` [past_lanes, cells] = past and future of every fold, for `occupancy`. They are on the device, the
    events in plain memory: which of them a step needs is never asked of a GPU. An event is of a *key*,
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
        self._counts = Counts.empty(cells, leak.folds, lanes, past_lanes, device)
        self.seen, self.past, self.total = self._counts.seen, self._counts.past, self._counts.total
        self._used = np.zeros(max(1, cells // 8) if device.type == "cpu" else 0, np.uint8)
        self.time = BEFORE_ALL
        self._events = np.zeros((4, 0), np.int64)  # ts, key, fold, weight; by ts
        self._coming: list[np.ndarray] = []
        self._passed = 0  # events before it are past in the tables
        self._entered = 0  # and those before this one are in them
        self._ageing: dict[int, list[Aged]] = {}
        self._counted_at = BEFORE_ALL
        self._occupancy = np.zeros((rows, past_lanes))

    def update(self, ts: Tensor, key: Tensor, fold: Tensor, weight: Tensor) -> None:
        """Add events, int64 [events] in plain memory, in any order, none with a time already within the horizon."""
        self._coming.append(np.stack([column.numpy() for column in (ts, key, fold, weight)]))

    def _merge(self) -> None:
        """Put what was added in its place by time; what entered before stays where it is. What passed goes."""
        if self._coming:
            coming = np.concatenate([self._events[:, self._entered :], *self._coming], axis=1)
            order = torch.argsort(torch.from_numpy(coming[0]), stable=True).numpy()
            coming = np.take(coming, order, axis=1)
            self._events = np.concatenate([self._events[:, self._passed : self._entered], coming], axis=1)
            self._passed, self._entered, self._coming = 0, self._entered - self._passed, []

    @property
    def place(self) -> tuple[int, int]:
        """How many of the events in `tables` have entered, and how many have passed."""
        return self._entered, self._passed

    def tables(self) -> Tables:
        """Return the tables and all events as arrays that are shared with this sketch, on a CPU."""
        self._merge()
        return Tables(
            self.seen.numpy(), self.past.numpy(), self.total.numpy(), self._used, self._events, self.leak.folds
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
            coming, leaving = self._events[:, self._entered : entered], self._events[:, self._passed : passed]
            self._counts.move(self.leak, coming, leaving)
        self.moved(entered, passed, t)
        self._forget(self.leak.past_start(t))

    def moved(self, entered: int, passed: int, t: int) -> None:
        """Note that the tables were moved to sample time t, before the next of `Leak.cuts`: see `place`."""
        first = self._passed
        while first < passed:
            step = int(self._events[0, first]) // self.leak.ageing
            last = min(passed, self._before((step + 1) * self.leak.ageing))
            key, weight = self._events[1, first:last].copy(), self._events[3, first:last].astype(np.int32)
            self._ageing.setdefault(step, []).append((key, weight))
            first = last
        self._entered, self._passed, self.time = entered, passed, t

    def _forget(self, until: int) -> None:
        old = sorted(step for step in self._ageing if step * self.leak.ageing < until)
        for step in old:
            for key, weight in self._ageing.pop(step):
                self._counts.age(key, -weight)
        if old:
            self._mark()

    def _mark(self) -> None:
        """Note anew which cells are in use."""
        self._used[:] = 0
        if len(self._used):
            aged = (key for parts in self._ageing.values() for key, _ in parts)
            for keys in (*aged, self._events[1, self._passed : self._entered]):
                mark(self._used, keys, self.lanes)

    def compact(self) -> None:
        """Sum what ages together, so that memory is bounded by the table, not by the events."""
        for step, parts in self._ageing.items():
            self._ageing[step] = [_summed(parts)]

    def span(self, last: int) -> Span:
        """Return what changes between the tables' time and `last`, ms, before the next of `Leak.cuts`."""
        last = max(last, self.time)
        coming = self._events[:, self._entered : self._before(self.leak.future_end(last))]
        leaving = self._events[:, self._passed : self._before(self.leak.past_end(last))]
        return span(self.leak, coming, leaving, self.time, last, self.lanes, self.device)

    def leaked(self, cell: Tensor, t: Tensor, fold: Tensor, inside: Span | None = None) -> Tensor:
        """Return the leaked weight in each lane of each cell: int32 [*cell.shape, lanes].

        cell: int64; t, fold: int64 that broadcast to it, t >= the tables' time and before the next of `Leak.cuts`;
        inside: the span to the last of t. Without it the last is asked for, and a GPU waited for.
        """
        inside = self._span_to(t) if inside is None else inside
        own = cell * self.leak.folds + fold
        count = self.seen.index_select(0, own.flatten()).view(*cell.shape, self.lanes)
        since = t - inside.start
        if inside.everywhere is not None:
            count += inside.everywhere.until(cell, since)
        if inside.own is not None:
            count -= inside.own.until(own, since)
        return count

    def preceding(self, cell: Tensor, t: Tensor, inside: Span | None = None) -> Tensor:
        """Return the past weight in each lane with a past: int32 [*cell.shape, past_lanes]; arguments as `leaked`."""
        inside = self._span_to(t) if inside is None else inside
        count = self.past.index_select(0, cell.flatten()).view(*cell.shape, self.past_lanes)
        if inside.past is not None:
            count += inside.past.until(cell, t - inside.start)[..., : self.past_lanes]
        return count

    def _span_to(self, t: Tensor) -> Span:
        return self.span(int(t.max()) if t.numel() else self.time)

    def _before(self, ts: int) -> int:
        """Return how many of the events have a time before ts."""
        return int(np.searchsorted(self._events[0], ts))

    def occupancy(self) -> np.ndarray:
        """Return the share of cells in use, [rows, past_lanes]: how likely an unknown key looks known.

        Counted anew once in COUNTING_STEPS ageing steps: the whole table is read for it, and a GPU waited for.
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
            self._counts.clear()
        self._ageing = {}
        for step in meta["ageing"]:
            key, weight = arrays[f"ageing.{step}"]
            self._ageing[step] = [(key, weight.astype(np.int32))]
            self._counts.age(key, weight)
        self._events, self._coming = arrays["events"], []
        self.time, self._passed, self._entered = meta["time"], 0, meta["entered"]
        self._counts.move(self.leak, self._events[:, : self._entered], self._events[:, :0])
        self._mark()
        self._counted_at, self._occupancy = meta["counted"][0], np.array(meta["counted"][1])


def _summed(parts: Sequence[Aged]) -> Aged:
    """Return keys and weights as one part: each key once, ascending, if they were several."""
    if len(parts) == 1:
        return parts[0]
    keys, weights = (torch.from_numpy(np.concatenate(column)) for column in zip(*parts, strict=True))
    key, inverse = torch.unique(keys, return_inverse=True)  # numpy takes four times as long
    weight = torch.zeros(len(key), dtype=torch.int32).index_add_(0, inverse, weights)
    return key.numpy(), weight.numpy()


def _copying(
    meta: dict[str, object], ageing: dict[int, list[Aged]], events: np.ndarray
) -> Steps[tuple[dict[str, object], dict[str, np.ndarray]]]:
    arrays = {}
    for step, parts in ageing.items():
        columns = _summed(parts)
        yield
        arrays[f"ageing.{step}"] = yield from _stacked(columns)
    arrays["events"] = yield from _stacked(events)
    return meta, arrays


def _stacked(columns: Sequence[np.ndarray] | np.ndarray) -> Steps[np.ndarray]:
    """Return columns of one length as int64 [columns, length]."""
    found = np.empty((len(columns), len(columns[0])), np.int64)
    together = PIECE // found.itemsize
    for row, column in zip(found, columns, strict=True):
        for first in range(0, len(row), together):
            row[first : first + together] = column[first : first + together]
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
