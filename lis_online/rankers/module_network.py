"""A torch module for one ranker as the network of a group: `torch.func` stacks it.

The module is called once for all rankers (`functional_call` under `vmap`), each with its own parameters. What a
module must keep to is written down, and checked, in `lis_online.rankers.contract`.
"""

from __future__ import annotations

import copy
import threading
from collections.abc import Callable
from typing import TypeVar

import torch
from torch import Tensor
from torch.func import functional_call, vmap

from lis_online.rankers.network import Embedded, Shape, draw_tables

Factory = Callable[[Shape], torch.nn.Module]
"""Makes the module of one ranker. Torch's random state is seeded with the ranker's seed while it runs."""

T = TypeVar("T")

PREFIX = "module."
"""Before the names of a module's parameters, so that none is taken for a table."""


class ModuleNetwork:
    """A network made of a module for one ranker."""

    def __init__(self, factory: Factory, shape: Shape, device: torch.device) -> None:
        self.shape = shape
        self._factory = factory
        self._template = self.module(0).to(device)  # its constants are used, its parameters are not
        self._own = threading.local()
        self._forward = vmap(self._forward_one, in_dims=(0, 1, 0, 0))

    def module(self, seed: int) -> torch.nn.Module:
        """Return a new module whose parameters are drawn from a seed."""
        return seeded(seed, lambda: self._factory(self.shape))

    def initial(self, seed: int) -> dict[str, Tensor]:
        """Return the parameters of one ranker, drawn on the CPU: tables, then the module's."""
        generator = torch.Generator().manual_seed(seed)
        tables = draw_tables(self.shape, generator)
        drawn = self.module(int(torch.randint(2**62, (1,), generator=generator))).named_parameters()
        return tables | {PREFIX + name: value.detach().clone() for name, value in drawn}

    def forward(self, parameters: dict[str, Tensor], embedded: Embedded, dense: Tensor, side: Tensor) -> Tensor:
        """Return logits, float32 [rankers, samples]."""
        if not hasattr(self._own, "template"):
            self._own.template = copy.deepcopy(self._template)  # a call puts parameters in: each thread has its own
        # expanded: where one factor has no ranker dimension, all rankers become one product, whose bits depend on
        # how many there are
        logits: Tensor = self._forward(parameters, embedded, dense.expand(len(side), -1, -1), side)
        return logits

    def _forward_one(self, parameters: dict[str, Tensor], embedded: Embedded, dense: Tensor, side: Tensor) -> Tensor:
        own = {name.removeprefix(PREFIX): value for name, value in parameters.items()}
        logits: Tensor = functional_call(self._own.template, own, (embedded, dense, side))
        return logits


def seeded(seed: int, call: Callable[[], T]) -> T:
    """Return what a call returns with torch's random state seeded; the state is put back after it."""
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        return call()
