"""A named world with known truth, and the settings to evaluate it with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from lis_online.settings.durations import format_duration
from lis_online.simulate.parameters import CommonParameters

MINUTE = 60_000
HOUR = 60 * MINUTE


@dataclass(frozen=True)
class Scenario:
    """A world and how to look at it.

    settings: the tables of a settings file. sources, variants: quality by name, 0 to 1; built-in
    co-engagement sources have no designed quality and are not listed.
    """

    name: str
    world: CommonParameters
    settings: dict[str, Any]

    @property
    def truth(self) -> dict[str, dict[str, float]]:
        """What is known of every source and variant: quality by name; of later versions, by "name@version"."""
        found = {
            "sources": {source.name: source.quality for source in self.world.sources},
            "variants": {variant.name: variant.quality for variant in self.world.variants},
        }
        if self.world.versions:
            found["versions"] = {f"{v.variant}@{v.version}": v.quality for v in self.world.versions}
        return found


def topics(world: CommonParameters) -> list[dict[str, Any]]:
    """Return the settings of the sources that a world publishes."""
    return [{"name": source.name, "kind": "topic"} for source in world.sources]


SHORT_WARM_UP = 5_000
"""Samples to learn from before a diagnosis: simulated worlds are small, so they are judged while LIS still rises."""


def arm_metrics() -> list[dict[str, Any]]:
    """Return what the arms of simulated worlds are compared in.

    Some hundred users are in an arm: an effect of less than 5 % is nothing that a run would find.
    """
    guardrail = {"direction": "decrease", "margin": 0.1}
    return [
        {"name": "ctr", "kind": "ratio", "numerator": "click", "denominator": "impression", "minimum_effect": 0.05},
        {"name": "likers", "kind": "proportion", "action": "like", "minimum_effect": 0.05},
        {"name": "dwell", "kind": "mean", "action": "dwell", "minimum_effect": 0.05, "guardrail": guardrail},
    ]


def settings_of(
    world: CommonParameters,
    leakage: dict[str, Any],
    metrics: dict[str, Any],
    preference: list[dict[str, Any]],
    reference: str,
) -> dict[str, Any]:
    """Return the settings' tables of a world; every variant counts as aligned on the reference source.

    Arms have equal shares, and the first is the control.
    """
    variants = [{"name": v.name, "preference": reference, "dimension": world.dimension} for v in world.variants]
    share = 1 / len(world.all_arms)
    arms = [{"name": n, "share": share} | ({"variant": v} if v else {}) for n, v in world.all_arms]
    control = world.all_arms[0][0]
    return {
        "events": {"attribution_window": format_duration(world.window), "allowed_lateness": "30s"},
        "leakage": leakage,
        "metrics": {"warm_up_samples": SHORT_WARM_UP, **metrics},
        "preference": preference,
        "variant": variants,
        "experiment": [{"name": world.experiment, "control": control, "arm": arms, "metric": arm_metrics()}],
    }
