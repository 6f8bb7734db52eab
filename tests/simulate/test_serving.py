from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from lis_online.simulate.catalogue import unit
from lis_online.simulate.parameters import WorldParameters
from lis_online.simulate.serving import LARGE, Server, candidates, repeats

PARAMETERS = replace(WorldParameters(), users=50, items=300)
VECTORS = unit(np.random.default_rng(0).standard_normal((300, PARAMETERS.dimension))).astype(np.float32)
POPULARITY = np.exp(np.random.default_rng(1).standard_normal(300))
EVERYONE = np.arange(50)


def server() -> Server:
    """Return a server, an arm by popularity and one by a variant, whose every user k has clicked on item k."""
    found = Server(PARAMETERS, ["", "variant"], np.random.default_rng(2))
    found.update(EVERYONE, EVERYONE, {"variant": VECTORS})
    return found


def shown(found: Server, seed: int = 3) -> np.ndarray:
    """Return the slates of every user in both arms."""
    pool = candidates(50, PARAMETERS.pool, POPULARITY, np.random.default_rng(seed))
    return found.get(EVERYONE, pool, POPULARITY, {"variant": VECTORS})


def test_no_item_is_shown_twice_in_a_slate() -> None:
    """A slate is a set of items, as long as asked for, in every arm."""
    slates = shown(server())
    assert slates.shape == (2, 50, PARAMETERS.slate)
    assert all(len(set(slate)) == PARAMETERS.slate for arm in slates.tolist() for slate in arm)


def test_repeated_candidates_come_last() -> None:
    """An item that is twice among the candidates is shown once, as long as there are others."""
    pool = np.random.default_rng(4).integers(0, 300, (50, PARAMETERS.pool))
    pool[:, ::2] = pool[:, 1::2]
    slates = server().get(EVERYONE, pool, POPULARITY, {"variant": VECTORS})
    assert all(len(set(slate)) == PARAMETERS.slate for arm in slates.tolist() for slate in arm)
    np.testing.assert_array_equal((~repeats(pool)).sum(axis=1), [len(set(row)) for row in pool.tolist()])


def test_treatment_shows_what_resembles_the_history_first_and_control_does_not() -> None:
    """The treatment really uses the variant: cosines with the profile are high, and highest at the top."""
    found = server()
    slates = [shown(found, seed) for seed in range(40)]
    cosine = np.mean([np.einsum("ankd,nd->ank", VECTORS[s], VECTORS[EVERYONE]) for s in slates], axis=(0, 2))
    assert cosine[1].min() > 0.02
    assert cosine[1][0] > cosine[1][-1] + 0.02
    assert np.abs(cosine[0]).max() < 0.03


@pytest.mark.parametrize("items", [300, LARGE + 1])
def test_candidates_are_drawn_by_popularity_whatever_the_catalogue(items: int) -> None:
    """Either way of drawing takes each item as often as its popularity says."""
    popularity = np.tile([1.0, 4.0], items)[:items]
    pool = candidates(2_000, 5, popularity, np.random.default_rng(5))
    assert pool.shape == (2_000, 5)
    popular = (pool % 2 == 1).mean()
    assert abs(popular - 0.8) < 0.02


def test_popular_items_are_shown_more_often() -> None:
    """Candidates are drawn by popularity in either arm."""
    found = server()
    for arm in (0, 1):
        slates = np.concatenate([shown(found, seed)[arm] for seed in range(40)])
        counts = np.bincount(slates.ravel(), minlength=300)
        order = np.argsort(POPULARITY)
        assert counts[order[-100:]].mean() > 2 * counts[order[:100]].mean()
