"""Rankers that each break a rule of the contract, and some that break none."""

from __future__ import annotations

import itertools

import numpy as np
import torch
from torch import Tensor, nn

from lis_online.rankers.network import Embedded, Shape
from lis_online.rankers.wide_and_deep import StackedWideAndDeep


class Plain(nn.Module):
    """One hidden layer over everything: keeps every rule."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        width = 4 * shape.embedding + shape.dense + shape.side
        self.hidden = nn.Linear(width, 16)
        self.out = nn.Parameter(torch.rand(16) - 0.5)

    def features(self, embedded: Embedded, dense: Tensor, side: Tensor) -> Tensor:
        """Return all features of each sample."""
        return torch.cat([*(table[:, :-1] for table in embedded), dense, side], dim=1)

    def forward(self, embedded: Embedded, dense: Tensor, side: Tensor) -> Tensor:
        """Return logits."""
        return (torch.relu(self.hidden(self.features(embedded, dense, side))) * self.out).sum(1)


class Tower(Plain):
    """Side features in a part of their own: keeps every rule."""

    def __init__(self, shape: Shape) -> None:
        super().__init__(shape)
        self.tower = nn.Parameter(torch.rand(shape.side, 4) - 0.5)
        self.mixed = nn.Parameter(torch.rand(4))

    def forward(self, embedded: Embedded, dense: Tensor, side: Tensor) -> Tensor:
        """Return logits."""
        return super().forward(embedded, dense, side) + (torch.tanh(side @ self.tower) * self.mixed).sum(1)


class FewIds(Plain):
    """No use of authors and categories: keeps every rule."""

    def features(self, embedded: Embedded, dense: Tensor, side: Tensor) -> Tensor:
        """Return all features of each sample."""
        return torch.cat(
            [embedded.user, embedded.item * 2, embedded.user[:, :-2], embedded.item[:, :-2], dense, side], 1
        )


class Column(Plain):
    """Logits of shape [samples, 1]."""

    def forward(self, embedded: Embedded, dense: Tensor, side: Tensor) -> Tensor:
        """Return logits."""
        return super().forward(embedded, dense, side)[:, None]


class Double(Plain):
    """Logits of another type."""

    def forward(self, embedded: Embedded, dense: Tensor, side: Tensor) -> Tensor:
        """Return logits."""
        return super().forward(embedded, dense, side).double()


class Infinite(Plain):
    """Logits that are not finite."""

    def forward(self, embedded: Embedded, dense: Tensor, side: Tensor) -> Tensor:
        """Return logits."""
        return super().forward(embedded, dense, side) / 0


class Dropout(Plain):
    """Randomness in training."""

    def forward(self, embedded: Embedded, dense: Tensor, side: Tensor) -> Tensor:
        """Return logits."""
        return super().forward(embedded, nn.functional.dropout(dense), side)


class Branch(Plain):
    """A branch on a value."""

    def forward(self, embedded: Embedded, dense: Tensor, side: Tensor) -> Tensor:
        """Return logits."""
        logits = super().forward(embedded, dense, side)
        return logits if logits.sum() > 0 else -logits


class Unused(Plain):
    """A parameter that no logit depends on."""

    def __init__(self, shape: Shape) -> None:
        super().__init__(shape)
        self.lost = nn.Parameter(torch.zeros(3))


class OneStart(Plain):
    """A seed of its own."""

    def __init__(self, shape: Shape) -> None:
        torch.manual_seed(5)
        super().__init__(shape)


class AnyStart(Plain):
    """A draw from elsewhere."""

    draws = itertools.count()

    def __init__(self, shape: Shape) -> None:
        super().__init__(shape)
        self.out.data += torch.from_numpy(np.random.default_rng(next(self.draws)).random(16, np.float32))


class InPlace(Plain):
    """A change of its input."""

    def forward(self, embedded: Embedded, dense: Tensor, side: Tensor) -> Tensor:
        """Return logits."""
        return super().forward(embedded, dense, side.mul_(0.5))


class Counting(Plain):
    """State between calls."""

    calls = 0

    def forward(self, embedded: Embedded, dense: Tensor, side: Tensor) -> Tensor:
        """Return logits."""
        self.calls += 1
        return super().forward(embedded, dense, side) + self.calls


class BatchNorm(Plain):
    """Statistics over the batch."""

    def features(self, embedded: Embedded, dense: Tensor, side: Tensor) -> Tensor:
        """Return all features of each sample."""
        found = super().features(embedded, dense, side)
        return found - found.mean(0)


class Silent(Plain):
    """Gradients of 0 everywhere."""

    def forward(self, embedded: Embedded, dense: Tensor, side: Tensor) -> Tensor:
        """Return logits."""
        return super().forward(embedded, dense, side) * 0


class LayerNorm(Plain):
    """A normalisation over the side features too: where they are 0, what goes on is not."""

    def features(self, embedded: Embedded, dense: Tensor, side: Tensor) -> Tensor:
        """Return all features of each sample."""
        found = super().features(embedded, dense, side)
        return (found - found.mean(1, keepdim=True)) / (found.std(1, keepdim=True) + 1)


class Deaf(Plain):
    """No use of the side features."""

    def features(self, embedded: Embedded, dense: Tensor, side: Tensor) -> Tensor:
        """Return all features of each sample."""
        return super().features(embedded, dense, side * 0)


class Slow(Plain):
    """Steps far too small."""

    def forward(self, embedded: Embedded, dense: Tensor, side: Tensor) -> Tensor:
        """Return logits."""
        return super().forward(embedded, dense, side) * 1e-3


class Coupled(StackedWideAndDeep):
    """A whole network whose rankers see each other."""

    def forward(self, parameters: dict[str, Tensor], embedded: Embedded, dense: Tensor, side: Tensor) -> Tensor:
        """Return logits."""
        logits = super().forward(parameters, embedded, dense, side)
        return logits + 1e-4 * logits.mean(0)


BROKEN = [
    (Column, "call", "logits of 64 samples have shape [64, 1]"),
    (Double, "call", "logits are torch.float64"),
    (Infinite, "call", "not finite"),
    (Dropout, "call", "random"),
    (Branch, "call", "data-dependent control flow"),
    (Unused, "gradients", "module.lost has none"),
    (OneStart, "start", "rankers of two seeds are the same"),
    (AnyStart, "start", "two rankers of one seed differ"),
    (InPlace, "inputs", "an input was changed"),
    (Counting, "state", "a second call with the same inputs gives others"),
    (BatchNorm, "samples", "other samples in the batch move a logit by"),
    (Silent, "scored first", "labels of a step change nothing after it"),
    (Coupled, "isolation", "a ranker has other bits in a group of"),
    (LayerNorm, "side", "weights that are learnt while they are 0"),
    (Deaf, "side", "side features change no logit"),
    (Slow, "learns", "times that of the constant click rate"),
    (Counting, "snapshot", "a restored group predicts otherwise"),
]
"""Factory, the rule it breaks, what is said of it."""

number = 5
"""No factory."""


def nothing(shape: Shape) -> None:
    """Make no module."""


def raising(shape: Shape) -> nn.Module:
    """Raise."""
    raise RuntimeError(f"no room for {shape.dense}")
