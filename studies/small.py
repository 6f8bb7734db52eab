"""Small worlds of both kinds for the experiments, and what it takes to play one."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any, Final, NamedTuple

from lis_online.settings import Settings
from lis_online.settings.durations import parse_duration
from lis_online.shards.pipeline import Pipeline
from lis_online.simulate.kinds import build, events_of
from lis_online.simulate.parameters import CommonParameters, SourceParameters
from lis_online.simulate.shop_parameters import ShopParameters
from lis_online.simulate.simulation import Simulation
from studies.cells import FEED, MINUTE, RATE, START, settings

SHOP: Final = ShopParameters(
    step=30_000,
    window=MINUTE,
    items=300,
    projects=20,
    roles=10,
    at_once=1,
    users=1_000,
    heavy=2.0,
    heaviest=20.0,
    authors=100,
    slates_per_minute=float(RATE),
    slate=15,
    pool=40,
    base=-3.0,
    strength=4.0,
    after_skip=0.98,
    after_click=0.9,
    click_delay=4.0,
    like=-30.0,
    collect=-30.0,
    pairs_per_minute=400.0,
    sources=FEED.sources,
    variants=FEED.variants,
    treatment=FEED.treatment,
)
"""A small shop: slates of 5 to 15, as many samples as the feed's slates of 10.

One project at a time and a strong wish for what is missing in it, so that a world of this size shows it.
"""

KINDS: Final[dict[str, CommonParameters]] = {"feed": FEED, "shop": SHOP}
"""The base of every experiment's worlds, by kind."""


class Played(NamedTuple):
    """A world that has been through the shards, and what that cost, CPU seconds."""

    pipeline: Pipeline
    world: Simulation
    seconds: float


def tables_of(parameters: CommonParameters, slates: int, **sections: dict[str, Any]) -> dict[str, Any]:
    """Return the settings for a world: its sources, its variants as aligned on the first of them, one bucket rule."""
    first = parameters.sources[0].name
    variants = [{"name": v.name, "preference": first, "dimension": parameters.dimension} for v in parameters.variants]
    return {
        **settings(slates, **sections),
        "preference": [{"name": source.name, "kind": "topic"} for source in parameters.sources],
        "variant": variants,
    }


def total_slates(tables: dict[str, Any], slates: int) -> int:
    """Return how many slates a world needs for so many after its warm-up of P + H."""
    leakage = tables["leakage"]
    warm_up = parse_duration(leakage["horizon"]) + parse_duration(leakage["memory"])
    return slates + warm_up // MINUTE * RATE


def play(
    parameters: CommonParameters,
    tables: dict[str, Any],
    slates: int,
    seed: int,
    training_seed: int | None = None,
    catalogue: int | None = None,
) -> Played:
    """Return a world played until its warm-up and so many slates are through.

    training_seed: of the initial weights, twice the world's where it is not given; the twin has the next one.
    catalogue: see `simulate.kinds.build`.
    """
    started = time.process_time()
    first = 2 * seed if training_seed is None else training_seed
    pipeline = Pipeline(Settings.of({**tables, "training": {**tables["training"], "seed": first}}))
    world = build(parameters, seed, START, catalogue)
    for _, topic, value in events_of(world, total_slates(tables, slates)):
        pipeline.update(topic, value)
    pipeline.finish()
    return Played(pipeline, world, time.process_time() - started)


def with_sources(parameters: CommonParameters, **shares: tuple[float, float]) -> CommonParameters:
    """Return a world's parameters with sources given as name = (true share, noise share)."""
    return replace(parameters, sources=tuple(SourceParameters(name, *pair) for name, pair in shares.items()))


def estimates(summary: dict[str, Any]) -> dict[str, dict[str, dict[str, Any]]]:
    """Return a summary's numbers by subject ("twin", a source's or a variant's name) and number."""
    return {"unleaked": {"twin": summary["twin"]}, **summary["sources"], **summary["variants"]}
