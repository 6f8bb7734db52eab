"""The standard load: what every benchmark of the pipeline runs on.

Slates of 20, one click in five slates, one source (leaked, past, placebo, thinned), two variants of 128 dimensions
(aligned, permuted), the unleaked ranker and its twin: 10 rankers. Histories of 20: an impression brings its user's,
until the user clicks.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

from lis_online.settings import Settings
from lis_online.simulate.parameters import VariantParameters, WorldParameters
from lis_online.simulate.recorded import generate
from lis_online.simulate.scenario import Scenario

FOLDER = Path("build/bench")
"""Where logs are kept from run to run: a simulated world takes longer than what is measured on it."""


def world(**changes: Any) -> WorldParameters:
    """Return the world of the standard load."""
    standard: dict[str, Any] = {
        "slate": 20,
        "pool": 60,
        "items": 20_000,
        "users": 40_000,
        "slates_per_minute": 2_000.0,
        "window": 120_000,
        "base": -5.2,
        "ads_base": -5.6,
        "pairs_per_minute": 0.0,
        "dimension": 128,
        "variants": (VariantParameters("good", 0.6), VariantParameters("weak", 0.3)),
        "treatment": "good",
    }
    return WorldParameters(**standard | changes)


def settings(variants: int = 2, dimension: int = 128, **tables: Any) -> Settings:
    """Return the settings of the standard load; tables: further sections, over its own. A list replaces its own."""
    names = ["good", "weak", *(f"v{k}" for k in range(2, variants))][:variants]
    arms = [{"name": "control", "share": 0.5}, {"name": "treatment", "share": 0.5, "variant": "good"}]
    metrics = [{"name": "ctr", "kind": "ratio", "numerator": "click", "denominator": "impression"}]
    standard: dict[str, Any] = {
        "events": {"attribution_window": "2m", "allowed_lateness": "30s"},
        "leakage": {"horizon": "5m", "memory": "30m"},
        "metrics": {"windows": ["5m", "10m"]},
        "preference": [{"name": "coclick"}],
        "variant": [{"name": name, "preference": "coclick", "dimension": dimension, "versions": 1} for name in names],
        "experiment": [{"name": "mllm-q4", "control": "control", "arm": arms, "metric": metrics}],
    }
    for name, table in tables.items():
        standard[name] = table if isinstance(table, list) else standard.get(name, {}) | table
    return Settings.of(standard)


def log(slates: int, seed: int = 1) -> Iterator[tuple[str, bytes]]:
    """Yield topic and value of the standard load's events, from a file that is made the first time."""
    path = FOLDER / f"standard-{slates}-{seed}.log"
    if not path.exists():
        _write(path, slates, seed)
    with path.open("rb") as file:
        for line in file:
            topic, value = line.rstrip(b"\n").split(b"\t", 1)
            yield topic.decode(), value


def _write(path: Path, slates: int, seed: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    half, random = path.with_suffix(".half"), Random(seed)
    with half.open("wb", buffering=1 << 20) as file:
        for _, topic, value in generate(Scenario("standard", world(), {}), slates, seed):
            told = _with_history(value, random) if topic == "impressions" else value
            file.write(topic.encode() + b"\t" + told + b"\n")
    half.replace(path)


def _with_history(impression: bytes, random: Random) -> bytes:
    items = ",".join(f'"i{k}"' for k in random.sample(range(world().items), 20))
    return impression[:-1] + f',"history":[{items}]}}'.encode()
