"""The scenarios by name."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from lis_online.errors import UsageError
from lis_online.simulate import faults, feeds, nulls, shops
from lis_online.simulate.scenario import Scenario

__all__ = ["SCENARIOS", "Scenario", "scenario"]


def scenario(name: str) -> Scenario:
    """Return a scenario by name. Raises UsageError for an unknown one.

    >>> scenario("sources").truth["sources"]["noise"]
    0.0
    """
    if name not in SCENARIOS:
        raise UsageError(f"scenario must be one of {sorted(SCENARIOS)}, got {name!r}")
    return SCENARIOS[name]()


SIZES = (200, 2_000, 20_000)
"""Catalogues of the worlds with nothing to find, items."""

SCENARIOS: dict[str, Callable[[], Scenario]] = {
    "sources": feeds.sources,
    "demo": feeds.demo,
    "quiet": feeds.quiet,
    "null": feeds.null,
    "arms": feeds.arms,
    "density": feeds.density,
    "shop": shops.shop,
    "versions": faults.versions,
    "burst": faults.burst,
    **{f"null_{items}": partial(nulls.feed, items) for items in SIZES},
    **{f"shop_null_{items}": partial(nulls.shop, items) for items in SIZES},
}
