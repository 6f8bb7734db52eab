"""Scenarios of a shop whose users assemble projects."""

from __future__ import annotations

from lis_online.simulate.parameters import SourceParameters, VariantParameters
from lis_online.simulate.scenario import MINUTE, Scenario, settings_of, topics
from lis_online.simulate.shop_parameters import ShopParameters

LEAKAGE = {"horizon": "15m", "memory": "45m", "folds": 2, "sketch_bits": 20}
METRICS = {"bucket": "1m", "windows": ["15m", "1h"]}
COCLICK = {"name": "coclick", "kind": "co_engagement", "actions": ["click"], "gap": "2h", "partners": 5}


def shop() -> Scenario:
    """Co-purchase: what goes together is worth a lot, and is not what is alike."""
    world = ShopParameters(
        window=2 * MINUTE,
        slates_per_minute=40.0,
        sources=(SourceParameters("full", 1.0), SourceParameters("half", 0.2), SourceParameters("noise", 0.0, 0.4)),
        variants=(VariantParameters("perfect", 1.0), VariantParameters("good", 0.4), VariantParameters("random", 0.0)),
        arms=(("control", ""), ("perfect", "perfect"), ("good", "good"), ("random", "random")),
        truth_from=60 * MINUTE,
    )
    settings = settings_of(world, LEAKAGE, METRICS, [*topics(world), COCLICK], "full")
    return Scenario("shop", world, settings)
