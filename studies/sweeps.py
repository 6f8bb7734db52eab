"""How LIS and its order of sources depend on the settings, one at a time."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from lis_online.rankers.shipped import DEFAULT, SHIPPED
from studies.small import KINDS, estimates, play, tables_of, with_sources
from studies.tasks import Task, run_tasks

NAME: Final = "sweeps"
SLATES: Final = 1_200
WORLDS: Final = 3
SEED: Final = 80_000
SOURCES: Final = {"good": (1.0, 0.0), "half": (0.5, 0.5), "noise": (0.0, 0.5)}
"""Share of the preferred pairs, and pairs of random items as a share of them: from best to worst."""
BASE: Final[dict[str, Any]] = {
    "leakage.horizon": "5m",
    "leakage.memory": "10m",
    "leakage.folds": 2,
    "leakage.sketch_bits": 20,
    "training.ranker": DEFAULT,
    "training.learning_rate": 0.06,
    "training.batch": 256,
}
OTHERS: Final[dict[str, tuple[Any, ...]]] = {
    "leakage.horizon": ("2m", "10m"),
    "leakage.memory": ("5m", "20m"),
    "leakage.folds": (4, 8),
    "leakage.sketch_bits": (10, 12, 16),
    "training.ranker": tuple(name for name in SHIPPED if name != DEFAULT),
    "training.learning_rate": (0.01, 0.03, 0.12),
    "training.batch": (64, 1_024),
}
"""What each setting is changed to, the others as in `BASE`."""


def run(runs: Path, jobs: int, scale: float) -> None:
    """Play the worlds that have no result yet. scale: share of the worlds, at least two for each setting."""
    tasks = {}
    for world in range(max(round(WORLDS * scale), 2)):
        for name, key, value in cases():
            tasks[f"{name}-{world}"] = Task(one_run, (key, value, SEED + world, SLATES))
    run_tasks(runs / NAME, tasks, jobs)


def cases() -> list[tuple[str, str | None, Any]]:
    """Return every case's name, the key that it changes (None: none) and the value."""
    changed = [(f"{key}={value}", key, value) for key, values in OTHERS.items() for value in values]
    return [("base", None, None), *changed]


def one_run(key: str | None, value: Any, seed: int, slates: int, kind: str = "feed") -> dict[str, Any]:
    """Return adjusted LIS and its like, (value, standard error) each, of the sources under one changed setting."""
    parameters = replace(with_sources(KINDS[kind], **SOURCES), variants=(), treatment="")
    changed = BASE if key is None else {**BASE, key: value}
    sections: dict[str, dict[str, Any]] = {}
    for name, setting in changed.items():
        section, field = name.split(".")
        sections.setdefault(section, {})[field] = setting
    played = play(parameters, tables_of(parameters, slates, **sections), slates, seed)
    found = estimates(played.pipeline.summary())
    numbers = ("lis", "adjusted_lis", "placebo", "past", "future")
    return {
        "kind": kind,
        "key": key,
        "value": value,
        "sources": {
            name: {n: [found[name][n]["value"], found[name][n].get("stderr")] for n in numbers}
            | {"coverage": found[name]["coverage"]}
            for name in SOURCES
        },
        "twin": [found["unleaked"]["twin"][k] for k in ("value", "stderr")],
        "seconds": played.seconds,
    }
