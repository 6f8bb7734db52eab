"""Named worlds with known truth, and the settings to evaluate each with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from lis_online.errors import UsageError
from lis_online.settings.durations import format_duration
from lis_online.simulate.parameters import SourceParameters, VariantParameters, WorldParameters

MINUTE = 60_000
HOUR = 60 * MINUTE


@dataclass(frozen=True)
class Scenario:
    """A world and how to look at it.

    settings: the tables of a settings file. sources, variants: quality by name, 0 to 1; built-in
    co-engagement sources have no designed quality and are not listed.
    """

    name: str
    world: WorldParameters
    settings: dict[str, Any]

    @property
    def truth(self) -> dict[str, dict[str, float]]:
        """What is known of every source and variant: quality by name."""
        return {
            "sources": {source.name: source.quality for source in self.world.sources},
            "variants": {variant.name: variant.quality for variant in self.world.variants},
        }


def scenario(name: str) -> Scenario:
    """Return a scenario by name. Raises UsageError for an unknown one.

    >>> scenario("sources").truth["sources"]["noise"]
    0.0
    """
    if name not in SCENARIOS:
        raise UsageError(f"scenario must be one of {sorted(SCENARIOS)}, got {name!r}")
    return SCENARIOS[name]()


QUALITIES = (
    VariantParameters("perfect", 1.0),
    VariantParameters("good", 0.6),
    VariantParameters("weak", 0.3),
    VariantParameters("random", 0.0),
)


def _sources() -> Scenario:
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
    settings = _settings(
        world,
        leakage={"horizon": "2h", "memory": "3h", "folds": 2, "sketch_bits": 22},
        metrics={"bucket": "10m", "windows": ["1h", "6h"]},
        preference=[{"name": s.name, "kind": "topic"} for s in world.sources],
        reference="full",
    )
    return Scenario("sources", world, settings)


def _null() -> Scenario:
    """Nothing to find: no tastes, noise pairs alone, random vectors alone."""
    base = _sources()
    world = replace(
        base.world,
        strength=0.0,
        base=-2.0,
        ads_base=-2.5,
        sources=(SourceParameters("noise_a", 0.0, 0.4), SourceParameters("noise_b", 0.0, 0.1)),
        variants=(VariantParameters("random_a", 0.0), VariantParameters("random_b", 0.0)),
        treatment="random_a",
    )
    preference = [{"name": s.name, "kind": "topic"} for s in world.sources]
    settings = _settings(
        world,
        leakage=base.settings["leakage"],
        metrics=base.settings["metrics"],
        preference=preference,
        reference="noise_a",
    )
    return Scenario("null", world, settings)


def _quiet() -> Scenario:
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
    settings = _settings(
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


def _demo() -> Scenario:
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
    settings = _settings(
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


def _settings(
    world: WorldParameters,
    leakage: dict[str, Any],
    metrics: dict[str, Any],
    preference: list[dict[str, Any]],
    reference: str,
) -> dict[str, Any]:
    """Return the settings' tables; every variant counts as aligned on the reference source."""
    variants = [{"name": v.name, "preference": reference, "dimension": world.dimension} for v in world.variants]
    arms = [{"name": "control", "share": 0.5}, {"name": "treatment", "share": 0.5, "variant": world.treatment}]
    ctr = {"name": "ctr", "kind": "ratio", "numerator": "click", "denominator": "impression"}
    dwell = {"name": "dwell", "kind": "mean", "action": "dwell"}
    return {
        "events": {"attribution_window": format_duration(world.window), "allowed_lateness": "30s"},
        "leakage": leakage,
        "metrics": metrics,
        "preference": preference,
        "variant": variants,
        "experiment": [{"name": world.experiment, "control": "control", "arm": arms, "metric": [ctr, dwell]}],
    }


SCENARIOS: dict[str, Callable[[], Scenario]] = {
    "sources": _sources,
    "demo": _demo,
    "quiet": _quiet,
    "null": _null,
}
