"""A ranker group: all rankers of one rank shard, scored and trained in one stacked step.

Every ranker sees the same samples in the same order and batches from the same initial weights,
and is scored on a batch before it learns from it (prequential: Dawid, 1984). The twin differs
from the unleaked ranker in its seed alone: a running A/A test of the learning itself.
"""

from __future__ import annotations

import itertools
import math
import weakref
from bisect import bisect
from collections.abc import Sequence
from functools import partial

import numpy as np
import torch
from torch import Tensor

from lis_online.errors import CheckpointError
from lis_online.metrics.layout import TWIN, UNLEAKED
from lis_online.rankers.adagrad import Adagrad, Touched, fresh_sums
from lis_online.rankers.health import REASONS, Health
from lis_online.rankers.inputs import Inputs
from lis_online.rankers.network import (
    TABLES,
    Embedded,
    Learnt,
    Network,
    Residual,
    derived,
    ranker_dimension,
    stack_rankers,
)
from lis_online.rankers.signs import signs_of, watched_parameters
from lis_online.snapshots.held_rows import HeldRows
from lis_online.snapshots.steps import Steps, at_once
from lis_online.team import Team
from lis_online.transfers import sent

PAD = 32
"""Batches are padded to a multiple of this, so that no vector loop has a tail: a tail is computed by other
instructions, and where it falls would depend on how many rankers there are."""

TOGETHER = 10
"""Rankers computed at once on a CPU, at most: what lies between their layers stays in a core's cache."""


class RankerGroup:
    """The stacked parameters and optimiser of a group.

    There is a *place* for each of `seeds`, the initial weights' seed of its ranker; place 0 is the unleaked ranker's,
    place 1 its twin's. A place is empty or holds a ranker, and a ranker runs or is set aside. Those that run are
    stacked and computed, the others cost nothing. batch: samples that a full step has; a short step counts each
    sample as much as a full one does. rate: of Adagrad.

    active: bool [places], which hold a ranker now (one that is set aside too).
    set_aside: place -> why it does not run: "diverged", "exploded" or "stalled" (`lis_online.rankers.health`).
    """

    def __init__(
        self,
        network: Network,
        seeds: list[int],
        rate: float,
        batch: int,
        device: torch.device,
        active: Sequence[bool] | None = None,
        team: Team | None = None,
    ) -> None:
        self.network = network
        self.seeds = seeds
        self.rate = rate
        self.batch = batch
        self.device = device
        self.team = team or Team(1)
        self.active = np.ones(len(seeds), bool) if active is None else np.array(active, bool)
        self.set_aside: dict[int, str] = {}
        self._running: list[int] = np.flatnonzero(self.active).tolist()
        drawn = {seed: network.initial(seed) for seed in set(seeds)}
        stacked = stack_rankers([drawn[seed] for seed in seeds])
        self._hold({name: _of(name, value, self._running).to(device) for name, value in stacked.items()})
        self._derived = derived(network) if device.type == "cpu" else None
        self._watched = watched_parameters(network, drawn[seeds[0]], device)
        self._health = Health(len(seeds), len(self._watched))
        self._held: weakref.WeakValueDictionary[str, HeldRows] = weakref.WeakValueDictionary()

    def _hold(self, parameters: dict[str, Tensor], sums: dict[str, Tensor] | None = None) -> None:
        self.parameters = parameters
        self.optimiser = Adagrad(parameters, self.rate, sums)

    def step(self, inputs: Inputs, side: Tensor, label: np.ndarray) -> np.ndarray:
        """Score a batch, then learn from it. Return the logits before learning: float32 [places, samples].

        side: float32 [places, samples, features], on the group's device; label: [samples], 0 or 1. Rows of places
        that are empty or set aside are NaN, from the step that set a ranker aside on.
        """
        samples = len(label)
        scored = np.full((len(self.seeds), samples), np.nan, np.float32)
        if not self._running:
            return scored
        pad = -samples % PAD
        ids = np.pad(inputs.ids, ((0, 0), (0, pad)))
        for name, of_table in zip(TABLES, ids, strict=True):
            held = self._held.get(name)
            if held is not None:
                held.keep(of_table)
        rows = sent(ids, self.device)
        dense = sent(np.pad(inputs.dense, ((0, pad), (0, 0))), self.device)
        side = torch.nn.functional.pad(self._of_running(side), (0, 0, 0, pad))
        target = sent(np.pad(label, (0, pad)).astype(np.float32), self.device)
        weight = torch.zeros(samples + pad, device=self.device)
        weight[:samples] = 1 / self.batch
        touched = [self.optimiser.touch(name, rows[k]) for k, name in enumerate(TABLES)]
        learn = partial(self._learn, rows=rows, touched=touched, dense=dense, side=side, target=target, weight=weight)
        # one transfer for both, so that health costs no synchronisation of its own
        found = torch.cat(self.team.run([partial(learn, some) for some in self._parts()])).cpu().numpy()
        scored[self._running] = found[:, :samples]
        ill = self._health.update(self._running, scored, found[:, samples + pad :], label)
        for place, reason in ill.items():
            self._remove(place)
            self.set_aside[place] = reason
            scored[place] = np.nan
        return scored

    def _of_running(self, side: Tensor) -> Tensor:
        return side if len(self._running) == len(side) else torch.stack([side[place] for place in self._running])

    def _parts(self) -> list[slice]:
        """Return which of those that run are computed together.

        On a CPU as many parts for each thread, of at most TOGETHER.
        """
        rankers, threads = len(self._running), self.team.threads
        if self.device.type != "cpu":
            return [slice(0, rankers)]
        parts = min(rankers, threads * math.ceil(rankers / (threads * TOGETHER)))
        edges = [k * rankers // parts for k in range(parts + 1)]
        return [slice(first, last) for first, last in itertools.pairwise(edges)]

    def _learn(
        self,
        some: slice,
        rows: Tensor,
        touched: Sequence[Touched],
        dense: Tensor,
        side: Tensor,
        target: Tensor,
        weight: Tensor,
    ) -> Tensor:
        """Let some of those that run learn; return logits and, at a check-up, signs: [rankers, samples + signs]."""

        def residual(logits: Tensor) -> Tensor:
            return (torch.sigmoid(logits) - target) * weight  # gradient of the mean log loss

        if self._derived is not None:
            found = self._derived.learn(some, self.parameters, rows, dense, side, residual)
        else:
            found = self._derive(some, rows, dense, side, residual)
        for name, gradient in found.of_weights.items():
            self.optimiser.update(name, some, gradient)
        for name, taken, gradient in zip(TABLES, touched, found.of_rows, strict=True):
            self.optimiser.update_rows(name, some, taken, gradient)
        signs = [self._signs(some, rows, found)] if self._health.is_due else []
        return torch.cat([found.logits, *signs], dim=1)

    def _signs(self, some: slice, rows: Tensor, found: Learnt) -> Tensor:
        whole = {name: value[some] for name, value in self.parameters.items() if name not in TABLES}
        return signs_of(whole, self._rows(some, rows), [found.of_weights.get(name) for name in self._watched])

    def _rows(self, some: slice, rows: Tensor) -> list[Tensor]:
        """Return the tables' rows of some of those that run: [samples, rankers, embedding + 1] each."""
        return [self.parameters[name][:, some].index_select(0, rows[k]) for k, name in enumerate(TABLES)]

    def _derive(self, some: slice, rows: Tensor, dense: Tensor, side: Tensor, residual: Residual) -> Learnt:
        """Return what `Derived.learn` does, by torch's automatic differentiation."""
        embedded = [table.requires_grad_() for table in self._rows(some, rows)]
        leaves = {
            name: value[some].detach().requires_grad_() for name, value in self.parameters.items() if name not in TABLES
        }
        logits = self.network.forward(leaves, Embedded(*embedded), dense, side[some])
        inputs = [*leaves.values(), *embedded]
        gradients = torch.autograd.grad(logits, inputs, residual(logits.detach()), allow_unused=True)
        of_weights = {name: g for name, g in zip(leaves, gradients, strict=False) if g is not None}
        of_rows = [
            torch.zeros_like(table) if g is None else g
            for table, g in zip(embedded, gradients[len(leaves) :], strict=True)
        ]
        return Learnt(logits.detach(), of_weights, of_rows)

    def start(self, place: int, like: int) -> None:
        """Fill an empty or set-aside place with a copy of a running ranker, its optimiser's state included.

        The unleaked ranker's side features were always 0, so the weights of its side block are still the initial draw:
        a ranker started like it differs from it by its own block alone, a fair fork. Raises ValueError where `place`
        has a ranker that runs, or `like` has none.
        """
        if place in self._running or like not in self._running:
            raise ValueError(
                f"place must not run and like must, got {place} and {like} of those running {self._running}"
            )
        at = [self._running.index(like)]
        parameters = {name: _of(name, value, at) for name, value in self.parameters.items()}
        self._insert(place, parameters, {name: _of(name, value, at) for name, value in self.optimiser.sums.items()})

    def restart(self, place: int) -> None:
        """Start a place's ranker again, whatever became of it: like the unleaked one.

        The unleaked ranker and the twin start from their seed, and so does any other while the unleaked is set aside.
        """
        self.stop(place)
        if place not in (UNLEAKED, TWIN) and UNLEAKED in self._running:
            self.start(place, UNLEAKED)
            return
        drawn = stack_rankers([self.network.initial(self.seeds[place])])
        parameters = {name: value.to(self.device) for name, value in drawn.items()}
        self._insert(place, parameters, fresh_sums(parameters))

    def stop(self, place: int) -> None:
        """Empty a place."""
        if place in self._running:
            self._remove(place)
        self.set_aside.pop(place, None)
        self.active[place] = False

    def _insert(self, place: int, parameters: dict[str, Tensor], sums: dict[str, Tensor]) -> None:
        at = bisect(self._running, place)
        self._hold(
            {name: _inserted(name, value, at, parameters[name]) for name, value in self.parameters.items()},
            {name: _inserted(name, value, at, sums[name]) for name, value in self.optimiser.sums.items()},
        )
        self._running.insert(at, place)
        self.active[place] = True
        self.set_aside.pop(place, None)
        self._health.forget(place)

    def _remove(self, place: int) -> None:
        at = self._running.index(place)
        rest = [k for k in range(len(self._running)) if k != at]
        self._hold(
            {name: _of(name, value, rest) for name, value in self.parameters.items()},
            {name: _of(name, value, rest) for name, value in self.optimiser.sums.items()},
        )
        self._running.remove(place)

    def snapshot(self) -> dict[str, np.ndarray]:
        """Return parameters and sums of squares of those that run, who holds a place and how each fares, as arrays."""
        return at_once(self.begin_snapshot())

    def begin_snapshot(self) -> Steps[dict[str, np.ndarray]]:
        """Take hold of the state; return the copying of it: of the tables, the rest is copied at once."""
        held = {name: HeldRows(self.parameters[name], self.optimiser.sums[name]) for name in TABLES}
        self._held = weakref.WeakValueDictionary(held)  # they live as long as the copying does
        pairs = {name: (value, self.optimiser.sums[name]) for name, value in self.parameters.items()}
        arrays = {
            f"{kind}.{name}": value.cpu().numpy().copy()
            for name, pair in pairs.items()
            if name not in TABLES
            for kind, value in zip(KINDS, pair, strict=True)
        }
        reasons = [REASONS.index(self.set_aside.get(place, "")) for place in range(len(self.seeds))]
        arrays |= {"active": self.active.astype(np.uint8), "set_aside": np.array(reasons, np.uint8)}
        return _copying(arrays | {f"health.{name}": array for name, array in self._health.snapshot().items()}, held)

    def restore(self, arrays: dict[str, np.ndarray]) -> None:
        """Replace the state with that of `snapshot`.

        Raises CheckpointError where the network has other parameters now: its code has changed, not its name.
        """
        self._check(arrays)
        self.active = arrays["active"].astype(bool)
        self.set_aside = {place: REASONS[code] for place, code in enumerate(arrays["set_aside"].tolist()) if code}
        self._running = [place for place in np.flatnonzero(self.active).tolist() if place not in self.set_aside]
        self._hold(*({name: self._tensor(arrays[f"{kind}.{name}"]) for name in self.parameters} for kind in KINDS))
        self._health.restore(
            {name.removeprefix("health."): a for name, a in arrays.items() if name.startswith("health.")}
        )

    def _check(self, arrays: dict[str, np.ndarray]) -> None:
        found = {
            name.removeprefix("parameter."): a.shape for name, a in arrays.items() if name.startswith("parameter.")
        }
        for name in found.keys() | self.parameters.keys():
            kept, own = (_of_one(name, shape) for shape in (found.get(name), _shape(self.parameters.get(name))))
            if kept != own:
                raise CheckpointError(f"parameter {name} of the rankers must have shape {own}, got {kept}")

    def _tensor(self, array: np.ndarray) -> Tensor:
        return torch.from_numpy(array).to(self.device)


KINDS = ("parameter", "sum")


def _copying(arrays: dict[str, np.ndarray], held: dict[str, HeldRows]) -> Steps[dict[str, np.ndarray]]:
    found = dict(arrays)
    for name in list(held):
        parameter, sums = yield from held.pop(name).copying()
        found |= {f"parameter.{name}": parameter, f"sum.{name}": sums}
    return found


def _of(name: str, stacked: Tensor, rankers: list[int]) -> Tensor:
    """Return a copy of some rankers' part of a stacked parameter."""
    return stacked.index_select(ranker_dimension(name), torch.tensor(rankers, dtype=torch.int64, device=stacked.device))


def _shape(stacked: Tensor | None) -> tuple[int, ...] | None:
    return None if stacked is None else tuple(stacked.shape)


def _of_one(name: str, stacked: tuple[int, ...] | None) -> list[int] | None:
    """Return the shape that a stacked parameter has for one ranker; None: there is none."""
    dimension = ranker_dimension(name)
    return None if stacked is None else [*stacked[:dimension], *stacked[dimension + 1 :]]


def _inserted(name: str, stacked: Tensor, at: int, one: Tensor) -> Tensor:
    """Return a stacked parameter with one ranker more."""
    dimension = ranker_dimension(name)
    before, after = stacked.tensor_split([at], dim=dimension)
    return torch.cat([before, one, after], dim=dimension)
