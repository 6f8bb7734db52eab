"""Scenarios in which something goes wrong at a known time or in a known way."""

from __future__ import annotations

from dataclasses import replace

from lis_online.simulate.feeds import MINUTES, SHORT, small
from lis_online.simulate.parameters import SourceParameters, VariantParameters, VersionParameters
from lis_online.simulate.scenario import MINUTE, Scenario, settings_of, topics
from lis_online.simulate.shop_parameters import ShopParameters

SWITCH = 60 * MINUTE
"""When the later versions begin, ms after the start."""


def versions() -> Scenario:
    """Three variants of one quality: version 2 of one is better, that of another is broken, the third has none."""
    world = replace(
        small(),
        sources=(SourceParameters("full", 1.0),),
        variants=(VariantParameters("better", 0.4), VariantParameters("broken", 0.4), VariantParameters("steady", 0.4)),
        versions=(VersionParameters("better", 1.0, SWITCH), VersionParameters("broken", 0.0, SWITCH)),
        arms=(("control", ""), ("better", "better"), ("broken", "broken"), ("steady", "steady")),
        truth_from=SWITCH,
    )
    return Scenario("versions", world, settings_of(world, SHORT, MINUTES, topics(world), "full"))


def burst() -> Scenario:
    """A shop whose items come into fashion for minutes: pairs of the future tell that, counts of the past do not."""
    world = ShopParameters(
        step=20_000,
        items=200,
        users=1_000,
        heavy=3.0,
        slate=15,
        projects=5,
        strength=0.0,
        pairs_per_minute=2_000.0,
        bursts_per_hour=400.0,
        burst_length=3 * MINUTE,
        burst_shown=1.0,
        burst_bought=30.0,
        burst_logit=3.0,
        sources=(SourceParameters("fashion", 1.0),),
        variants=(VariantParameters("good", 0.6),),
        treatment="good",
    )
    leakage = {**SHORT, "horizon": "4m", "memory": "2m"}
    return Scenario("burst", world, settings_of(world, leakage, MINUTES, topics(world), "fashion"))
