from __future__ import annotations

import itertools

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from lis_online.simulate.examination import click_chance, examined_clicks

CHANCES = st.floats(0, 1)


def by_enumeration(attraction: list[float], after_skip: float, after_click: float) -> list[float]:
    """Return the clicks' probabilities summed over every outcome: where the user stops, what is wanted."""
    n = len(attraction)
    found = [0.0] * n
    for wanted in itertools.product((0, 1), repeat=n):
        for last in range(n):
            chance = 1.0
            for k in range(last + 1):
                on = after_click if wanted[k] else after_skip
                chance *= (attraction[k] if wanted[k] else 1 - attraction[k]) * (
                    on if k < last else 1 - on if k < n - 1 else 1
                )
            chance *= 0.5 ** (n - 1 - last)  # what is not looked at is wanted or not: it is summed over
            for k in range(last + 1):
                found[k] += chance * wanted[k]
    return found


@given(st.lists(CHANCES, min_size=1, max_size=5), CHANCES, CHANCES)
def test_chances_are_those_of_all_outcomes_enumerated(attraction: list[float], skip: float, click: float) -> None:
    """The recursion gives the marginal probabilities of the click model."""
    got = click_chance(np.array(attraction), skip, click)
    np.testing.assert_allclose(got, by_enumeration(attraction, skip, click), atol=1e-12)


def test_drawn_clicks_are_as_frequent_as_their_chances() -> None:
    """Clicks by position agree with the exact probabilities within 5 standard errors."""
    attraction = np.tile([0.3, 0.6, 0.1, 0.4, 0.0], (40_000, 1))
    slate, position = examined_clicks(attraction, 0.9, 0.5, np.random.default_rng(0))
    rate = np.bincount(position, minlength=5) / len(attraction)
    expected = click_chance(attraction[0], 0.9, 0.5)
    assert (np.abs(rate - expected) <= 5 * np.sqrt(expected / len(attraction))).all()
    assert len(set(zip(slate.tolist(), position.tolist(), strict=True))) == len(slate)
