"""Serving: which items a request shows, in which order, in each arm."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from lis_online.simulate.catalogue import gumbel
from lis_online.simulate.pairs import traffic_draw
from lis_online.simulate.parameters import CommonParameters

LARGE = 4_096
"""Live items from which candidates are drawn one by one: noise on every item of a catalogue costs too much then."""


def candidates(n: int, size: int, popularity: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return n pools of slots drawn by popularity: int [n, size], without repeats up to LARGE items.

    Beyond that a pool may hold an item more than once; `Server.get` puts repeats last.
    """
    if len(popularity) > LARGE:
        return traffic_draw(np.cumsum(popularity), n * size, rng).reshape(n, size)
    chance = np.log(popularity) + gumbel((n, len(popularity)), rng)  # Gumbel top-k: a draw without replacement
    pool: np.ndarray = np.argpartition(-chance, size - 1, axis=1)[:, :size]
    return pool


class Server:
    """The platform's rankers: an arm's variant, by likeness to the user's profile; without one, popularity.

    A user's profile is the decayed sum of the variant's vectors of the items clicked so far. The noise on
    the scores is the same in all arms, so that arms differ by their rankings alone.
    """

    def __init__(self, parameters: CommonParameters, arms: Sequence[str], rng: np.random.Generator) -> None:
        self._p, self._arms, self._rng = parameters, arms, rng
        shape = (parameters.users, parameters.dimension)
        self._profiles = {variant: np.zeros(shape, np.float32) for variant in arms if variant}

    def get(
        self, user: np.ndarray, pool: np.ndarray, popularity: np.ndarray, directions: Mapping[str, np.ndarray]
    ) -> np.ndarray:
        """Return every arm's slates: slots, best first, int [arms, slates, slate].

        pool: candidates, [slates, candidates]; repeats come last. popularity: of every slot.
        directions: every variant's vectors of length 1, float32, by slot.
        """
        popular = 0.1 * np.log(popularity[pool])
        noise = self._p.ranking * self._rng.standard_normal(pool.shape)
        noise[repeats(pool)] = -np.inf
        slates = []
        for variant in self._arms:
            score = (self._cosine(variant, user, directions[variant][pool]) if variant else popular) + noise
            slates.append(np.take_along_axis(pool, np.argsort(-score, axis=1)[:, : self._p.slate], axis=1))
        return np.stack(slates)

    def update(self, user: np.ndarray, slots: np.ndarray, vectors: Mapping[str, np.ndarray]) -> None:
        """Add clicked items, by slot, to the profiles of those who clicked."""
        for variant, profile in self._profiles.items():
            profile[np.unique(user)] *= self._p.memory
            np.add.at(profile, user, vectors[variant][slots].astype(np.float32))

    def _cosine(self, variant: str, user: np.ndarray, directions: np.ndarray) -> np.ndarray:
        profile = self._profiles[variant][user]
        length = np.maximum(np.linalg.norm(profile, axis=1, keepdims=True), 1e-6)
        cosine: np.ndarray = np.einsum("nkd,nd->nk", directions, profile / length)
        return cosine


def repeats(pool: np.ndarray) -> np.ndarray:
    """Return where a row has an item that it already had: bool, the pool's shape."""
    order = np.argsort(pool, axis=1, kind="stable")
    ranked = np.take_along_axis(pool, order, axis=1)
    again = np.zeros(pool.shape, bool)
    again[:, 1:] = ranked[:, 1:] == ranked[:, :-1]
    found = np.zeros(pool.shape, bool)
    np.put_along_axis(found, order, again, axis=1)
    return found
