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
        window=2 * MINUTE,
        slates_per_minute=40.0,
        items=300,
        zipf=0.3,
        bursts_per_hour=300.0,
        burst_length=6 * MINUTE,
        burst_shown=1.0,
        burst_bought=30.0,
        burst_logit=2.0,
        strength=0.5,
        sources=(SourceParameters("fashion", 1.0),),
        variants=(VariantParameters("good", 0.6),),
        treatment="good",
    )
    return Scenario("burst", world, settings_of(world, SHORT, MINUTES, topics(world), "fashion"))
