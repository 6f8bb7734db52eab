"""What every ranker of a group is made of: sizes, hashed tables, and a network over stacked parameters.

The group owns the tables and steps the rows that a batch touches alone; the network turns the rows and the
features into logits. Parameters of several rankers are stacked over a leading ranker dimension. None is shared
between rankers, and each ranker works on its own slice of every operation, so a ranker's bits do not depend on
which others are there (on one device and torch build).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple, Protocol, runtime_checkable

import torch
from torch import Tensor

INTERACTIONS = 3  # user * item, user * author, user * category
TABLES = ("user", "item", "author", "category")
EMBEDDING_SCALE = 0.02
"""Initial standard deviation of embeddings: small, so that an unseen id says nothing."""


@dataclass(frozen=True, slots=True)
class Shape:
    """Sizes of one ranker: rows of the tables, embedding, hidden layers, dense and side features."""

    rows: tuple[int, int, int, int]
    embedding: int
    hidden: tuple[int, ...]
    dense: int
    side: int

    @property
    def width(self) -> int:
        """Inputs of the first layer: embeddings, their interactions, dense and side features."""
        return (len(TABLES) + INTERACTIONS) * self.embedding + self.dense + self.side


class Embedded(NamedTuple):
    """The tables' rows of some samples: float32 [..., embedding + 1] each; the last column is for the logit itself."""

    user: Tensor
    item: Tensor
    author: Tensor
    category: Tensor


@runtime_checkable
class Network(Protocol):
    """A ranker's architecture, over the stacked parameters of any number of rankers."""

    shape: Shape

    def initial(self, seed: int) -> dict[str, Tensor]:
        """Return the parameters of one ranker, drawn on the CPU so that every device starts alike.

        The tables' come first, as `draw_tables` names them: [rows, embedding + 1].
        """
        ...

    def forward(self, parameters: dict[str, Tensor], embedded: Embedded, dense: Tensor, side: Tensor) -> Tensor:
        """Return logits, float32 [rankers, samples].

        parameters: those that are no tables, [rankers, ...]; embedded: [samples, rankers, embedding + 1] each;
        dense: [samples, dense]; side: [rankers, samples, side].
        """
        ...


Residual = Callable[[Tensor], Tensor]
"""Logits to the loss's gradient by them."""


class Learnt(NamedTuple):
    """A step of some rankers: logits, float32 [rankers, samples], and gradients of the loss.

    of_weights: by name, as the parameters are shaped; of_rows: of each table's rows, [samples, rankers, embedding + 1].
    """

    logits: Tensor
    of_weights: dict[str, Tensor]
    of_rows: list[Tensor]


@runtime_checkable
class Derived(Network, Protocol):
    """A network that computes its own gradients on a CPU, and to a float's last bits those of `forward`."""

    def learn(
        self, some: slice, parameters: dict[str, Tensor], rows: Tensor, dense: Tensor, side: Tensor, residual: Residual
    ) -> Learnt:
        """Return logits and gradients of some rankers.

        parameters: all, tables too, and side: of all rankers; rows: int64 [tables, samples]. Several threads may call
        it at once, each for rankers of its own.
        """
        ...


def derived(network: Network) -> Derived | None:
    """Return a network whose own gradients are those of its own forward pass; None where it has none.

    A subclass that changes `forward` alone inherits gradients that are no longer its own.
    """
    if not isinstance(network, Derived):
        return None
    forward, learn = (next(c for c in type(network).__mro__ if name in vars(c)) for name in ("forward", "learn"))
    return network if forward is learn else None


def draw_tables(shape: Shape, generator: torch.Generator) -> dict[str, Tensor]:
    """Return the initial tables of one ranker; the column for the logit begins at 0."""
    tables = {}
    for name, rows in zip(TABLES, shape.rows, strict=True):
        tables[name] = torch.randn(rows, shape.embedding + 1, generator=generator) * EMBEDDING_SCALE
        tables[name][:, -1] = 0
    return tables


def ranker_dimension(name: str) -> int:
    """Return where a stacked parameter counts rankers: a table keeps its rows first, so that one is read at once."""
    return 1 if name in TABLES else 0


def stack_rankers(rankers: list[dict[str, Tensor]]) -> dict[str, Tensor]:
    """Return parameters with a ranker dimension: tables [rows, rankers, embedding + 1], the rest [rankers, ...]."""
    return {
        name: torch.stack([ranker[name] for ranker in rankers], dim=ranker_dimension(name)).contiguous()
        for name in rankers[0]
    }
