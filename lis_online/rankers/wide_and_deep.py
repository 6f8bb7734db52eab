"""Wide-and-deep rankers, written over the ranker dimension by hand: the default.

Cheng et al., "Wide & Deep Learning for Recommender Systems" (arXiv 1606.07792): hashed embeddings and
their interactions through a small network, next to a linear path from the dense features.

On a CPU its gradients are written by hand too (`wide_and_deep_loop`): matrix products by torch, one pass over memory
between them, 5.6 ms instead of 7.4 for a step of 10 rankers and 512 samples.

`WideAndDeep` below is the same network as a module for one ranker, a start for one of your own. Stacked by
`torch.func` its forward pass gives the same bits (a test holds it to that).
"""

from __future__ import annotations

import itertools
import math

import numpy as np
import torch
from torch import Tensor

from lis_online.rankers import wide_and_deep_loop as loop
from lis_online.rankers.network import INTERACTIONS, TABLES, Embedded, Learnt, Residual, Shape, draw_tables

OUT_SCALE = 0.1
"""The deep part starts near silent, and what its draw adds with it: twins then lie closer together (their AUC's
standard deviation 0.0005 instead of 0.0007 over 160,000 simulated samples) and learn a little faster (+0.001)."""

WIDE_SCALE = 0.01
"""Standard deviation of the linear path's first weights where it is alone, so that the twin is another ranker."""

OFFSET = -2.0
"""Initial logit: a click in eight."""


class StackedWideAndDeep:
    """The default network. It is a `Network`, not a module: no transform stands between it and torch.

    Without hidden layers it is the linear path alone: see `lis_online.rankers.logistic`.
    """

    def __init__(self, shape: Shape) -> None:
        self.shape = shape

    def initial(self, seed: int) -> dict[str, Tensor]:
        """Return the parameters of one ranker, drawn on the CPU."""
        generator = torch.Generator().manual_seed(seed)
        return draw_tables(self.shape, generator) | draw_weights(self.shape, generator)

    def forward(self, parameters: dict[str, Tensor], embedded: Embedded, dense: Tensor, side: Tensor) -> Tensor:
        """Return logits, float32 [rankers, samples]."""
        user, item, author, category = (table.transpose(0, 1) for table in embedded)
        direct = user[..., -1] + item[..., -1] + author[..., -1] + category[..., -1]
        features = torch.cat([dense.expand(len(side), -1, -1), side], dim=2)
        wide = (features * parameters["wide"]).sum(2)
        if not self.shape.hidden:
            return wide + direct + parameters["offset"]
        user, item, author, category = (table[..., :-1] for table in (user, item, author, category))
        crossed = (user * item, user * author, user * category)
        hidden = torch.cat([user, item, author, category, *crossed, features], dim=2)
        for layer in range(len(self.shape.hidden)):
            hidden = torch.relu(torch.bmm(hidden, parameters[f"weight{layer}"]) + parameters[f"bias{layer}"])
        # Multiply and sum, not a matrix product: with one output column bmm gives other bits for one ranker than for
        # seven.
        deep = (hidden * parameters["out"]).sum(2)
        return deep + wide + direct + parameters["offset"]

    def learn(
        self, some: slice, parameters: dict[str, Tensor], rows: Tensor, dense: Tensor, side: Tensor, residual: Residual
    ) -> Learnt:
        """Return logits and gradients, as `Derived` says: matrix products by torch, what is between them in loops."""
        rankers, samples = some.stop - some.start, side.shape[1]
        weights = {name: value[some] for name, value in parameters.items() if name not in TABLES}
        found = Learnt(
            torch.empty(rankers, samples),
            {name: torch.zeros_like(value) for name, value in weights.items()},
            [torch.empty(samples, rankers, self.shape.embedding + 1) for _ in TABLES],
        )
        of, to = ({name: value.numpy() for name, value in pair.items()} for pair in (weights, found.of_weights))
        user, item, author, category = (parameters[name].numpy() for name in TABLES)
        taken, logits = rows.numpy(), found.logits
        x = torch.empty(rankers, samples, self.shape.width)
        loop.build(x.numpy(), some.start, taken, user, item, author, category, dense.numpy(), side[some].numpy())
        layers = [x]
        for layer in range(len(self.shape.hidden)):
            layers.append(torch.bmm(layers[-1], weights[f"weight{layer}"]))
            loop.activate(layers[-1].numpy(), of[f"bias{layer}"])
        crossed = (len(TABLES) + INTERACTIONS) * self.shape.embedding
        top, gradient = layers[-1], torch.empty_like(layers[-1])
        if not self.shape.hidden:
            top, gradient = x[:, :, :0], torch.zeros(rankers, samples, crossed)
        none = np.zeros((rankers, 1, 0), np.float32)
        out, to_out = of.get("out", none), to.get("out", none)
        linear = (user, item, author, category, out, of["wide"], of["offset"])
        loop.score(logits.numpy(), top.numpy(), x.numpy(), some.start, taken, *linear)
        wanted = residual(logits)
        back = (gradient.numpy(), to_out, to["wide"], to["offset"])
        loop.back_from_score(wanted.numpy(), top.numpy(), x.numpy(), out, *back)
        for layer in reversed(range(len(self.shape.hidden))):
            loop.back_from_activation(gradient.numpy(), layers[layer + 1].numpy(), to[f"bias{layer}"])
            torch.bmm(layers[layer].transpose(1, 2), gradient, out=found.of_weights[f"weight{layer}"])
            weight = weights[f"weight{layer}"]
            gradient = torch.bmm(gradient, (weight if layer else weight[:, :crossed]).transpose(1, 2))
        loop.back_to_tables(wanted.numpy(), gradient.numpy(), x.numpy(), *(rows.numpy() for rows in found.of_rows))
        return found


def draw_weights(shape: Shape, generator: torch.Generator) -> dict[str, Tensor]:
    """Return the initial weights of one ranker."""
    parameters: dict[str, Tensor] = {}
    sizes = (shape.width, *shape.hidden)
    for layer, (fan_in, fan_out) in enumerate(itertools.pairwise(sizes)):
        bound = math.sqrt(6 / fan_in)  # He et al., arXiv 1502.01852, equation 10, uniform form
        parameters[f"weight{layer}"] = (torch.rand(fan_in, fan_out, generator=generator) * 2 - 1) * bound
        parameters[f"bias{layer}"] = torch.zeros(1, fan_out)
    features = shape.dense + shape.side
    if shape.hidden:
        last = shape.hidden[-1]
        parameters["out"] = (torch.rand(1, last, generator=generator) * 2 - 1) * OUT_SCALE / math.sqrt(last)
        parameters["wide"] = torch.zeros(1, features)
    else:
        parameters["wide"] = torch.randn(1, features, generator=generator) * WIDE_SCALE
    parameters["offset"] = torch.full((1,), OFFSET)
    return parameters


class WideAndDeep(torch.nn.Module):
    """The same network as a module for one ranker."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.weights = torch.nn.ParameterDict(draw_weights(shape, torch.default_generator))
        self.layers = len(shape.hidden)

    def forward(self, embedded: Embedded, dense: Tensor, side: Tensor) -> Tensor:
        """Return logits, float32 [samples]."""
        user, item, author, category = (table[:, :-1] for table in embedded)
        features = torch.cat([dense, side], dim=1)
        crossed = (user * item, user * author, user * category)
        hidden = torch.cat([user, item, author, category, *crossed, features], dim=1)
        for layer in range(self.layers):
            hidden = torch.relu(hidden @ self.weights[f"weight{layer}"] + self.weights[f"bias{layer}"])
        deep = (hidden * self.weights["out"]).sum(1)
        wide = (features * self.weights["wide"]).sum(1)
        direct = embedded.user[:, -1] + embedded.item[:, -1] + embedded.author[:, -1] + embedded.category[:, -1]
        logits: Tensor = deep + wide + direct + self.weights["offset"]
        return logits
