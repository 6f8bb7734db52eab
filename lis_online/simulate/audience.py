"""Users: what they like, how often they come."""

from __future__ import annotations

import numpy as np

from lis_online.simulate.catalogue import unit
from lis_online.simulate.pairs import traffic_draw
from lis_online.simulate.parameters import WorldParameters

DRIFT_EVERY = 600_000
"""Tastes move once in ten minutes, ms."""


class Audience:
    """Users with tastes that drift, and traffic with a heavy tail."""

    def __init__(self, parameters: WorldParameters, topics: np.ndarray, rng: np.random.Generator, start: int) -> None:
        n = parameters.users
        self._p, self._rng, self._drifted = parameters, rng, start
        self.ids = [f"u{k}" for k in range(n)]
        self.taste = self._tastes(topics)
        self._traffic = np.cumsum(np.exp(parameters.activity * rng.standard_normal(n)))

    def update(self, now: int) -> None:
        """Let the tastes drift up to a time."""
        while now - self._drifted >= DRIFT_EVERY:
            self._drifted += DRIFT_EVERY
            noise = self._rng.standard_normal(self.taste.shape, np.float32)
            self.taste = unit(self.taste + self._p.drift * noise)

    def draw(self, n: int, rng: np.random.Generator) -> np.ndarray:
        """Return n users, the busy ones more often."""
        return traffic_draw(self._traffic, n, rng)

    def _tastes(self, topics: np.ndarray) -> np.ndarray:
        p, rng = self._p, self._rng
        liked = rng.permuted(np.tile(np.arange(p.topics), (p.users, 1)), axis=1)[:, : p.tastes]
        weight = rng.dirichlet(np.full(p.tastes, 3.0), p.users)
        mixture = unit(np.einsum("uk,ukd->ud", weight, topics[liked]))
        return unit(mixture + p.taste_noise * unit(rng.standard_normal(mixture.shape))).astype(np.float32)
