"""DCN-v2: explicit crosses of the features beside a deep network.

Wang et al., "DCN V2: Improved Deep & Cross Network and Practical Lessons for Web-scale Learning to Rank Systems"
(arXiv 2008.13535), equation 1, in the parallel structure of figure 1b: x_{l+1} = x_0 * (W_l x_l + b_l) + x_l.
"""

from __future__ import annotations

import itertools
import math

import torch
from torch import Tensor, nn

from lis_online.rankers.network import TABLES, Embedded, Shape
from lis_online.rankers.wide_and_deep import OFFSET, OUT_SCALE

CROSSES = 2
"""Cross layers: products of up to three features."""

CROSS_SCALE = 0.1
"""A cross begins near the identity, so that features beyond 1 do not multiply at once."""


class DCNv2(nn.Module):
    """A ranker with full cross layers. Its side weights have no gradient while the side features are 0."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        width = len(TABLES) * shape.embedding + shape.dense + shape.side
        self.cross = nn.ParameterList(_uniform(width, width, CROSS_SCALE / math.sqrt(width)) for _ in range(CROSSES))
        self.cross_bias = nn.ParameterList(nn.Parameter(torch.zeros(width)) for _ in range(CROSSES))
        sizes = (width, *shape.hidden)
        # He et al., arXiv 1502.01852, equation 10, uniform form
        self.deep = nn.ParameterList(_uniform(a, b, math.sqrt(6 / a)) for a, b in itertools.pairwise(sizes))
        self.deep_bias = nn.ParameterList(nn.Parameter(torch.zeros(size)) for size in shape.hidden)
        self.out = _uniform(1, shape.hidden[-1], OUT_SCALE / math.sqrt(shape.hidden[-1]))
        self.wide = nn.Parameter(torch.zeros(1, width))
        self.offset = nn.Parameter(torch.full((1,), OFFSET))

    def forward(self, embedded: Embedded, dense: Tensor, side: Tensor) -> Tensor:
        """Return logits, float32 [samples]."""
        first = torch.cat([*(table[:, :-1] for table in embedded), dense, side], dim=1)
        crossed = hidden = first
        for weight, bias in zip(self.cross, self.cross_bias, strict=True):
            crossed = first * (crossed @ weight + bias) + crossed
        for weight, bias in zip(self.deep, self.deep_bias, strict=True):
            hidden = torch.relu(hidden @ weight + bias)
        # multiply and sum: a matrix product with one output column gives other bits for one ranker than for seven
        logits = (hidden * self.out).sum(1) + (crossed * self.wide).sum(1) + self.offset
        return logits + sum(table[:, -1] for table in embedded)


def _uniform(rows: int, columns: int, bound: float) -> nn.Parameter:
    return nn.Parameter((torch.rand(rows, columns) * 2 - 1) * bound)
