from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from lis_online.simulate.parameters import WorldParameters
from lis_online.simulate.responses import FIRST_CLICK, Actions, click_logit, independent_clicks, respond, sigmoid

PARAMETERS = WorldParameters()


@pytest.fixture(scope="module")
def affinity() -> np.ndarray:
    """Affinities of 20,000 slates of ten."""
    return np.random.default_rng(0).uniform(-0.5, 1, (20_000, 10))


def answers(affinity: np.ndarray) -> tuple[np.ndarray, dict[str, Actions]]:
    """Return which slates are ads, and the actions by name."""
    ads = np.arange(len(affinity)) % 4 == 0
    rng = np.random.default_rng(1)
    chance = sigmoid(click_logit(PARAMETERS, affinity, np.zeros_like(affinity), ads))
    actions = respond(PARAMETERS, independent_clicks(chance, rng), affinity, ads, rng)
    return ads, {action.action: action for action in actions}


def test_clicks_are_as_likely_as_their_logit_says(affinity: np.ndarray) -> None:
    """In each tenth of the logits the click rate is the mean probability, within 5 standard errors."""
    ads, actions = answers(affinity)
    clicked = np.zeros(affinity.shape)
    clicked[actions["click"].slate, actions["click"].position] = 1
    chance = 1 / (1 + np.exp(-click_logit(PARAMETERS, affinity, np.zeros_like(affinity), ads)))
    for rows in np.array_split(np.argsort(chance.ravel()), 10):
        p = chance.ravel()[rows]
        assert abs(clicked.ravel()[rows].mean() - p.mean()) < 5 * np.sqrt((p * (1 - p)).mean() / len(rows))


def test_every_action_follows_a_click_within_the_attribution_window(affinity: np.ndarray) -> None:
    """Nothing comes before the first click is possible, and nothing after the attribution window."""
    _, actions = answers(affinity)
    click = {(s, p): d for s, p, d in zip(*actions["click"][:3], strict=True)}
    assert set(actions) == {"click", "like", "collect", "dwell", "ad_value"}
    for action in actions.values():
        assert len(action.slate)
        assert action.delay.min() >= FIRST_CLICK
        assert action.delay.max() < PARAMETERS.window
        assert all(d >= click[s, p] for s, p, d in zip(*action[:3], strict=True))


def test_ad_values_come_from_ads_alone(affinity: np.ndarray) -> None:
    """Money is earned on the ads surface, in positive amounts."""
    ads, actions = answers(affinity)
    assert ads[actions["ad_value"].slate].all()
    assert (actions["ad_value"].value > 0).all()


def test_taste_changes_nothing_when_its_strength_is_zero(affinity: np.ndarray) -> None:
    """In a world without tastes the logit is that of position and surface."""
    p = replace(PARAMETERS, strength=0.0)
    logit = click_logit(p, affinity, np.zeros_like(affinity), np.zeros(len(affinity), bool))
    assert (np.ptp(logit, axis=0) == 0).all()
    assert (np.diff(logit[0]) < 0).all()
