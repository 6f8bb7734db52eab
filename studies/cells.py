"""The cells of the validation study: which worlds are run, how often, and what they were built to deserve.

Written down before any result was looked at; a cell whose result disappoints stays. A cell is run in `replicates`
worlds that differ in every draw: catalogue, users, traffic, vectors and the rankers' initial weights. The estimand of a
number is its mean over them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final

from lis_online.simulate.parameters import SourceParameters, VariantParameters, WorldParameters

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
    was built for, None where it was built for calibration alone.
    """

    name: str
    kind: str
    size: str
    slates: int
    replicates: int
    world: WorldParameters
    settings: dict[str, Any]
    deserves: str | None = None


SIZES: Final = {"small": (600, 100), "middle": (1_500, 80), "large": (3_600, 60)}
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

NO_PREFERENCE: Final = {
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


def _sized(kind: str, name: str, world: Callable[[str], WorldParameters], deserves: str | None = None) -> list[Cell]:
    return [
        Cell(f"{kind}-{name}-{size}", kind, size, slates, replicates, world(size), settings(slates), deserves)
        for size, (slates, replicates) in SIZES.items()
    ]


def _middle(name: str, deserves: str, world: WorldParameters, **sections: dict[str, Any]) -> Cell:
    slates = SIZES["middle"][0]
    return Cell(f"feed-{name}", "feed", "middle", slates, 40, world, settings(slates, **sections), deserves)


def cells() -> list[Cell]:
    """Return every cell."""
    return [
        *_sized("feed", "preference", lambda _: FEED, "aligned"),
        *_sized("feed", "none", lambda _: replace(FEED, **NO_PREFERENCE), "weak_preference_data"),
        _middle("misaligned", "misaligned", replace(FEED, variants=(VariantParameters("v", 0.1),))),
        _middle(
            "sparse",
            "beyond_preference",
            replace(FEED, sources=(SourceParameters("search", 0.05),), variants=(VariantParameters("v", 1.0),)),
        ),
        _middle("overloaded", "overloaded_sketch", FEED, leakage={"sketch_bits": 12}),
        _middle("few-users", "insufficient_data", replace(FEED, users=100)),
    ]
