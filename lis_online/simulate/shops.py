"""Scenarios of a shop whose users assemble projects."""

from __future__ import annotations

from lis_online.simulate.feeds import MINUTES, SHORT
from lis_online.simulate.parameters import SourceParameters, VariantParameters
from lis_online.simulate.scenario import MINUTE, Scenario, settings_of, topics
from lis_online.simulate.shop_parameters import ShopParameters

COCLICK = {"name": "coclick", "kind": "co_engagement", "actions": ["click"], "gap": "2h", "partners": 5}


def shop() -> Scenario:
    """Co-purchase: what goes together is worth a lot, and is not what is alike."""
    world = ShopParameters(
        sources=(SourceParameters("full", 1.0), SourceParameters("fifth", 0.2), SourceParameters("noise", 0.0, 0.4)),
        variants=(VariantParameters("perfect", 1.0), VariantParameters("good", 0.4), VariantParameters("random", 0.0)),
        arms=(("control", ""), ("perfect", "perfect"), ("good", "good"), ("random", "random")),
        truth_from=30 * MINUTE,
    )
    return Scenario("shop", world, settings_of(world, SHORT, MINUTES, [*topics(world), COCLICK], "full"))
