"""A small problem with a known answer, for trying a network: what the contract's rules run on."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from lis_online.rankers.inputs import Inputs
from lis_online.rankers.network import Shape

RANKERS = 7
"""Rankers that a step has side features for; 0 and 1 see none, like the unleaked one and its twin."""

IDS = 40
"""Users, items, authors and categories that there are, fewer where the tables have fewer rows."""


@dataclass(frozen=True)
class Step:
    """One step's samples. side: float32 [RANKERS, samples, features]."""

    inputs: Inputs
    side: Tensor
    label: np.ndarray

    def of(self, rankers: list[int]) -> tuple[Inputs, Tensor, np.ndarray]:
        """Return what `RankerGroup.step` takes, for some rankers."""
        return self.inputs, self.side[rankers], self.label


def planted_steps(shape: Shape, steps: int, samples: int, seed: int = 1) -> list[Step]:
    """Return steps whose labels follow the first dense feature and a hidden signal, each as much as the other.

    Rankers 2 to 6 see the signal in their first side feature, each under noise of its own. A step has up to 20
    samples fewer than asked for, so that sizes differ.
    """
    rng = np.random.default_rng(seed)
    return [_step(shape, samples - (7 * step) % 21, rng) for step in range(steps)]


def _step(shape: Shape, samples: int, rng: np.random.Generator) -> Step:
    ids = np.stack([rng.integers(0, min(rows, IDS), samples) for rows in shape.rows])
    dense = rng.normal(size=(samples, shape.dense)).astype(np.float32)
    signal = rng.normal(size=samples)
    side = 0.3 * rng.normal(size=(RANKERS, samples, shape.side))
    side[:, :, 0] += signal
    side[:2] = 0
    chance = 1 / (1 + np.exp(1.0 - 1.5 * dense[:, 0] - 1.5 * signal))
    label = (rng.random(samples) < chance).astype(np.uint8)
    return Step(Inputs(ids, dense), torch.from_numpy(side.astype(np.float32)), label)


def log_loss(logits: np.ndarray, label: np.ndarray) -> np.ndarray:
    """Return the mean log loss of each ranker; logits: [rankers, samples]."""
    x = logits.astype(np.float64)
    loss: np.ndarray = (np.maximum(x, 0) - x * label + np.log1p(np.exp(-np.abs(x)))).mean(axis=1)
    return loss


def constant_loss(label: np.ndarray) -> float:
    """Return the log loss of the constant click rate."""
    rate = float(label.mean())
    return -rate * math.log(rate) - (1 - rate) * math.log1p(-rate)
