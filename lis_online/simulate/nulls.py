"""Scenarios with nothing to find, of any catalogue size: clicks know no preference, pairs and vectors are noise.

Measured at 2,600 to 3,000 slates, 11,000 to 14,000 samples, seed 1, of null_200, null_20000 and shop_null_20000: every
interval of adjusted LIS (noise_a, noise_b, coclick) and adjusted AIS holds 0.
"""

from __future__ import annotations

from dataclasses import replace

from lis_online.simulate.feeds import MINUTES, SHORT, small
from lis_online.simulate.parameters import CommonParameters, SourceParameters, VariantParameters
from lis_online.simulate.scenario import Scenario, settings_of, topics
from lis_online.simulate.shop_parameters import ShopParameters
from lis_online.simulate.shops import COCLICK

SOURCES = (SourceParameters("noise_a", 0.0, 0.5), SourceParameters("noise_b", 0.0, 1.0))
VARIANTS = (VariantParameters("random_a", 0.0), VariantParameters("random_b", 0.0))
ARMS = (("control", ""), ("random_a", "random_a"), ("random_b", "random_b"))


def feed(items: int) -> Scenario:
    """A feed whose users have no tastes."""
    # Nothing of the searches is published: looking at one item each is the cheapest.
    world = replace(small(), items=items, strength=0.0, search_pool=1, sources=SOURCES, variants=VARIANTS, arms=ARMS)
    return _scenario(f"null_{items}", world)


def shop(items: int) -> Scenario:
    """A shop whose users need nothing in particular."""
    world = ShopParameters(
        items=items,
        strength=0.0,
        sources=SOURCES,
        variants=VARIANTS,
        arms=ARMS,
    )
    return _scenario(f"shop_null_{items}", world)


def _scenario(name: str, world: CommonParameters) -> Scenario:
    return Scenario(name, world, settings_of(world, SHORT, MINUTES, [*topics(world), COCLICK], "noise_a"))
