"""Does LIS order preference sources as their known quality does?"""

from __future__ import annotations

from itertools import combinations
from pathlib import Path
from typing import Any, Final

import numpy as np

from studies.coverage import interval_of_share
from studies.figures import COLOURS, MARKERS, figure, link, zero_line
from studies.resample import mean_interval
from studies.section import Section, table
from studies.small import KINDS
from studies.sweeps import SOURCES, one_run, ordered_right
from studies.tasks import Task, results, run_tasks

NAME: Final = "order"
WORLDS: Final = 15
"""Of each kind."""
SLATES: Final = 1_200
SEED: Final = 90_000


def run(runs: Path, jobs: int, scale: float) -> None:
    """Play the worlds that have no result yet. scale: share of the worlds, at least two of each kind."""
    tasks = {
        f"{kind}-{world}": Task(one_run, (None, None, SEED + world, SLATES, kind))
        for world in range(max(round(WORLDS * scale), 2))
        for kind in KINDS
    }
    run_tasks(runs / NAME, tasks, jobs)


def section(runs: Path, figures: Path) -> Section | None:
    """Return in how many worlds the sources' order by adjusted LIS is that of their quality."""
    found = list(results(runs / NAME).values())
    if not found:
        return None
    kinds = sorted({world["kind"] for world in found})
    right = sum(ordered_right(world["sources"]) for world in found)
    low, high = interval_of_share(right, len(found))
    rows = [[kind, *_row([world for world in found if world["kind"] == kind])] for kind in kinds]
    path = figures / "order.svg"
    _draw(path, kinds, found)
    text = f"""\
Three sources of known quality in each of {len(found)} worlds (`{"`, `".join(kinds)}`), {SLATES:,} slates after the
warm-up: *good* publishes all preferred pairs, *half* one half of them and as many random pairs, *noise* random pairs
alone. Their order by adjusted LIS was right, all three, in **{right} of {len(found)}** worlds
({low:.0%} to {high:.0%}). *clear*: of the pairs of sources that are {CLEAR:g} standard errors apart or more.

{table(["world", "all three right", "good over half", "half over noise", "good over noise", "clear pairs right"], rows)}

{link(path, "Adjusted LIS of three sources in each world")}

Where it fails: in a world whose errors are as large as the difference. The standard error of a gap is taken as that of
two independent numbers, so "clear" is said too seldom. The difference between sources that are alike in quality but
not in density or noise is no order of quality at all: LIS measures what the table of pairs gives, so a noisy dense
source and a clean thin one can stand either way.
"""
    facts = {"right": right, "worlds": len(found), "share": round(right / len(found), 4)}
    return Section("Does LIS order the sources?", text, {"sources_ordered_right": right, "sources_order": facts})


CLEAR: Final = 2


def _row(worlds: list[dict[str, Any]]) -> list[str]:
    pairs = {pair: [_gap(world["sources"], *pair) for world in worlds] for pair in combinations(SOURCES, 2)}
    counted = {pair: f"{sum(gap > 0 for gap, _ in gaps)} of {len(gaps)}" for pair, gaps in pairs.items()}
    clear = [gap > 0 for gaps in pairs.values() for gap, error in gaps if abs(gap) >= CLEAR * error]
    whole = f"{sum(ordered_right(world['sources']) for world in worlds)} of {len(worlds)}"
    good, half, noise = SOURCES
    chosen = [counted[pair] for pair in ((good, half), (half, noise), (good, noise))]
    return [whole, *chosen, f"{sum(clear)} of {len(clear)}"]


def _gap(sources: dict[str, Any], first: str, second: str) -> tuple[float, float]:
    """Return adjusted LIS of one source less that of another, and a standard error; NaN where there is none."""
    (a, b) = (np.array(sources[name]["adjusted_lis"], np.float64) for name in (first, second))
    return float(a[0] - b[0]), float(np.hypot(a[1], b[1]))


def _draw(path: Path, kinds: list[str], found: list[dict[str, Any]]) -> None:
    with figure(path, 1, len(kinds)) as every:
        for axes, kind in zip(every, kinds, strict=True):
            worlds = [world for world in found if world["kind"] == kind]
            zero_line(axes)
            for place, name in enumerate(SOURCES):
                values = [v for world in worlds if (v := world["sources"][name]["adjusted_lis"][0]) is not None]
                spread = place + 0.3 * (np.arange(len(values)) / max(len(values) - 1, 1) - 0.5)
                axes.plot(spread, values, MARKERS[place], color=COLOURS[place], alpha=0.5)
                mean = mean_interval(values)
                axes.errorbar(place + 0.3, mean.value, [[mean.value - mean.lower], [mean.upper - mean.value]], fmt="k_")
            axes.set_xticks(range(len(SOURCES)), list(SOURCES))
            axes.set_title(f"{kind}, {len(worlds)} worlds")
            axes.set_xlabel("source, from best to worst")
            axes.set_ylabel("adjusted LIS (difference of AUC)")
        every[0].annotate(
            "bar: mean and\nits 95 % interval", (0.98, 0.97), xycoords="axes fraction", ha="right", va="top"
        )
