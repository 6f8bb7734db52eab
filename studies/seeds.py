"""How much of a number's error is the training's: the same log learnt from many initial weights."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from scipy.stats import chi2

from studies.figures import COLOURS, MARKERS, figure, link
from studies.resample import Interval
from studies.section import Section, table
from studies.small import KINDS, estimates, play, tables_of
from studies.tasks import Task, results, run_tasks

NAME: Final = "seeds"
SLATES: Final = 1_200
WORLDS: Final = 16
"""Of each kind, each learnt from two seeds: one that is the same in all worlds, one of its own."""
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
HEADLINES: Final = ("adjusted_lis", "adjusted_ais")
AVERAGED: Final = 4
"""Seeds whose averaging is tried."""
TABLE_HEADER: Final = (
    "number",
    "training sd",
    "world sd",
    "published",
    "share",
    f"{AVERAGED} seeds",
    "twin",
)


def run(runs: Path, jobs: int, scale: float) -> None:
    """Play the worlds that have no result yet. scale: share of the worlds, at least four of each kind."""
    tasks = {
        f"{kind}-{world}-s{seed}": Task(one_run, (kind, SEED + world, seed, SLATES))
        for world in range(max(round(WORLDS * scale), 4))
        for kind in KINDS
        for seed in seeds_of(world)
    }
    run_tasks(runs / NAME, tasks, jobs)


def seeds_of(world: int) -> list[int]:
    """Return the training seeds of a world: the first has many. The twin takes the next seed, so all are even.

    >>> seeds_of(3), len(seeds_of(0))
    ([0, 8], 10)
    """
    return [2 * seed for seed in range(MANY)] if world == 0 else [0, own_seed(world)]


def own_seed(world: int) -> int:
    """Return the seed that no other world has for its own.

    >>> own_seed(0), own_seed(3)
    (2, 8)
    """
    return 2 * (world + 1)


def one_run(kind: str, seed: int, training_seed: int, slates: int) -> dict[str, Any]:
    """Return the numbers of one world learnt from one seed: (value, standard error) each. The twin has the next one."""
    parameters = KINDS[kind]
    played = play(parameters, tables_of(parameters, slates), slates, seed, training_seed)
    found = estimates(played.pipeline.summary())
    numbers = {number: [found[subject][number][key] for key in ("value", "stderr")] for subject, number in NUMBERS}
    return {"kind": kind, "world": seed, "seed": training_seed, "numbers": numbers, "seconds": played.seconds}


@dataclass(frozen=True)
class Noise:
    """Where a number's variance comes from, over the worlds of one kind.

    training: variance between seeds on one log, with `degrees` of freedom. total: between worlds, each with a seed of
    its own; fixed: between worlds that all have the same seed. published: mean square of the standard errors.
    shared: share of the training variance that the twin explains.
    """

    training: float
    degrees: int
    total: float
    fixed: float
    published: float
    shared: float
    worlds: int

    @property
    def narrow(self) -> bool:
        """Whether the worlds differ by more than the published errors and chance (chi-squared, 97.5 %) allow for."""
        return (self.worlds - 1) * self.total > self.published * float(chi2.ppf(0.975, self.worlds - 1))

    @property
    def share(self) -> float:
        """Training's share of the total, at most 1."""
        return min(self.training / self.total, 1.0)

    def averaged(self, seeds: int) -> float:
        """Return how many times smaller the variance of a mean over some seeds is."""
        return 1 / (1 - self.share * (1 - 1 / seeds))

    def controlled(self) -> float:
        """Return how many times smaller the variance is when the twin's difference is a control variate."""
        return 1 / (1 - self.share * self.shared)

    def deviation(self) -> Interval:
        """Return the training's standard deviation (chi-squared interval)."""
        lower, upper = self.degrees * self.training / chi2.ppf([0.975, 0.025], self.degrees)
        return Interval(*(float(np.sqrt(value)) for value in (self.training, lower, upper)))


def noise(runs: list[dict[str, Any]], number: str) -> Noise:
    """Return the parts of a number's variance. runs: of one kind of world, several worlds, some with several seeds."""
    worlds: dict[int, list[tuple[float, float]]] = {}
    for one in runs:
        worlds.setdefault(one["world"], []).append((one["numbers"][number][0], one["numbers"]["twin"][0]))
    residuals = np.concatenate([np.array(values) - np.mean(values, axis=0) for values in worlds.values()])
    degrees = len(residuals) - len(worlds)
    training, twin = (residuals**2).sum(axis=0) / degrees
    together = (residuals[:, 0] * residuals[:, 1]).sum() / degrees
    own = [one["numbers"][number][0] for one in _own(runs)]
    same = [one["numbers"][number][0] for one in runs if one["seed"] == 0]
    published = np.mean([one["numbers"][number][1] ** 2 for one in runs])
    shared = together**2 / (training * twin) if training and twin else 0.0
    total, fixed = (float(np.var(values, ddof=1)) for values in (own, same))
    return Noise(float(training), degrees, total, fixed, float(published), float(shared), len(own))


def _own(runs: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [one for one in runs if one["seed"] == own_seed(one["world"] - SEED)]


def section(runs: Path, figures: Path) -> Section | None:
    """Return what share of each number's variance is the training's, and what averaging or the twin take off it."""
    found = list(results(runs / NAME).values())
    kinds = [kind for kind in KINDS if len(_own([one for one in found if one["kind"] == kind])) > 2]
    if not kinds:
        return None
    parts = {kind: [one for one in found if one["kind"] == kind] for kind in kinds}
    table_of = {(kind, name): noise(parts[kind], name) for kind in kinds for _, name in NUMBERS}
    path = figures / "seeds.svg"
    _draw(path, parts)
    counts = ", ".join(f"{len({one['world'] for one in runs_})} `{kind}` worlds" for kind, runs_ in parts.items())
    text = f"""\
How much of the error is the draw of the initial weights, how much the draw of users and traffic? {counts}, {SLATES:,}
slates each after the warm-up, every log learnt from two initial seeds or more, the first of each kind from {MANY}.
*training sd*: between seeds on one log (pooled within worlds, with its 95 % interval). *world sd*: between worlds, each
with a seed of its own: everything together. *published*: root mean square of the standard errors of the runs.

{table(TABLE_HEADER, [_row(kind, name, one) for (kind, name), one in table_of.items()])}

*share*: of the variance, training's. *{AVERAGED} seeds*: how many times smaller the variance is when each ranker is
learnt from {AVERAGED} seeds and the numbers are averaged, for {AVERAGED} times the computing.
*twin*: how many times smaller when the best multiple of the twin's difference is taken off (a
control variate; the multiple is fitted on the same runs, so the gain is flattered).

{link(path, "Each seed's deviation from its world's mean, against the published standard error")}

{_conclusion(table_of)}

Where it fails: the order of samples within a batch is the log's own; another order is another log, so what the order of
learning adds can only be seen together with the traffic. All this is of worlds of one
size; how training's share changes with it is not measured here.
"""
    largest = max((one.share, kind, name) for (kind, name), one in table_of.items() if name != "twin")
    facts = {
        "largest_share": round(largest[0], 4),
        "of": f"{largest[2]}, {largest[1]}",
        "share": {f"{name}, {kind}": round(one.share, 4) for (kind, name), one in table_of.items()},
    }
    return Section("Training noise and sampling noise", text, {"training_noise": facts})


def _row(kind: str, name: str, one: Noise) -> list[str]:
    sd = one.deviation()
    return [
        f"`{name}`, {kind}",
        f"{sd.value:.4f} ({sd.lower:.4f} to {sd.upper:.4f})",
        f"{np.sqrt(one.total):.4f}",
        f"{np.sqrt(one.published):.4f}",
        f"{one.share:.0%}",
        f"{one.averaged(AVERAGED):.2f}",
        f"{one.controlled():.2f}" if name != "twin" else "",
    ]


def _conclusion(table_of: dict[tuple[str, str], Noise]) -> str:
    chosen = {key: one for key, one in table_of.items() if key[1] in HEADLINES}
    shares = [one.share for one in chosen.values()]
    wide = [np.sqrt(one.published / one.total) for one in chosen.values()]
    narrow = [f"`{name}` ({kind})" for (kind, name), one in chosen.items() if one.narrow]
    verdict = (
        "The published standard errors are over users and time, and over training where the twin is loud; worlds "
        f"differ in all that and in their catalogues: the former are {min(wide):.2f} to {max(wide):.2f} of the latter."
    )
    return (
        f"Of the headline numbers ({', '.join(f'`{name}`' for name in HEADLINES)}) training makes {min(shares):.0%} to "
        f"{max(shares):.0%} of the variance. {verdict} "
        + (
            f"The worlds differ by more than that and chance allow for in {', '.join(narrow)}."
            if narrow
            else "Nowhere do the worlds differ by more than that and chance allow for."
        )
        + _luck(table_of)
        + f" Averaging {AVERAGED} seeds would gain a factor of "
        f"{min(one.averaged(AVERAGED) for one in chosen.values()):.2f} to "
        f"{max(one.averaged(AVERAGED) for one in chosen.values()):.2f}, the twin as a control variate at most "
        f"{max(one.controlled() for one in chosen.values()):.2f}."
    )


def _luck(table_of: dict[tuple[str, str], Noise]) -> str:
    """Say what the twin's spread tells of that of the other numbers."""
    parts = []
    for kind in dict.fromkeys(kind for kind, _ in table_of):
        twin = table_of[kind, "twin"]
        others = [float(np.sqrt(table_of[kind, name].training / twin.training)) for name in HEADLINES]
        parts.append(f"{min(others):.2f} to {max(others):.2f} ({kind})")
    return (
        " Rankers of a group start from the same weights and share their luck, the twin and the unleaked ranker do "
        "not: the headline numbers' training sd is this share of the twin's: " + ", ".join(parts) + "."
    )


def _draw(path: Path, parts: dict[str, list[dict[str, Any]]]) -> None:
    with figure(path, 1, len(parts), (10.0, 3.6)) as every:
        for axes, (kind, found) in zip(every, parts.items(), strict=True):
            first = min(one["world"] for one in found)
            many = [one for one in found if one["world"] == first]
            for place, (_, name) in enumerate(NUMBERS):
                values = np.array([one["numbers"][name] for one in many], np.float64)
                wide = float(np.sqrt(np.mean(values[:, 1] ** 2)))
                axes.barh(
                    place,
                    2 * wide,
                    left=-wide,
                    height=0.7,
                    color="#e3e3e3",
                    label=_once("± a published\nstandard error", place),
                )
                axes.plot(values[:, 0] - values[:, 0].mean(), [place] * len(values), MARKERS[0], color=COLOURS[0],
                          alpha=0.6, label=_once("a seed", place))  # fmt: skip
            axes.set_yticks(range(len(NUMBERS)), [name for _, name in NUMBERS])
            axes.invert_yaxis()
            axes.set_title(f"{kind}: one log, {len(many)} seeds")
            axes.set_xlabel("deviation from the mean over seeds (AUC)")
        every[-1].legend(loc="center left", bbox_to_anchor=(1.0, 0.5))


def _once(label: str, place: int) -> str | None:
    return label if place == 0 else None
