"""Searches: pairs of items that a user looked for together, drawn apart from the clicks.

The first item is drawn by popularity and taste; the second by popularity, taste and likeness to
the first.
"""

from __future__ import annotations

import numpy as np

from lis_online.simulate.audience import Audience
from lis_online.simulate.catalogue import Catalogue, gumbel
from lis_online.simulate.pairs import Pairs
from lis_online.simulate.parameters import WorldParameters


def true_pairs(
    n: int, p: WorldParameters, catalogue: Catalogue, audience: Audience, wheel: np.ndarray, rng: np.random.Generator
) -> Pairs:
    """Return n pairs by taste and likeness."""
    user = audience.draw(n, rng)
    taste = audience.taste[user]
    seen = wheel[rng.integers(0, len(wheel), (n, p.search_pool))]
    first = _choose(seen, p.search_taste * np.einsum("nkd,nd->nk", catalogue.content[seen], taste), rng)
    seen = wheel[rng.integers(0, len(wheel), (n, p.search_pool))]
    wish = p.search_taste * taste + p.search_match * catalogue.content[first]
    score = np.einsum("nkd,nd->nk", catalogue.content[seen], wish)
    score[seen == first[:, None]] = -np.inf
    return Pairs(user, first, _choose(seen, score, rng)).distinct()


def _choose(seen: np.ndarray, score: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return one of each row, drawn by softmax of the scores."""
    best = np.argmax(score + gumbel(score.shape, rng), axis=1)
    return np.take_along_axis(seen, best[:, None], axis=1)[:, 0]
