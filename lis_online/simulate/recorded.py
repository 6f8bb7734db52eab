"""A simulated world as files: a recorded log, the settings to evaluate it with, the truth."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from lis_online.simulate.kinds import build, events_of
from lis_online.simulate.outbox import Event
from lis_online.simulate.scenarios import Scenario
from lis_online.simulate.simulation import Simulation
from lis_online.simulate.toml import to_toml

START = 1_761_955_200_000
"""2025-11-01T00:00:00Z: a fixed past, so that a log depends on its seed alone."""


def generate(scenario: Scenario, slates: int, seed: int, start_ms: int = START) -> Iterator[Event]:
    """Yield the events of the first `slates` impressions, and what follows from them, in order of arrival.

    Memory does not grow with `slates`. Raises UsageError where slates is below 1.
    """
    yield from events_of(build(scenario.world, seed, start_ms), slates)


def settings_toml(scenario: Scenario) -> str:
    """Return the text of the settings file to evaluate a scenario with."""
    return f"# Settings for the simulated scenario {scenario.name!r}.\n" + to_toml(scenario.settings)


def truth(scenario: Scenario) -> dict[str, dict[str, float]]:
    """Return the known quality, 0 to 1, of every source of the `preferences` topic and every variant."""
    return scenario.truth


def write(
    scenario: Scenario,
    slates: int,
    seed: int,
    directory: Path,
    start_ms: int = START,
    progress: Callable[[int], None] = lambda impressions: None,
) -> None:
    """Write events.jsonl, lis-online.toml and truth.json; progress is told of every impression.

    Where the scenario has arms of its own, truth.json says what each was worth in this run.
    """
    directory.mkdir(parents=True, exist_ok=True)
    world = build(scenario.world, seed, start_ms)
    with (directory / "events.jsonl").open("wb", buffering=1 << 20) as log:
        for _, topic, value in events_of(world, slates):
            log.write(b'{"topic":"%s","value":%s}\n' % (topic.encode(), value))
            if topic == "impressions":
                progress(1)
    (directory / "lis-online.toml").write_text(settings_toml(scenario), encoding="utf-8")
    known: dict[str, Any] = dict(scenario.truth)
    if scenario.world.arms:
        known["arms"] = _worth(world)
    (directory / "truth.json").write_text(json.dumps(known, indent=2) + "\n", encoding="utf-8")


def _worth(world: Simulation) -> dict[str, dict[str, float]]:
    """Return each arm's expected clicks and items shown, its own and those of every slate ranked by it."""
    paired = world.arm_truth(paired=True)
    return {
        name: {**own._asdict(), **{f"paired_{key}": value for key, value in paired[name]._asdict().items()}}
        for name, own in world.arm_truth().items()
    }
