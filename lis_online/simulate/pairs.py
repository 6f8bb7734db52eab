"""Pairs of items as columns, and pairs without a meaning."""

from __future__ import annotations

from typing import NamedTuple, Protocol

import numpy as np


class Pairs(NamedTuple):
    """Pairs as indices: users, slots of the first and the second item, all int [pairs]."""

    user: np.ndarray
    first: np.ndarray
    second: np.ndarray

    def take(self, rows: np.ndarray) -> Pairs:
        """Return some of the pairs."""
        return Pairs(self.user[rows], self.first[rows], self.second[rows])

    def distinct(self) -> Pairs:
        """Return the pairs of two different items."""
        return self.take(self.first != self.second)


def traffic_draw(traffic: np.ndarray, n: int, rng: np.random.Generator) -> np.ndarray:
    """Return n rows drawn by weights that are given as their running sum."""
    rows: np.ndarray = np.searchsorted(traffic, rng.random(n) * traffic[-1], side="right")
    return rows


class Visitors(Protocol):
    """Users who come by."""

    def draw(self, n: int, rng: np.random.Generator) -> np.ndarray:
        """Return n users, the busy ones more often."""


def noise_pairs(n: int, items: int, users: Visitors, rng: np.random.Generator) -> Pairs:
    """Return up to n pairs of a user and two live items that have nothing to do with each other."""
    first, second = rng.integers(0, items, (2, n))
    return Pairs(users.draw(n, rng), first, second).distinct()
