"""How often `LisAlignmentFell` fires by chance: its condition over years of a number that does not change."""

from __future__ import annotations

import numpy as np

from lis_online.metrics.estimate import T_QUANTILE
from tests.alerts.rules import alerts

SHORT, LONG = 60, 1_440
"""Minutes: the windows of `prometheus/rules/record.yml`."""
HELD = 60
"""Minutes: the rule's `for`."""
YEARS = 20
MINUTES = 365 * 24 * 60


def below(noise: np.ndarray) -> np.ndarray:
    """Return, by minute, whether the short window's interval lies below the long one's. noise: float64 [minutes]."""
    sums = np.concatenate([[0.0], np.cumsum(noise)])
    short = (sums[LONG:] - sums[LONG - SHORT : -SHORT]) / SHORT
    long = (sums[LONG:] - sums[:-LONG]) / LONG
    margin = T_QUANTILE * (SHORT**-0.5 + LONG**-0.5)
    return short + margin < long


def firings(condition: np.ndarray) -> int:
    """Return how often a condition held for longer than the rule waits."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], condition.astype(np.int8), [0]])))
    return int(np.sum(edges[1::2] - edges[::2] > HELD))


def test_a_number_that_holds_fires_less_than_once_a_year_because_the_rule_waits() -> None:
    """It is 0.4 times a year, where the interval would cross 640 times: the runbook says so."""
    [rule] = [rule for rule in alerts() if rule["alert"] == "LisAlignmentFell"]
    assert rule["for"] == "1h"
    condition = below(np.random.default_rng(0).standard_normal(YEARS * MINUTES))
    crossed = int(np.sum(np.diff(condition.astype(np.int8)) == 1))
    assert firings(condition) / YEARS < 1
    assert crossed / YEARS > 300


def test_a_number_that_falls_by_an_interval_and_a_half_fires_within_four_hours() -> None:
    """What the alert is for is not held back by waiting."""
    noise = np.random.default_rng(1).standard_normal(3 * LONG)
    noise[2 * LONG :] -= 3 * T_QUANTILE * SHORT**-0.5
    condition = below(noise)
    assert firings(condition[:LONG]) == 0
    assert firings(condition[: LONG + 240]) == 1
