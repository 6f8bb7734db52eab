"""Scenarios of a feed whose users like topics."""

from __future__ import annotations

from dataclasses import replace

from lis_online.simulate.parameters import SourceParameters, VariantParameters, WorldParameters
from lis_online.simulate.scenario import HOUR, MINUTE, Scenario, settings_of, topics

QUALITIES = (
    VariantParameters("perfect", 1.0),
    VariantParameters("good", 0.6),
    VariantParameters("weak", 0.3),
    VariantParameters("random", 0.0),
)

LONG = {"horizon": "2h", "memory": "3h", "folds": 2, "sketch_bits": 22}
HOURS = {"bucket": "10m", "windows": ["1h", "6h"]}


def sources() -> Scenario:
    """Sources and variants whose order by usefulness is that of their qualities, far beyond the errors.

    Of 40,000 slates about 285,000 samples remain after the warm-up. Measured over seeds 1 to 5: adjusted LIS of
    full 0.051 to 0.057, half_noise 0.035 to 0.040, thinned 0.021 to 0.025, noise within 0.0002 of 0, with standard
    errors of 0.0002 (noise) to 0.002. Denser pairs or more noise would turn the order of half_noise and thinned round:
    LIS grows slower than the number of pairs, and noise that hits shown items costs more than pairs that are missing.
    Two folds, so that the thinned source fills a placebo bucket in a quarter of the horizon; 22 sketch bits
    because at 18, with one row, collisions took a third of the LIS of the half_noise source.
    """
    world = WorldParameters(
        sources=(
            SourceParameters("full", 1.0),
            SourceParameters("half_noise", 0.5, 0.5),
            SourceParameters("thinned", 0.08),
            SourceParameters("noise", 0.0, 0.4),
        ),
        variants=QUALITIES,
        treatment="good",
    )
    settings = settings_of(
        world,
        leakage=LONG,
        metrics=HOURS,
        preference=[{"name": s.name, "kind": "topic"} for s in world.sources],
        reference="full",
    )
    return Scenario("sources", world, settings)


def null() -> Scenario:
    """Nothing to find: no tastes, noise pairs alone, random vectors alone."""
    world = WorldParameters(
        strength=0.0,
        base=-2.0,
        ads_base=-2.5,
        sources=(SourceParameters("noise_a", 0.0, 0.4), SourceParameters("noise_b", 0.0, 0.1)),
        variants=(VariantParameters("random_a", 0.0), VariantParameters("random_b", 0.0)),
        treatment="random_a",
    )
    preference = [{"name": s.name, "kind": "topic"} for s in world.sources]
    settings = settings_of(
        world,
        leakage=LONG,
        metrics=HOURS,
        preference=preference,
        reference="noise_a",
    )
    return Scenario("null", world, settings)


def quiet() -> Scenario:
    """A village: a few hundred slates go through everything once."""
    world = WorldParameters(
        items=120,
        topics=8,
        users=60,
        authors=20,
        lifetime=3 * HOUR,
        slates_per_minute=4.0,
        pairs_per_minute=20.0,
        base=-2.0,
        sources=(SourceParameters("full", 1.0), SourceParameters("noise", 0.0, 1.0)),
        variants=(VariantParameters("good", 0.6), VariantParameters("random", 0.0)),
        treatment="good",
    )
    settings = settings_of(
        world,
        leakage={"horizon": "20m", "memory": "30m", "folds": 2, "sketch_bits": 14, "placebo_pairs": 20},
        metrics={"bucket": "1m", "windows": ["15m", "1h"], "min_effective_users": 10},
        preference=[
            {"name": "full", "kind": "topic"},
            {"name": "noise", "kind": "topic"},
            {"name": "coclick", "kind": "co_engagement", "actions": ["click"], "gap": "2h", "partners": 5},
        ],
        reference="full",
    )
    return Scenario("quiet", world, settings)


def demo() -> Scenario:
    """A feed whose clock is meant to run about 180 times as fast as time: 180 slates a second, warm after 13 s.

    Qualities are such that against co-clicks the good variant is aligned and the others are misaligned.
    """
    world = WorldParameters(
        step=10_000,
        window=MINUTE,
        items=220,
        topics=16,
        users=1_000,
        authors=150,
        lifetime=40 * MINUTE,
        slates_per_minute=60.0,
        base=-2.6,
        ads_base=-3.1,
        strength=5.0,
        click_delay=4.0,
        like=0.0,
        variants=(VariantParameters("good", 0.1), VariantParameters("weak", 0.03), VariantParameters("random", 0.0)),
        treatment="good",
    )
    settings = settings_of(
        world,
        leakage={"horizon": "8m", "memory": "30m", "folds": 2, "sketch_bits": 20},
        metrics={"bucket": "1m", "windows": ["15m", "1h"]},
        preference=[
            {"name": "coclick", "kind": "co_engagement", "actions": ["click"], "gap": "1h", "partners": 5},
            {"name": "colike", "kind": "co_engagement", "actions": ["like"], "gap": "1h", "partners": 10},
        ],
        reference="coclick",
    )
    settings["events"]["allowed_lateness"] = "5s"
    return Scenario("demo", world, settings)


def small() -> WorldParameters:
    """A feed for runs of a few thousand slates of ten: 60 a minute, histories and pairs fill within the hour."""
    return WorldParameters(
        window=2 * MINUTE,
        items=600,
        users=1_200,
        lifetime=3 * HOUR,
        slates_per_minute=60.0,
        ads_share=0.0,
        base=-2.3,
        click_delay=6.0,
        search_pool=60,
    )


SHORT = {"horizon": "10m", "memory": "20m", "folds": 2, "sketch_bits": 20, "placebo_pairs": 400}
"""A leak that is warm after half an hour, 1,800 slates of a small feed."""
MINUTES = {"bucket": "1m", "windows": ["15m", "1h"]}


def arms() -> Scenario:
    """Arms that are really ranked by their variants, so that the order of true lift is that of the qualities.

    Measured at 3,500 slates, 16,780 samples, seed 1: adjusted AIS of perfect 0.091, good 0.071, weak 0.030, each with a
    standard error of 0.005, random 0.000; adjusted LIS of full 0.052. Over seeds 0 to 7 at 4,000 slates the paired lift
    over control is 0.565 (perfect), 0.423, 0.262 and 0.037 (random); it varies between worlds by 0.010 to 0.036, that
    of the arms' own slates by 0.027 to 0.064, because of who is in which arm.
    """
    world = replace(
        small(),
        sources=(SourceParameters("full", 1.0),),
        variants=QUALITIES,
        arms=(("control", ""), *((variant.name, variant.name) for variant in QUALITIES)),
        truth_from=30 * MINUTE,
    )
    return Scenario("arms", world, settings_of(world, SHORT, MINUTES, topics(world), "full"))


DENSITIES = (0.01, 0.03, 0.1, 0.3, 1.0)


def density() -> Scenario:
    """One process of pairs, published in full and thinned down to a hundredth.

    Measured at 3,400 slates, 14,800 samples, seed 1: adjusted LIS of 0.039, 0.019, 0.009, 0.004 and 0.001 from the full
    source down, with standard errors of 0.002 to 0.005; coverage of 33, 21, 11, 5 and 2 %. The perfect variant gains
    0.079, more than any of these tables of pairs.
    """
    world = replace(
        small(),
        sources=tuple(SourceParameters(f"share_{share:g}", share) for share in reversed(DENSITIES)),
        variants=(VariantParameters("perfect", 1.0), VariantParameters("random", 0.0)),
        treatment="perfect",
    )
    return Scenario("density", world, settings_of(world, SHORT, MINUTES, topics(world), "share_1"))
