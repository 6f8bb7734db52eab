"""The cells of the validation study: which worlds are run, how often, and what they were built to deserve.

Written down before any result was looked at; a cell whose result disappoints stays. The estimand of a number is its
mean over users and their traffic, for one catalogue and one configuration, learning noise included: so the worlds of
a cell share items and vectors, and differ in users, traffic, clicks, searches and the rankers' initial weights. The
cells called "catalogues" draw new items and vectors each time, to show what an interval does not cover.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Final

from lis_online.simulate.parameters import CommonParameters, SourceParameters, VariantParameters, WorldParameters
from lis_online.simulate.scenarios import scenario
from lis_online.simulate.shop_parameters import ShopParameters

MINUTE: Final = 60_000
START: Final = 1_573_516_800_000
"""When every world begins, ms: any midnight does."""
WARM_UP: Final = 15 * MINUTE
"""P + H of the cells."""
RATE: Final = 60
"""Slates a minute."""


@dataclass(frozen=True)
class Cell:
    """A world and its settings, in so many replicates.

    kind: which simulator. size: "small", "middle", "large". slates: after the warm-up. deserves: the diagnosis that it
    was built for, None where it was built for calibration alone. null: whether there is nothing to find.
    catalogue: the seed of items and vectors, None where each world has its own.
    """

    name: str
    kind: str
    size: str
    slates: int
    replicates: int
    world: CommonParameters
    settings: dict[str, Any]
    deserves: str | None = None
    null: bool = False
    catalogue: int | None = 0


SIZES: Final = {"small": (600, 60), "middle": (1_500, 50), "large": (3_600, 40)}
"""Slates of ten after the warm-up, and replicates."""

FEED: Final = WorldParameters(
    step=30_000,
    window=MINUTE,
    items=300,
    topics=16,
    users=1_500,
    authors=100,
    lifetime=120 * MINUTE,
    slates_per_minute=float(RATE),
    slate=10,
    pool=40,
    base=-1.5,
    ads_base=-1.8,
    strength=4.5,
    click_delay=4.0,
    like=-30.0,
    collect=-30.0,
    pairs_per_minute=600.0,
    sources=(SourceParameters("search", 1.0),),
    variants=(VariantParameters("v", 0.32),),
    treatment="v",
)
"""A small feed of the simulator that the interval rule was tuned on: tastes on a sphere, logistic clicks."""

SHOP: Final = ShopParameters(
    step=30_000,
    window=MINUTE,
    items=300,
    projects=20,
    users=4_000,
    authors=100,
    heavy=2.5,
    heaviest=10.0,
    session=2.0,
    slates_per_minute=float(RATE),
    slate=15,
    pool=40,
    base=-2.2,
    strength=3.5,
    click_delay=4.0,
    like=-30.0,
    collect=-30.0,
    pairs_per_minute=700.0,
    sources=FEED.sources,
    variants=(VariantParameters("v", 0.6),),
    treatment="v",
)
"""A small shop, which the rule was not tuned on: projects, sessions, items looked at from the top down."""

NO_PREFERENCE: Final[dict[str, Any]] = {
    "sources": (SourceParameters("search", 0.0, 0.5),),
    "variants": (VariantParameters("v", 0.0),),
}
"""Pairs of random items alone, vectors of noise alone; users keep their tastes."""


def settings(slates: int, **sections: dict[str, Any]) -> dict[str, Any]:
    """Return the settings of a cell: thresholds ten times those of production, since samples are a thousandth."""
    bucket = f"{max(slates // RATE // 20, 1)}m"
    tables: dict[str, Any] = {
        "events": {"attribution_window": "1m", "allowed_lateness": "5s", "history_length": 10},
        "leakage": {"horizon": "5m", "memory": "10m", "folds": 2, "sketch_bits": 20, "placebo_pairs": 200},
        "metrics": {
            "bucket": bucket,
            "windows": [bucket],
            "warm_up_samples": 0,
            "min_useful_lis": 0.005,
            "placebo_tolerance": 0.0025,
            "min_efficiency": 0.5,
        },
        "training": {"batch": 256, "user_bits": 12, "item_bits": 12},
        "preference": [{"name": "search", "kind": "topic"}],
        "variant": [{"name": "v", "preference": "search", "dimension": 32}],
    }
    for name, section in sections.items():
        tables[name] = {**tables[name], **section}
    return tables


def cells() -> list[Cell]:
    """Return every cell."""
    return [
        *_sized("feed-preference", FEED, "aligned"),
        *_sized("feed-none", replace(FEED, **NO_PREFERENCE), "weak_preference_data", null=True),
        *_sized("shop-preference", SHOP, "aligned"),
        *_sized("shop-none", replace(SHOP, **NO_PREFERENCE), "weak_preference_data", null=True),
        _catalogues("feed-catalogues", FEED),
        _catalogues("shop-catalogues", SHOP),
        *(_null(f"feed-untasteful-{items}", replace(FEED, items=items)) for items in CATALOGUES),
        *(_null(f"shop-untasteful-{items}", replace(SHOP, items=items)) for items in CATALOGUES),
        _middle("feed-misaligned", "misaligned", replace(FEED, variants=(VariantParameters("v", 0.1),))),
        _middle("shop-misaligned", "misaligned", replace(SHOP, variants=(VariantParameters("v", 0.1),))),
        _middle(
            "feed-sparse",
            "beyond_preference",
            replace(FEED, sources=(SourceParameters("search", 0.05),), variants=(VariantParameters("v", 1.0),)),
        ),
        _middle("feed-overloaded", "overloaded_sketch", FEED, leakage={"sketch_bits": 12}),
        _bursts(),
        _middle("feed-few-users", "insufficient_data", replace(FEED, users=100)),
    ]


CATALOGUES: Final = (200, 2_000, 20_000)
"""Items of the worlds whose users have no tastes."""


def _sized(name: str, world: CommonParameters, deserves: str, null: bool = False) -> list[Cell]:
    kind = name.split("-")[0]
    return [
        Cell(f"{name}-{size}", kind, size, slates, replicates, world, settings(slates), deserves, null)
        for size, (slates, replicates) in SIZES.items()
    ]


def _middle(name: str, deserves: str, world: CommonParameters, **sections: dict[str, Any]) -> Cell:
    slates = SIZES["middle"][0]
    return Cell(name, name.split("-")[0], "middle", slates, 24, world, settings(slates, **sections), deserves)


def _catalogues(name: str, world: CommonParameters) -> Cell:
    slates, _ = SIZES["middle"]
    return Cell(name, name.split("-")[0], "middle", slates, 40, world, settings(slates), catalogue=None)


def _null(name: str, world: CommonParameters) -> Cell:
    """Return a cell without tastes, pairs or vectors that mean anything. It deserves nothing that can be said."""
    slates, _ = SIZES["small"]
    nothing = replace(world, strength=0.0, **NO_PREFERENCE)
    return Cell(name, name.split("-")[0], "small", slates, 24, nothing, settings(slates), null=True)


def _bursts() -> Cell:
    """Return a cell of the shop whose items come into fashion for minutes, which only the pairs of the future tell."""
    chosen = scenario("burst")
    tables = {**chosen.settings, "training": settings(0)["training"]}
    return Cell("shop-bursts", "shop", "middle", 2_100, 24, chosen.world, tables, "invalid_baseline")
