"""Does the order of variants by AIS agree with the order of their arms by true lift?

Every world has four variants and an arm that is really ranked by each of them.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations, pairwise
from pathlib import Path
from typing import Any, Final

import numpy as np
from scipy.stats import kendalltau, spearmanr

from lis_online.metrics.levels import levels
from lis_online.shards.pipeline import Pipeline
from lis_online.simulate.parameters import VariantParameters
from studies.cells import WARM_UP
from studies.coverage import interval_of_share
from studies.figures import COLOURS, GREY, MARKERS, figure, link
from studies.resample import Interval, bootstrap, mean
from studies.section import Section, table
from studies.small import KINDS, estimates, play, tables_of
from studies.tasks import Task, results, run_tasks

NAME: Final = "lift"
WORLDS: Final = {"feed": 36, "shop": 24}
SLATES: Final = 2_400
USERS: Final = 800
"""Few enough that a user comes back: an arm's ranking needs a profile of its user."""
VARIANTS: Final = ("a", "b", "c", "d")
NEAR: Final = 0.05
"""The fourth variant is as near to the third, in quality."""
EDGES: Final = (0.0, 1.0, 2.0, 4.0, 8.0, np.inf)
"""Of the gaps in standard errors that decisions are sorted by."""
SURE: Final = 2
HEADER: Final = (
    "kind",
    "worlds",
    "rank correlation (Spearman)",
    "Kendall",
    "best variant chosen",
    "lift lost by it",
)
SEED: Final = 40_000
"""Of the first world, so that no other study's worlds are these."""


def run(runs: Path, jobs: int, scale: float) -> None:
    """Play the worlds that have no result yet. scale: share of the worlds, at least two of each kind."""
    tasks = {
        f"{kind}-{number}": Task(one_world, (kind, SEED + number, SLATES))
        for kind, worlds in WORLDS.items()
        for number in range(max(round(worlds * scale), 2))
    }
    run_tasks(runs / NAME, tasks, jobs)


def qualities(seed: int) -> list[float]:
    """Return the variants' qualities in a world, 0 to 1: three drawn evenly, the fourth near the third.

    >>> [round(q, 2) for q in qualities(1)]
    [0.51, 0.95, 0.14, 0.19]
    """
    rng = np.random.default_rng(seed)
    drawn = rng.random(3).tolist()
    return [*drawn, float(np.clip(drawn[2] + rng.uniform(-NEAR, NEAR), 0, 1))]


def one_world(kind: str, seed: int, slates: int) -> dict[str, Any]:
    """Return each variant's quality, adjusted AIS and lift, and each pair's gap of AIS with its standard error.

    lift: relative, of the expected clicks per item shown when every slate is ranked by the variant, against
    popularity; it has no noise of clicks in it.
    """
    given = qualities(seed)
    parameters = replace(
        KINDS[kind],
        users=USERS,
        variants=tuple(VariantParameters(n, q) for n, q in zip(VARIANTS, given, strict=True)),
        arms=(("control", ""), *((name, name) for name in VARIANTS)),
        pairs_per_minute=100.0,
        truth_from=WARM_UP,
    )
    played = play(parameters, tables_of(parameters, slates), slates, seed)
    found = estimates(played.pipeline.summary())
    rates = {arm: truth.expected_clicks / truth.items for arm, truth in played.world.arm_truth(paired=True).items()}
    return {
        "kind": kind,
        "quality": given,
        "ais": [found[name]["adjusted_ais"]["value"] for name in VARIANTS],
        "stderr": [found[name]["adjusted_ais"]["stderr"] for name in VARIANTS],
        "lift": [rates[name] / rates["control"] - 1 for name in VARIANTS],
        "gaps": _gaps(played.pipeline),
        "seconds": played.seconds,
    }


def _gaps(pipeline: Pipeline) -> list[dict[str, float]]:
    """Return adjusted AIS of the first less that of the second variant of every pair, and its standard error."""
    window = pipeline.publish.whole_run()
    if window is None:
        return []
    layout = window.total.layout
    count = range(len(layout.variants))
    aligned, permuted = ([layout.of_variant(kind, v) for v in count] for kind in ("aligned", "permuted"))
    first, second = zip(*combinations(count, 2), strict=True)
    gaps = levels(window, "auc").minus(aligned, permuted).minus(list(first), list(second))
    variance = np.maximum(*gaps.variances())[0]
    return [
        {"first": f, "second": s, "gap": float(gap), "stderr": float(error)}
        for f, s, gap, error in zip(first, second, gaps.value[0], np.sqrt(variance), strict=True)
    ]


def section(runs: Path, figures: Path) -> Section | None:
    """Return how well AIS predicts lift, world by world and decision by decision."""
    found = list(results(runs / NAME).values())
    if len(found) < 2:
        return None
    kinds = sorted({world["kind"] for world in found})
    parts = {"all": found} | {kind: [w for w in found if w["kind"] == kind] for kind in kinds}
    spearman = {name: bootstrap([rank_correlation(world) for world in worlds], mean) for name, worlds in parts.items()}
    rows = [
        [name, len(worlds), spearman[name], bootstrap([kendall(w) for w in worlds], mean), *_choice(worlds)]
        for name, worlds in parts.items()
    ]
    path = figures / "lift.svg"
    _draw(path, kinds, found)
    text = f"""\
{len(found)} worlds ({", ".join(f"{len(parts[kind])} `{kind}`" for kind in kinds)}) with four variants each: three of
random quality, the fourth within {NEAR} of the third, so that near-ties are among them. Each variant really ranks the
slates of its own arm of the experiment; a fifth arm, control, ranks by popularity. *True lift* is the relative gain in
expected clicks per item shown over control, with every slate of the world ranked by each arm: no noise of clicks is
in it. Adjusted AIS is what one run of {SLATES:,} slates after the warm-up says. Means over worlds with their 95 %
intervals (bootstrap):

{table(HEADER, rows)}

*Lift lost*: true lift of the best arm less that of the variant with the highest AIS, as a share of the best arm's.

{link(path, "Adjusted AIS against true lift, and agreement of decisions by the size of the gap in AIS")}

A decision is a pair of variants of one world: does the one with the higher AIS have the higher lift? By how many
standard errors the two AIS differ (of the paired difference), pooled:

{table(["gap of AIS, standard errors", "decisions", "right", "95 % interval over worlds"], _agreement_rows(found))}

Where it fails: {_failures(found)}
{_slopes(parts, kinds)}
Four variants of one world share their traffic; the worlds are what is independent, and the intervals are over them.
True lift is that of clicks: what an arm's own clicks do to its later slates, and what other rankers of a platform make
of the vectors, is not in it.
"""
    facts = {**spearman["all"].facts(), "worlds": len(found)}
    return Section("Does AIS order variants as their arms' lift does?", text, {"ais_lift_rank_correlation": facts})


def rank_correlation(world: dict[str, Any]) -> float:
    """Return Spearman's correlation of adjusted AIS and true lift over a world's variants."""
    return float(spearmanr(world["ais"], world["lift"]).statistic)


def kendall(world: dict[str, Any]) -> float:
    """Return Kendall's correlation of adjusted AIS and true lift over a world's variants."""
    return float(kendalltau(world["ais"], world["lift"]).statistic)


def decisions(worlds: list[dict[str, Any]], low: float, high: float) -> list[bool]:
    """Return whether AIS and lift agree on each pair of variants whose AIS differ by low to high standard errors."""
    found = []
    for world in worlds:
        for pair in world["gaps"]:
            size = abs(pair["gap"]) / pair["stderr"] if pair["stderr"] else np.inf
            if low <= size < high:
                found.append(bool(pair["gap"] * (world["lift"][pair["first"]] - world["lift"][pair["second"]]) > 0))
    return found


def _agreement(worlds: list[dict[str, Any]], low: float, high: float) -> Interval:
    def share(drawn: list[dict[str, Any]]) -> float:
        found = decisions(drawn, low, high)
        return float(np.mean(found)) if found else float("nan")

    drawn, found = bootstrap(worlds, share), decisions(worlds, low, high)
    if not found:
        return drawn
    lower, upper = interval_of_share(sum(found), len(found))  # a draw of worlds without a mistake shows none
    return Interval(drawn.value, min(lower, drawn.lower), max(upper, drawn.upper))


def _agreement_rows(worlds: list[dict[str, Any]]) -> list[list[object]]:
    rows: list[list[object]] = []
    for low, high in pairwise(EDGES):
        found = decisions(worlds, low, high)
        if found:
            share = _agreement(worlds, low, high)
            name = f"{low:g} to {high:g}" if np.isfinite(high) else f"{low:g} and more"
            rows.append([name, len(found), f"{share.value:.1%}", f"{share.lower:.1%} to {share.upper:.1%}"])
    return rows


def _choice(worlds: list[dict[str, Any]]) -> list[str]:
    """Return how often the variant with the highest AIS is best, and the share of the best lift that it misses."""
    right = sum(int(np.argmax(w["ais"]) == np.argmax(w["lift"])) for w in worlds)
    lost = bootstrap([1 - w["lift"][int(np.argmax(w["ais"]))] / max(w["lift"]) for w in worlds], mean)
    return [f"{right} of {len(worlds)}", f"{lost.value:.1%} ({lost.lower:.1%} to {lost.upper:.1%})"]


def _failures(worlds: list[dict[str, Any]]) -> str:
    """Say which decisions were wrong, how sure they looked and how little was between the variants."""
    every = decisions(worlds, 0, np.inf)
    sure = decisions(worlds, SURE, np.inf)
    near = sum(
        pair["gap"] * (world["lift"][pair["first"]] - world["lift"][pair["second"]]) <= 0
        for world in worlds
        for pair in world["gaps"]
        if abs(world["quality"][pair["first"]] - world["quality"][pair["second"]]) <= NEAR
    )
    backwards = sum(rank_correlation(world) < 0 for world in worlds)
    wrong = len(every) - sum(every)
    return (
        f"{wrong} of {len(every)} decisions are wrong, {near} of them between variants whose qualities are within "
        f"{NEAR}; of the {len(sure)} that are {SURE:g} or more standard errors apart, {len(sure) - sum(sure)} are. In "
        f"{backwards} of {len(worlds)} worlds the order as a whole is rather upside down (correlation under 0)."
    )


def _slopes(parts: dict[str, list[dict[str, Any]]], kinds: list[str]) -> str:
    """Say what lift goes with an AIS of 0.01 in each kind: the least squares line's slope."""
    found = []
    for kind in kinds:
        x, y = (np.array([world[name] for world in parts[kind]]).ravel() for name in ("ais", "lift"))
        found.append(f"{0.01 * np.polyfit(x, y, 1)[0]:.1%} in `{kind}`")
    return (
        f"An AIS of 0.01 more goes with a lift of {', '.join(found)}: it orders variants on one platform, and is no "
        "rate of exchange between platforms."
    )


def _draw(path: Path, kinds: list[str], found: list[dict[str, Any]]) -> None:
    with figure(path, 1, 2, (9.0, 3.8)) as (scatter, agree):
        for place, kind in enumerate(kinds):
            worlds = [world for world in found if world["kind"] == kind]
            x = np.array([world["ais"] for world in worlds]).ravel()
            y = 100 * np.array([world["lift"] for world in worlds]).ravel()
            wide = 2 * np.array([world["stderr"] for world in worlds]).ravel()
            scatter.errorbar(x, y, xerr=wide, fmt="none", ecolor=COLOURS[place], alpha=0.2, elinewidth=0.8, capsize=0)
            scatter.plot(x, y, MARKERS[place], color=COLOURS[place], alpha=0.7, label=f"{kind}, {len(worlds)} worlds")
        scatter.set_xlabel("adjusted AIS (difference of AUC), bars: 2 standard errors")
        scatter.set_ylabel("true lift over popularity (%)")
        scatter.legend(loc="upper left")
        names: list[str] = []
        for low, high in pairwise(EDGES):
            count = len(decisions(found, low, high))
            if not count:
                continue
            share = _agreement(found, low, high)
            error = [[100 * (share.value - share.lower)], [100 * (share.upper - share.value)]]
            agree.errorbar(len(names), 100 * share.value, error, fmt=MARKERS[0], color=COLOURS[0])
            names.append((f"{low:g}-{high:g}" if np.isfinite(high) else f"> {low:g}") + f"\nn={count}")
        agree.axhline(50, color=GREY, linestyle=":", linewidth=1)
        agree.annotate("a coin", (len(names) - 0.6, 51), ha="right", color=GREY)
        agree.set_xlim(-0.5, len(names) - 0.5)
        agree.set_ylim(0, 103)
        agree.set_xticks(range(len(names)), names)
        agree.set_xlabel("gap of two variants' AIS (standard errors)")
        agree.set_ylabel("decisions that agree with lift (%)")
