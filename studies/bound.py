"""What tells whether LIS bounds a variant: does it still grow with density, or is there something better?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import numpy as np

from lis_online.simulate.parameters import VariantParameters
from studies.bound_verdicts import (
    DENSE,
    SCORES,
    THINNING,
    Cell,
    Key,
    Score,
    balanced,
    judge,
    of_kind,
    separation,
    threshold,
    together,
    verdicts,
)
from studies.figures import COLOURS, GREY, MARKERS, figure, link
from studies.resample import Interval, bootstrap
from studies.section import Section, table
from studies.small import KINDS, estimates, play, tables_of, with_sources
from studies.tasks import Task, results, run_tasks

NAME: Final = "bound"
SHARES: Final = (0.01, 0.03, 0.1, 0.3, 0.6, 1.0)
"""Share of the world's preferred pairs that each source publishes."""
REGIMES: Final = {"100": (100.0, 300), "400": (400.0, 300), "1600": (1_600.0, 300), "1600-80": (1_600.0, 80)}
"""Preferred pairs a minute, and items: from thin to dense."""
WORLDS: Final = 5
"""Of each kind and regime."""
SLATES: Final = 1_200
VARIANTS: Final = {"perfect": 1.0, "good": 0.5}
SEED: Final = 50_000
HEADER: Final = (
    "LIS lost by thinning",
    "cells",
    *(f"LIS bounds the {variant} variant" for variant in VARIANTS),
    "AIS of the perfect variant / LIS",
)
BINS: Final = (-np.inf, 0.05, 0.1, 0.2, 0.3, np.inf)
LEAST: Final = 0.002
"""Mean adjusted LIS under which a cell is not drawn: a ratio to it means nothing."""
NUMBERS: Final = ("lis", "adjusted_lis", "past", "future", "placebo", "bound")


def run(runs: Path, jobs: int, scale: float) -> None:
    """Play the worlds that have no result yet. scale: share of the worlds, at least two of each cell."""
    tasks = {
        f"{kind}-{regime}-{number}": Task(one_world, (kind, regime, SEED + number, SLATES))
        for number in range(max(round(WORLDS * scale), 2))
        for kind in KINDS
        for regime in REGIMES
    }
    run_tasks(runs / NAME, tasks, jobs)


def one_world(kind: str, regime: str, seed: int, slates: int) -> dict[str, Any]:
    """Return the numbers of a world whose sources differ in density alone: (value, standard error) each."""
    pairs, items = REGIMES[regime]
    base = with_sources(KINDS[kind], **{f"s{share:g}": (share, 0.0) for share in SHARES})
    variants = tuple(VariantParameters(name, quality) for name, quality in VARIANTS.items())
    parameters = replace(base, pairs_per_minute=pairs, items=items, variants=variants, treatment="good")
    played = play(parameters, tables_of(parameters, slates), slates, seed)
    found = estimates(played.pipeline.summary())
    return {
        "kind": kind,
        "regime": regime,
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


def section(runs: Path, figures: Path) -> Section | None:
    """Return which figures of a source tell whether its LIS bounds a perfect and a good variant."""
    worlds = list(results(runs / NAME).values())
    if len(worlds) < 2:
        return None
    cells = {variant: verdicts(worlds, variant) for variant in VARIANTS}
    kinds = [kind for kind in KINDS if of_kind(worlds, kind)]
    regimes = [f"{pairs:g} pairs a minute of {items} items" for pairs, items in REGIMES.values()]
    path = figures / "bound.svg"
    _draw(path, cells)
    judged = [variant for variant in VARIANTS if len({cell.bounded for cell in cells[variant].values()} - {None}) == 2]
    scored = {v: {name: _separation(worlds, cells[v], score) for name, score in SCORES.items()} for v in judged}
    text = f"""\
LIS says what *this table of pairs* gives; a representation generalises, and beats a thin table. Does "thinning the
source changes LIS little" tell that LIS bounds what a representation can give? {len(worlds)} worlds
({", ".join(f"{len(of_kind(worlds, k))} `{k}`" for k in kinds)}; {"; ".join(regimes)}; {SLATES:,} slates after the
warm-up), each with {len(SHARES)} sources that publish {SHARES[0]:.0%} to {SHARES[-1]:.0%} of the pairs, a *perfect*
variant (its vectors are the contents) and a *good* one (contents and noise, half and half). The truth of a cell (kind,
regime, share published) is the mean over its worlds of adjusted AIS less adjusted LIS; cells within two standard
errors of the line have no verdict. Cells by what thinning takes of their LIS:

{table(HEADER, _bins(cells))}

{link(path, "AIS over LIS, against the thinned share of LIS and against coverage")}

{_dense(cells)}

{_predictors(scored, worlds, cells, kinds)}

Where it fails: an interval without width says that no draw of these few worlds mixes the two, not that none could.
A source with an LIS near 0 has no meaningful ratio to it (it is counted as thin), so the ratio is
noisiest exactly where the answer matters least. The perfect variant of these worlds knows all that there is to know
of an item, more than any alignment will give; and pairs here come from the tastes that clicks come from.
"""
    facts: dict[str, Any] = {
        variant: {
            "cells_bounded": sum(cell.bounded is True for cell in found.values()),
            "cells_beyond": sum(cell.bounded is False for cell in found.values()),
            "cells_dense_bounded": sum(cell.bounded is True for cell in found.values() if cell.dense),
            "cells_dense_beyond": sum(cell.bounded is False for cell in found.values() if cell.dense),
            "predictors": {name: one.facts() for name, one in scored.get(variant, {}).items()},
        }
        for variant, found in cells.items()
    }
    return Section("When does LIS bound a variant?", text, {"bound": {"worlds": len(worlds), **facts}})


def _bins(cells: dict[str, dict[Key, Cell]]) -> list[list[str]]:
    rows = []
    for low, high in pairwise(BINS):
        keys = [key for key, cell in cells["perfect"].items() if low <= cell.thinned < high or cell.thinned == high]
        if not keys:
            continue
        counts = []
        for found in cells.values():
            known = [found[key].bounded for key in keys if found[key].known]
            counts.append(f"{sum(map(bool, known))} of {len(known)}")
        ratios = [cells["perfect"][key].ais / lis for key in keys if (lis := cells["perfect"][key].lis) > LEAST]
        rows.append(
            [_range(low, high), str(len(keys)), *counts, f"{min(ratios):.1f} to {max(ratios):.1f}" if ratios else ""]
        )
    return rows


def _range(low: float, high: float) -> str:
    if low == -np.inf:
        return f"under {high:.0%}"
    return f"{low:.0%} to {high:.0%}" if high < np.inf else f"over {low:.0%} (or no LIS)"


def _dense(cells: dict[str, dict[Key, Cell]]) -> str:
    """Say what "thinning changes LIS little" is worth as a promise."""
    parts = []
    for variant, found in cells.items():
        dense = [cell for cell in found.values() if cell.dense and cell.known]
        held = sum(bool(cell.bounded) for cell in dense)
        parts.append(f"of the {len(dense)} such cells with a verdict LIS bounds the {variant} variant in {held}")
    broken = any(cell.dense and cell.bounded is False for cell in cells["perfect"].values())
    verdict = (
        "So it is **no promise**: little change says that more pairs *of this kind* would add little, not that vectors "
        "cannot. A pair says that two items were wanted together; a vector says how near any two are, also where no "
        "pair was ever seen."
        if broken
        else "In these worlds that is a promise that held."
    )
    return f"Where thinning takes less than {DENSE:.0%} of LIS: {'; '.join(parts)}. {verdict}"


def _predictors(
    scored: dict[str, dict[str, Interval]],
    worlds: list[dict[str, Any]],
    cells: dict[str, dict[Key, Cell]],
    kinds: list[str],
) -> str:
    none = [f"the {variant} variant" for variant in VARIANTS if variant not in scored]
    parts = [f"For {' and '.join(none)} all verdicts are the same: there is nothing to predict."] if none else []
    for variant, found in scored.items():
        rows = [
            [name, one, *(_separation(of_kind(worlds, kind), cells[variant], SCORES[name]) for kind in kinds),
             _transferred(worlds, cells[variant], SCORES[name], kinds)]
            for name, one in found.items()
        ]  # fmt: skip
        parts.append(
            f"For the {variant} variant there are both verdicts. Each figure of a single run as a predictor of them: "
            "*separation* is how often a source that does not bound scores worse than one that does (area under the "
            "ROC curve; 0.5 is a coin; intervals over worlds); *transferred* the share judged rightly in one kind of "
            "world by the threshold that is best in the other, mean of both ways. Verdicts rest on the same "
            "worlds, less those near the line, so all are a little flattered.\n\n"
            + table(["predictor", "separation, all", *kinds, "transferred"], rows)
            + "\n\n"
            + _conclusion(found)
        )
    return "\n\n".join(parts)


def _separation(worlds: list[dict[str, Any]], cells: Mapping[Key, Cell], score: Score) -> Interval:
    judged = [judge(world, cells, score) for world in worlds]
    return bootstrap(judged, lambda drawn: separation(*together(drawn)))


def _transferred(worlds: list[dict[str, Any]], cells: Mapping[Key, Cell], score: Score, kinds: list[str]) -> str:
    parts = [together([judge(world, cells, score) for world in of_kind(worlds, kind)]) for kind in kinds]
    if len(parts) < 2 or any(beyond.all() or not beyond.any() for _, beyond in parts):
        return "no such verdict in one kind"
    shares = [balanced(*parts[1 - k], threshold(*parts[k])) for k in (0, 1)]
    return f"{np.mean(shares):.0%}"


def _conclusion(scored: dict[str, Interval]) -> str:
    own = scored[THINNING]
    sides = (own.lower > 0.5) - (own.upper < 0.5)
    verdict = {
        1: f"The thinned ranker does order them: separation {own}.",
        0: f"The thinned ranker does not tell: separation {own}, no better than a coin.",
        -1: f"The thinned ranker orders them the wrong way round: separation {own}.",
    }[sides]
    best = max(scored, key=lambda name: scored[name].value)
    if best == THINNING:
        verdict += " Nothing else does better."
    else:
        apart = "beyond" if scored[best].lower > own.upper else "not beyond"
        verdict += f" The best of these is {best}: {scored[best]}, {apart} the errors of the comparison."
    return f"{verdict} The certain sign is adjusted AIS above adjusted LIS itself: `beyond_preference`."


def _draw(path: Path, cells: dict[str, dict[Key, Cell]]) -> None:
    kinds = list(dict.fromkeys(kind for kind, _, _ in cells["perfect"]))
    with figure(path, 1, 2, (9.0, 3.8)) as (left, right):
        for place, kind in enumerate(kinds):
            for variant, found in cells.items():
                shown = [cell for key, cell in found.items() if key[0] == kind and cell.lis > LEAST]
                above = [cell.ais / cell.lis for cell in shown]
                look: dict[str, Any] = {"color": COLOURS[place], "label": f"{kind}, {variant}"}
                if variant != "perfect":
                    look["markerfacecolor"] = "white"
                left.plot([100 * cell.thinned for cell in shown], above, MARKERS[place], **look)
                right.plot([100 * cell.coverage for cell in shown], above, MARKERS[place], **look)
        for axes in (left, right):
            axes.axhline(1, color=GREY, linewidth=1)
            axes.set_yscale("log")
            axes.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
            axes.set_ylabel("adjusted AIS / adjusted LIS")
        where = ("axes fraction", "data")
        left.annotate("below: LIS bounds", (0.98, 0.97), xycoords=where, ha="right", va="top", color=GREY)
        left.set_xlabel("lost when half of the pairs are taken away (% of LIS)")
        right.set_xlabel("coverage (% of samples with a true pair)")
        left.legend(title="world and variant")
