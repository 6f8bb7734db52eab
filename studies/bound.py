"""What tells whether LIS bounds a variant: does it still grow with density, or is there something better?"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from lis_online.simulate.parameters import VariantParameters
from studies.small import KINDS, estimates, play, tables_of, with_sources
from studies.tasks import Task, run_tasks

NAME: Final = "bound"
SHARES: Final = (0.01, 0.03, 0.1, 0.3, 0.6, 1.0)
"""Share of the world's preferred pairs that each source publishes."""
TRAFFIC: Final = (100.0, 400.0, 1_600.0)
"""Preferred pairs a minute."""
WORLDS: Final = 5
"""Of each kind and traffic."""
SLATES: Final = 1_200
VARIANTS: Final = {"perfect": 1.0, "good": 0.5}
SEED: Final = 50_000
NUMBERS: Final = ("lis", "adjusted_lis", "past", "future", "placebo", "bound")


def run(runs: Path, jobs: int, scale: float) -> None:
    """Play the worlds that have no result yet. scale: share of the worlds, at least two of each cell."""
    tasks = {
        f"{kind}-{pairs:g}-{number}": Task(one_world, (kind, pairs, SEED + number, SLATES))
        for number in range(max(round(WORLDS * scale), 2))
        for kind in KINDS
        for pairs in TRAFFIC
    }
    run_tasks(runs / NAME, tasks, jobs)


def one_world(kind: str, pairs: float, seed: int, slates: int) -> dict[str, Any]:
    """Return the numbers of a world whose sources differ in density alone: (value, standard error) each."""
    base = with_sources(KINDS[kind], **{f"s{share:g}": (share, 0.0) for share in SHARES})
    variants = tuple(VariantParameters(name, quality) for name, quality in VARIANTS.items())
    parameters = replace(base, pairs_per_minute=pairs, variants=variants, treatment="good")
    played = play(parameters, tables_of(parameters, slates), slates, seed)
    found = estimates(played.pipeline.summary())
    return {
        "kind": kind,
        "pairs": pairs,
        "sources": {
            f"{share:g}": {n: _pair(found[f"s{share:g}"][n]) for n in NUMBERS}
            | {"coverage": found[f"s{share:g}"]["coverage"]}
            for share in SHARES
        },
        "variants": {name: {n: _pair(found[name][n]) for n in ("ais", "adjusted_ais")} for name in VARIANTS},
        "seconds": played.seconds,
    }


def _pair(estimate: dict[str, Any]) -> list[float | None]:
    return [estimate["value"], estimate.get("stderr")]
