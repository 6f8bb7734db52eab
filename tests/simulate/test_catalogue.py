from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from lis_online.simulate.catalogue import WHEEL, Catalogue, gumbel, unit
from lis_online.simulate.parameters import WorldParameters

START = 1_761_955_200_000
HOUR = 3_600_000


@pytest.fixture
def parameters() -> WorldParameters:
    """A catalogue of 400 items that live about an hour."""
    return replace(WorldParameters(), items=400, lifetime=HOUR)


@pytest.fixture
def catalogue(parameters: WorldParameters) -> Catalogue:
    """A catalogue at START."""
    rng = np.random.default_rng(3)
    return Catalogue(parameters, unit(rng.standard_normal((parameters.topics, parameters.content))), rng, START)


def test_every_item_is_alive_when_the_world_begins(catalogue: Catalogue) -> None:
    """The world begins in the middle of its life: items of all ages, none dead, none of the future."""
    assert (catalogue.born <= START).all()
    assert (catalogue.dies >= START).all()
    assert len(set(catalogue.ids)) == 400
    np.testing.assert_allclose(np.linalg.norm(catalogue.content, axis=1), 1, rtol=1e-5)


def test_what_dies_is_replaced_by_something_new_when_time_passes(catalogue: Catalogue) -> None:
    """A slot's new item has an id never used before and is born when the old one dies; others stay."""
    seen, before = set(catalogue.ids), list(catalogue.ids)
    for hour in range(1, 6):
        slots = catalogue.update(START + hour * HOUR)
        fresh = {catalogue.ids[slot] for slot in slots}
        assert len(fresh) == len(slots) and not fresh & seen
        assert (catalogue.born[slots] <= START + hour * HOUR).all()
        assert all(catalogue.ids[slot] == before[slot] for slot in set(range(400)) - set(slots.tolist()))
        seen |= fresh
        before = list(catalogue.ids)


def test_births_are_steady_when_the_world_has_no_beginning(catalogue: Catalogue) -> None:
    """Lives seen at the start are biased by length, so the first hour brings as many births as a later one."""
    births = [len(catalogue.update(START + k * HOUR)) for k in range(1, 13)]
    expected = 400 * HOUR / (HOUR * np.exp(0.5**2 / 2))  # items over the mean of the lognormal
    assert abs(births[0] - expected) < 5 * np.sqrt(expected)
    assert abs(np.mean(births) - expected) < 5 * np.sqrt(expected / 12)


def test_wheel_holds_items_by_popularity_when_drawn(catalogue: Catalogue) -> None:
    """A cell of the wheel is an item, as often as the item is popular, to one cell."""
    share = catalogue.popularity(START) / catalogue.popularity(START).sum()
    counts = np.bincount(catalogue.wheel(START), minlength=400)
    assert counts.sum() == WHEEL
    assert np.abs(counts - share * WHEEL).max() <= 1


def test_popularity_rises_and_then_decays_when_an_item_ages(catalogue: Catalogue) -> None:
    """A young item becomes popular and an old one fades, but is never gone."""
    ages = np.array([catalogue.popularity(int(catalogue.born[0] + a * HOUR // 20))[0] for a in range(60)])
    peak = int(ages.argmax())
    assert 0 < peak < 30
    assert 0 < ages[-1] < ages[0] < ages[peak]


def test_gumbel_is_finite_and_of_known_mean() -> None:
    """Gumbel noise has the mean of Euler's constant, and no draw is infinite."""
    noise = gumbel((200_000,), np.random.default_rng(0))
    assert np.isfinite(noise).all()
    assert abs(noise.mean() - 0.5772) < 5 * 1.2825 / np.sqrt(200_000)
