"""The signs of a ranker's health that lie in its weights and gradients."""

from __future__ import annotations

import torch
from torch import Tensor

from lis_online.rankers.network import TABLES, Embedded, Network, stack_rankers

PROBE = 64
"""Samples of the probe that finds out which parameters learn."""


def watched_parameters(network: Network, ranker: dict[str, Tensor], device: torch.device) -> list[str]:
    """Return the parameters, tables aside, that have a gradient while the side features are 0.

    The others say nothing about health: weights of side features have none in the unleaked ranker, and those behind a
    last layer that begins at 0 have none yet.
    """
    generator = torch.Generator().manual_seed(0)
    shape = network.shape
    leaves = {
        name: value.to(device).requires_grad_() for name, value in stack_rankers([ranker]).items() if name not in TABLES
    }
    rows = [torch.randn(PROBE, 1, shape.embedding + 1, generator=generator).to(device) for _ in TABLES]
    dense = torch.randn(PROBE, shape.dense, generator=generator).to(device)
    side = torch.zeros(1, PROBE, shape.side, device=device)
    logits = network.forward(leaves, Embedded(*rows), dense, side)
    gradients = torch.autograd.grad(logits.sum(), list(leaves.values()), allow_unused=True)
    return [name for name, g in zip(leaves, gradients, strict=True) if g is not None and bool(g.any())]


def signs_of(weights: dict[str, Tensor], embedded: list[Tensor], gradients: list[Tensor | None]) -> Tensor:
    """Return the signs of each ranker, float32 [rankers, 1 + gradients].

    First the largest absolute weight, NaN where one is not a number; then the largest absolute gradient of each of
    some parameters. weights, gradients: [rankers, ...]; embedded: the tables' rows, [samples, rankers, ...].
    """
    rows = [table.detach().abs().amax(dim=(0, 2)) for table in embedded]
    largest = torch.stack([_largest(value) for value in weights.values()] + rows).amax(dim=0)
    return torch.stack([largest, *(torch.zeros_like(largest) if g is None else _largest(g) for g in gradients)], dim=1)


def _largest(stacked: Tensor) -> Tensor:
    return stacked.abs().flatten(1).amax(dim=1)
