from __future__ import annotations

from dataclasses import replace

import numpy as np

from lis_online.simulate.audience import Audience
from lis_online.simulate.catalogue import unit
from lis_online.simulate.parameters import WorldParameters

HOUR = 3_600_000
PARAMETERS = replace(WorldParameters(), users=2_000)
TOPICS = unit(np.random.default_rng(0).standard_normal((PARAMETERS.topics, PARAMETERS.content)))


def audience(seed: int = 1) -> Audience:
    """Return users at time 0."""
    return Audience(PARAMETERS, TOPICS, np.random.default_rng(seed), 0)


def test_traffic_has_a_heavy_tail_when_users_are_drawn() -> None:
    """Busy users come many times as often as the median, and the effective number stays in the hundreds."""
    counts = np.bincount(audience().draw(100_000, np.random.default_rng(0)), minlength=2_000)
    effective = counts.sum() ** 2 / (counts**2).sum()
    assert counts.max() > 5 * np.median(counts)
    assert 500 < effective < 1_500


def test_tastes_drift_slowly_when_time_passes() -> None:
    """After a few hours a taste is still mostly what it was, and no longer the same."""
    users = audience()
    before = users.taste.copy()
    users.update(4 * HOUR)
    cosine = (before * users.taste).sum(axis=1)
    np.testing.assert_allclose(np.linalg.norm(users.taste, axis=1), 1, rtol=1e-5)
    assert 0.7 < np.median(cosine) < 0.99


def test_drift_is_the_same_when_time_passes_in_smaller_steps() -> None:
    """Tastes move with the clock, not with the number of looks at it."""
    one, other = audience(), audience()
    one.update(HOUR)
    for minute in range(1, 61):
        other.update(minute * 60_000)
    np.testing.assert_array_equal(one.taste, other.taste)
