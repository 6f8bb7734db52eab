"""A ranker group: all rankers of one rank shard, scored and trained in one stacked step.

Every ranker sees the same samples in the same order and batches from the same initial weights,
and is scored on a batch before it learns from it (prequential: Dawid, 1984). The twin differs
from the unleaked ranker in its seed alone: a running A/A test of the learning itself.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from lis_online.rankers.adagrad import Adagrad
from lis_online.rankers.inputs import Inputs
from lis_online.rankers.network import TABLES, Shape, forward, initial_ranker, stack_rankers

PAD = 32
"""Batches are padded to a multiple of this, so that no vector loop has a tail: a tail is computed by other
instructions, and where it falls would depend on how many rankers there are."""


class RankerGroup:
    """The stacked parameters and optimiser of a group.

    seeds: the initial weights' seed of each ranker. batch: samples that a full step has; a short step
    counts each sample as much as a full one does.
    """

    def __init__(self, shape: Shape, seeds: list[int], rate: float, batch: int, device: torch.device) -> None:
        self.shape = shape
        self.batch = batch
        self.device = device
        drawn = {seed: initial_ranker(shape, seed) for seed in set(seeds)}
        stacked = stack_rankers([drawn[seed] for seed in seeds])
        self.parameters = {name: value.to(device) for name, value in stacked.items()}
        self.optimiser = Adagrad(self.parameters, rate)
        self.diverged = np.zeros(len(seeds), bool)

    def step(self, inputs: Inputs, side: Tensor, label: np.ndarray) -> np.ndarray:
        """Score a batch, then learn from it. Return the logits before learning: float32 [rankers, samples].

        side: float32 [rankers, samples, features], on the group's device; label: [samples], 0 or 1.
        """
        samples = len(label)
        pad = -samples % PAD
        rows = torch.from_numpy(np.pad(inputs.ids, ((0, 0), (0, pad)))).to(self.device)
        dense = torch.from_numpy(np.pad(inputs.dense, ((0, pad), (0, 0)))).to(self.device)
        side = torch.nn.functional.pad(side, (0, 0, 0, pad))
        target = torch.from_numpy(np.pad(label, (0, pad)).astype(np.float32)).to(self.device)
        weight = torch.zeros(samples + pad, device=self.device)
        weight[:samples] = 1 / self.batch
        logits = self._learn(rows, dense, side, target, weight)
        scored: np.ndarray = logits[:, :samples].contiguous().cpu().numpy()
        self.diverged |= ~np.isfinite(scored).all(axis=1)
        return scored

    def _learn(self, rows: Tensor, dense: Tensor, side: Tensor, target: Tensor, weight: Tensor) -> Tensor:
        embedded = [self.parameters[name].index_select(0, rows[k]).requires_grad_() for k, name in enumerate(TABLES)]
        whole = {name: value for name, value in self.parameters.items() if name not in TABLES}
        leaves = {name: value.detach().requires_grad_() for name, value in whole.items()}
        logits = forward(leaves, embedded, dense, side, len(self.shape.hidden))
        residual = (torch.sigmoid(logits.detach()) - target) * weight  # gradient of the mean log loss
        gradients = torch.autograd.grad(logits, [*leaves.values(), *embedded], residual)
        for name, gradient in zip(leaves, gradients, strict=False):
            self.optimiser.update(name, gradient)
        for k, name in enumerate(TABLES):
            self._learn_rows(name, rows[k], gradients[len(leaves) + k])
        return logits.detach()

    def _learn_rows(self, name: str, rows: Tensor, gradient: Tensor) -> None:
        distinct, inverse = torch.unique(rows, return_inverse=True)
        summed = torch.zeros((len(distinct), *gradient.shape[1:]), device=self.device)
        self.optimiser.update_rows(name, distinct, summed.index_add_(0, inverse, gradient))

    def snapshot(self) -> dict[str, np.ndarray]:
        """Return parameters, sums of squares and who diverged, as arrays."""
        arrays = {f"parameter.{name}": value.cpu().numpy().copy() for name, value in self.parameters.items()}
        arrays |= {f"sum.{name}": value.cpu().numpy().copy() for name, value in self.optimiser.sums.items()}
        return {**arrays, "diverged": self.diverged.astype(np.uint8)}

    def restore(self, arrays: dict[str, np.ndarray]) -> None:
        """Replace the state with that of `snapshot`."""
        for name, value in self.parameters.items():
            value.copy_(torch.from_numpy(arrays[f"parameter.{name}"].copy()))
            self.optimiser.sums[name].copy_(torch.from_numpy(arrays[f"sum.{name}"].copy()))
        self.diverged = arrays["diverged"].astype(bool)
