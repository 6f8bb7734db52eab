"""Responses: what users do with what they are shown, and when."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from lis_online.simulate.parameters import CommonParameters, WorldParameters

FIRST_CLICK = 1_000
"""No one clicks sooner, ms: a click arrives after its impression."""


class Actions(NamedTuple):
    """Actions as columns: row of the slate, position in it, ms after the impression, name, value."""

    slate: np.ndarray
    position: np.ndarray
    delay: np.ndarray
    action: str
    value: np.ndarray


def click_logit(p: WorldParameters, affinity: np.ndarray, quality: np.ndarray, ads: np.ndarray) -> np.ndarray:
    """Return the logit of a click: float [slates, slate].

    affinity: taste times content, [slates, slate]; quality: the items' own; ads: bool [slates].
    """
    base = np.where(ads, p.ads_base, p.base)[:, None]
    logit: np.ndarray = base + p.strength * affinity + quality - p.position * np.arange(affinity.shape[1])
    return logit


def independent_clicks(chance: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return rows and positions of the clicks, each item's drawn by its own probability, [slates, slate]."""
    slate, position = np.nonzero(rng.random(chance.shape) < chance)
    return slate, position


def respond(
    p: CommonParameters,
    clicks: tuple[np.ndarray, np.ndarray],
    liking: np.ndarray,
    ads: np.ndarray,
    rng: np.random.Generator,
) -> list[Actions]:
    """Return clicks and what follows them: likes, collects, dwell (s), ad values (currency).

    clicks: their rows and positions. liking: of each item shown, about -1 to 1, [slates, slate].
    """
    slate, position = clicks
    n, liked = len(slate), liking[slate, position]
    delay = _delays(p, n, rng)
    dwell = np.clip(12 * np.exp(liked + 0.8 * rng.standard_normal(n)), 1, p.window / 4000)
    after = delay + (1000 * dwell).astype(np.int64)
    like = rng.random(n) < sigmoid(p.like + 2 * liked)
    collect = rng.random(n) < sigmoid(p.collect + 2 * liked)
    paid = ads[slate] & (rng.random(n) < 0.2)
    one = np.ones(n)
    value = np.exp(0.5 + 0.7 * rng.standard_normal(n)).round(2)
    everyone = np.ones(n, bool)

    def columns(rows: np.ndarray, when: np.ndarray, action: str, values: np.ndarray) -> Actions:
        return Actions(slate[rows], position[rows], when[rows], action, values[rows])

    return [
        columns(everyone, delay, "click", one),
        columns(everyone, after, "dwell", dwell.round(1)),
        columns(like, (delay + after) // 2, "like", one),
        columns(collect, after, "collect", one),
        columns(paid, after, "ad_value", value),
    ]


def _delays(p: CommonParameters, n: int, rng: np.random.Generator) -> np.ndarray:
    """Return delays of clicks, ms: lognormal, within half the attribution window so that dwell fits too."""
    delay = 1000 * p.click_delay * np.exp(rng.standard_normal(n))
    return np.clip(delay, FIRST_CLICK, p.window / 2).astype(np.int64)


def sigmoid(logit: np.ndarray) -> np.ndarray:
    """Return the probabilities of logits."""
    chance: np.ndarray = 1 / (1 + np.exp(-logit))
    return chance
