"""Serving: which items a request shows, in which order."""

from __future__ import annotations

import numpy as np

from lis_online.simulate.catalogue import gumbel, unit
from lis_online.simulate.parameters import WorldParameters


class Server:
    """The platform's ranker. The treatment ranks by a variant, the control by popularity.

    A user's profile is the decayed sum of the variant's vectors of the items clicked so far.
    """

    def __init__(self, parameters: WorldParameters, rng: np.random.Generator) -> None:
        self._p, self._rng = parameters, rng
        self._profile = np.zeros((parameters.users, parameters.dimension), np.float32)

    def get(self, user: np.ndarray, treated: np.ndarray, popularity: np.ndarray, vectors: np.ndarray) -> np.ndarray:
        """Return the slates: slots, best first, int [slates, slate].

        Candidates are a draw by popularity without replacement (Gumbel top-k).
        """
        p, rng = self._p, self._rng
        chance = np.log(popularity) + gumbel((len(user), len(popularity)), rng)
        pool = np.argpartition(-chance, p.pool - 1, axis=1)[:, : p.pool]
        profile = self._profile[user]
        length = np.maximum(np.linalg.norm(profile, axis=1, keepdims=True), 1e-6)
        cosine = np.einsum("nkd,nd->nk", unit(vectors[pool].astype(np.float32)), profile / length)
        score = np.where(treated[:, None], cosine, 0.1 * np.log(popularity[pool]))
        score += p.ranking * rng.standard_normal(score.shape)
        return np.take_along_axis(pool, np.argsort(-score, axis=1)[:, : p.slate], axis=1)

    def update(self, user: np.ndarray, vectors: np.ndarray) -> None:
        """Add the vectors of clicked items to the profiles of those who clicked: float [clicks, dimension]."""
        self._profile[np.unique(user)] *= self._p.memory
        np.add.at(self._profile, user, vectors.astype(np.float32))
