"""Examination: items are looked at from the top down, until the user leaves.

The dynamic Bayesian network click model of Chapelle and Zhang, "A dynamic Bayesian network click
model for web search ranking" (2009), with one satisfaction probability for all items.
"""

from __future__ import annotations

import numpy as np


def click_chance(attraction: np.ndarray, after_skip: float, after_click: float) -> np.ndarray:
    """Return the probability of a click on each item, not knowing the others: the attraction's shape.

    attraction: probability of a click on an item that is looked at, [..., slate], 0 where none is shown.
    after_skip, after_click: probability to look at the next item.

    >>> click_chance(np.array([0.5, 0.5]), after_skip=1.0, after_click=0.0).tolist()
    [0.5, 0.25]
    """
    chance = np.empty_like(attraction)
    looks = np.ones(attraction.shape[:-1])
    for k in range(attraction.shape[-1]):
        chance[..., k] = looks * attraction[..., k]
        looks = chance[..., k] * after_click + (looks - chance[..., k]) * after_skip
    return chance


def examined_clicks(
    attraction: np.ndarray, after_skip: float, after_click: float, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Return rows and positions of drawn clicks, attraction: [slates, slate]."""
    wanted = rng.random(attraction.shape) < attraction
    goes_on = rng.random(attraction.shape) < np.where(wanted, after_click, after_skip)
    looks = np.ones(attraction.shape, bool)
    looks[:, 1:] = np.logical_and.accumulate(goes_on[:, :-1], axis=1)
    slate, position = np.nonzero(wanted & looks)
    return slate, position
