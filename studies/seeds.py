"""How much of a number's error is the training's: the same log learnt from many initial weights."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from studies.small import KINDS, estimates, play, tables_of
from studies.tasks import Task, run_tasks

NAME: Final = "seeds"
SLATES: Final = 1_200
WORLDS: Final = 16
"""Of each kind, each learnt with `FEW` seeds."""
FEW: Final = 2
MANY: Final = 10
"""Seeds of the first world of each kind."""
SEED: Final = 60_000
NUMBERS: Final = (
    ("search", "lis"),
    ("search", "adjusted_lis"),
    ("search", "past"),
    ("search", "future"),
    ("search", "placebo"),
    ("search", "bound"),
    ("v", "ais"),
    ("v", "adjusted_ais"),
    ("unleaked", "twin"),
)


def run(runs: Path, jobs: int, scale: float) -> None:
    """Play the worlds that have no result yet. scale: share of the worlds, at least four of each kind."""
    tasks = {
        f"{kind}-{world}-{seed}": Task(one_run, (kind, SEED + world, 2 * seed, SLATES))
        for world in range(max(round(WORLDS * scale), 4))
        for kind in KINDS
        for seed in range(FEW if world else MANY)
    }
    run_tasks(runs / NAME, tasks, jobs)


def one_run(kind: str, seed: int, training_seed: int, slates: int) -> dict[str, Any]:
    """Return the numbers of one world learnt from one seed: (value, standard error) each. The twin has the next one."""
    parameters = KINDS[kind]
    played = play(parameters, tables_of(parameters, slates), slates, seed, training_seed)
    found = estimates(played.pipeline.summary())
    numbers = {number: [found[subject][number][key] for key in ("value", "stderr")] for subject, number in NUMBERS}
    return {"kind": kind, "world": seed, "seed": training_seed, "numbers": numbers, "seconds": played.seconds}
