"""Users: what they like, how often they come, which arm they are in."""

from __future__ import annotations

import numpy as np

from lis_online.events.hashing import id_hash, mix
from lis_online.simulate.catalogue import unit
from lis_online.simulate.parameters import WorldParameters

DRIFT_EVERY = 600_000
"""Tastes move once in ten minutes, ms."""
ARM_SALT = 77


class Audience:
    """Users with tastes that drift, traffic with a heavy tail, and an arm by the hash of the id."""

    def __init__(self, parameters: WorldParameters, topics: np.ndarray, rng: np.random.Generator, start: int) -> None:
        n = parameters.users
        self._p, self._rng, self._drifted = parameters, rng, start
        self.ids = [f"u{k}" for k in range(n)]
        hashes = np.array([id_hash(user) for user in self.ids], np.int64)
        self.treated = mix(hashes, ARM_SALT) % np.uint64(2) == 1
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
        users: np.ndarray = np.searchsorted(self._traffic, rng.random(n) * self._traffic[-1], side="right")
        return users

    def _tastes(self, topics: np.ndarray) -> np.ndarray:
        p, rng = self._p, self._rng
        liked = rng.permuted(np.tile(np.arange(p.topics), (p.users, 1)), axis=1)[:, : p.tastes]
        weight = rng.dirichlet(np.full(p.tastes, 3.0), p.users)
        mixture = unit(np.einsum("uk,ukd->ud", weight, topics[liked]))
        return unit(mixture + p.taste_noise * unit(rng.standard_normal(mixture.shape))).astype(np.float32)
