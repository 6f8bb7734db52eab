"""Adagrad (Duchi, Hazan and Singer, 2011): each coordinate's step shrinks with the gradients it has seen.

It learns fast from the first samples and stays calm: measured against SGD and Adam on streams of a
few hundred thousand samples. Rows of a table that a batch does not touch have no gradient, so updating
the touched rows alone is the same as updating all.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from lis_online.rankers.adagrad_loop import step, step_rows, touched

INITIAL = 1e-2
"""Start of the sums of squares: the first steps are not yet of full size."""

EPSILON = 1e-10


class Touched(NamedTuple):
    """Rows of a table that a step reads, int64 [samples], on the parameters' device.

    On a CPU, distinct: int64 [rows], in the order they come; which: int32 [samples], where each is among them. Empty
    elsewhere.
    """

    rows: Tensor
    distinct: np.ndarray
    which: np.ndarray


class Adagrad:
    """Sums of squared gradients for named parameters. sums: those to go on with; fresh ones otherwise.

    On a CPU a parameter is read and written once (`adagrad_loop`), on a GPU by torch's operations.
    """

    def __init__(self, parameters: dict[str, Tensor], rate: float, sums: dict[str, Tensor] | None = None) -> None:
        self.parameters = parameters
        self.rate = rate
        self.sums = fresh_sums(parameters) if sums is None else sums
        self._places: dict[str, np.ndarray] = {}

    def update(self, name: str, some: slice, gradient: Tensor) -> None:
        """Step a whole parameter of some rankers. gradient: [those rankers, ...]."""
        parameter, sums = self.parameters[name][some], self.sums[name][some]
        if gradient.device.type == "cpu":
            step(_flat(parameter), _flat(sums), _flat(gradient), self.rate, EPSILON)
            return
        sums.addcmul_(gradient, gradient)
        parameter.sub_(self.rate * gradient / (sums.sqrt() + EPSILON))

    def touch(self, name: str, rows: Tensor) -> Touched:
        """Return which rows of a table a step reads. rows: int64 [samples]."""
        count = len(rows) if rows.device.type == "cpu" else 0
        distinct, which = np.empty(count, np.int64), np.empty(count, np.int32)
        if count:
            if name not in self._places:
                self._places[name] = np.full(len(self.parameters[name]), -1, np.int32)
            distinct = distinct[: touched(rows.numpy(), self._places[name], distinct, which)]
        return Touched(rows, distinct, which)

    def update_rows(self, name: str, some: slice, rows: Touched, gradient: Tensor) -> None:
        """Step rows of a table of some rankers; gradients of one that is read twice add up.

        gradient: [samples, those rankers, ...]. Off a CPU `some` must be all rankers.
        """
        if gradient.device.type == "cpu":
            table, squares = (tensors[name].flatten(1).numpy() for tensors in (self.parameters, self.sums))
            first, of_rows = some.start * gradient.shape[2], gradient.flatten(1).numpy()
            step_rows(table, squares, first, rows.distinct, rows.which, of_rows, self.rate, EPSILON)
            return
        self._update_rows_at_once(name, rows.rows, gradient)

    def _update_rows_at_once(self, name: str, rows: Tensor, gradient: Tensor) -> None:
        """Step rows without asking how many differ: a GPU's host would wait for the answer.

        A row's gradients add up at its first place among the sorted rows. Each of its samples then computes the same
        new values from that sum, and writes them to the same row: to the same bits, whichever comes last.
        """
        first = torch.searchsorted(torch.sort(rows).values, rows)
        summed = _summed(first, gradient).index_select(0, first)
        sums = self.sums[name].index_select(0, rows).add_(summed * summed)
        steps = summed.mul_(self.rate).div_(sums.sqrt().add_(EPSILON))
        parameter = self.parameters[name].index_select(0, rows).sub_(steps)
        self.sums[name][rows] = sums
        self.parameters[name][rows] = parameter


def _summed(place: Tensor, gradient: Tensor) -> Tensor:
    """Return the sums of the gradients of each place, the shape of gradient. place: int64 [n], of 0 to n - 1.

    It is how torch sums the gradient of an embedding: sorted, in parts of a row's gradients, in one order. An
    `index_add_` adds as threads come, and gives other bits each time; an `index_put_` that accumulates reads the range
    of its indices back, and takes a row's gradients one by one (of a row that all samples share, all of them). As many
    places as gradients also keep torch from its variant with atomic additions, which is for few.
    """
    flat = gradient.flatten(1)
    summed: Tensor = torch.ops.aten.embedding_dense_backward(flat, place, len(flat), -1, False)
    return summed.view(gradient.shape)


def _flat(tensor: Tensor) -> np.ndarray:
    array: np.ndarray = tensor.detach().contiguous().view(-1).numpy()
    return array


def fresh_sums(parameters: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return the sums that parameters start with."""
    return {name: torch.full_like(value, INITIAL) for name, value in parameters.items()}
