from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from lis_online.simulate.audience import Audience
from lis_online.simulate.catalogue import Catalogue, unit
from lis_online.simulate.pairs import Pairs, noise_pairs
from lis_online.simulate.parameters import WorldParameters
from lis_online.simulate.searches import true_pairs

PARAMETERS = replace(WorldParameters(), items=600, users=500)
PAIRS = 5_000


@pytest.fixture(scope="module")
def world() -> tuple[Catalogue, Audience]:
    """A catalogue and its users."""
    rng = np.random.default_rng(0)
    topics = unit(rng.standard_normal((PARAMETERS.topics, PARAMETERS.content)))
    return Catalogue(PARAMETERS, topics, rng, 0), Audience(PARAMETERS, topics, rng, 0)


def liking(pairs: Pairs, world: tuple[Catalogue, Audience]) -> tuple[float, float, float]:
    """Return the mean taste for first and second items, and their likeness."""
    catalogue, audience = world
    a, b, taste = catalogue.content[pairs.first], catalogue.content[pairs.second], audience.taste[pairs.user]
    return tuple(float((x * y).sum(axis=1).mean()) for x, y in ((a, taste), (b, taste), (a, b)))


def test_searched_pairs_are_liked_and_alike(world: tuple[Catalogue, Audience]) -> None:
    """Users search for what they like, and for two items that resemble each other."""
    catalogue, audience = world
    pairs = true_pairs(PAIRS, PARAMETERS, catalogue, audience, catalogue.wheel(0), np.random.default_rng(1))
    assert len(pairs.user) == PAIRS
    assert min(liking(pairs, world)) > 0.4
    assert (pairs.first != pairs.second).all()


def test_noise_pairs_know_nothing(world: tuple[Catalogue, Audience]) -> None:
    """Noise pairs are neither liked nor alike: their means are within 5 standard errors of the catalogue's."""
    audience = world[1]
    pairs = noise_pairs(PAIRS, PARAMETERS.items, audience, np.random.default_rng(2))
    assert (pairs.first != pairs.second).all()
    everything = np.arange(PARAMETERS.items)
    rng = np.random.default_rng(3)
    chance = [liking(Pairs(audience.draw(PAIRS, rng), *rng.choice(everything, (2, PAIRS))), world) for _ in range(20)]
    spread = 5 * np.std(chance, axis=0) + 1e-3
    assert (np.abs(np.array(liking(pairs, world)) - np.mean(chance, axis=0)) < spread).all()


def test_no_pairs_when_none_are_asked_for(world: tuple[Catalogue, Audience]) -> None:
    """A step without searches is an ordinary step."""
    catalogue, audience = world
    rng = np.random.default_rng(4)
    assert len(true_pairs(0, PARAMETERS, catalogue, audience, catalogue.wheel(0), rng).user) == 0
    assert len(noise_pairs(0, PARAMETERS.items, audience, rng).user) == 0
