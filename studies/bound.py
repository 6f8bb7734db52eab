"""What tells whether LIS bounds a variant: does it still grow with density, or is there something better?"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
from scipy.stats import rankdata

from lis_online.simulate.parameters import VariantParameters
from studies.figures import COLOURS, GREY, MARKERS, figure, link
from studies.resample import Interval, bootstrap
from studies.section import Section, table
from studies.small import KINDS, estimates, play, tables_of, with_sources
from studies.tasks import Task, results, run_tasks

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
LEAST: Final = 0.002
"""Mean adjusted LIS under which a cell is not drawn: a ratio to it means nothing."""
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


def section(runs: Path, figures: Path) -> Section | None:
    """Return which figures of a source tell whether its LIS bounds a perfect variant."""
    worlds = list(results(runs / NAME).values())
    if len(worlds) < 2:
        return None
    cells = verdicts(worlds)
    kinds = [kind for kind in KINDS if any(world["kind"] == kind for world in worlds)]
    path = figures / "bound.svg"
    _draw(path, cells)
    known = {name: cell for name, cell in cells.items() if cell.known}
    held = sum(bool(cell.bounded) for cell in known.values())
    scored = {name: _separation(worlds, cells, score) for name, score in SCORES.items()}
    rows = [
        [name, scored[name], *(_separation(_of_kind(worlds, kind), cells, score) for kind in kinds),
         _transferred(worlds, cells, score, kinds)]
        for name, score in SCORES.items()
    ]  # fmt: skip
    text = f"""\
LIS says what *this table of pairs* gives; a representation generalises, and beats a thin table. Does "thinning the
source changes LIS little" tell the one case from the other? {len(worlds)} worlds ({", ".join(f"`{k}`" for k in kinds)};
{", ".join(f"{pairs:g}" for pairs in TRAFFIC)} preferred pairs a minute; {SLATES:,} slates after the warm-up), each with
{len(SHARES)} sources that publish {SHARES[0]:.0%} to {SHARES[-1]:.0%} of the pairs and a perfect variant (its vectors
are the contents). The truth of a cell (kind, traffic, share published) is the mean over its worlds of adjusted AIS
of the perfect variant less adjusted LIS: LIS bounds it in {held} of {len(known)} cells, in {len(known) - held} it does
not, and {len(cells) - len(known)} more are within two standard errors of the line and left out below.

{_density_table(cells, kinds)}

{link(path, "AIS of a perfect variant over LIS, against the thinned share of LIS and against coverage")}

Each figure of a single run as a predictor of the truth of its cell. *Separation*: how often a source that does not
bound scores worse than one that does (area under the ROC curve; 0.5 is a coin, intervals over worlds). *Transferred*:
share of sources judged rightly in one kind of world by the threshold that is best in the other, mean of both ways,
each verdict with the same weight.

{table(["predictor", "separation, all", *kinds, "transferred"], rows)}

{_conclusion(scored)}

Where it fails: a source with an LIS near 0 has no meaningful ratio to it (it is counted as thin), so the ratio is
noisiest exactly where the answer matters least. The perfect variant of these worlds knows all that there is to know
of an item; "bounds" here means bounds *any* variant.
"""
    facts = {name: one.facts() for name, one in scored.items()} | {"worlds": len(worlds), "cells_bounded": held}
    return Section("When does LIS bound a variant?", text, {"bound_predictors": facts | {"cells": len(known)}})


Key = tuple[str, float, str]
"""A cell: kind, preferred pairs a minute, share published."""
Score = Callable[[dict[str, Any]], float]


class Cell(NamedTuple):
    """Means over a cell's worlds. bounded: whether the perfect variant's AIS is below LIS, None: too near to say."""

    lis: float
    ais: float
    bound: float
    coverage: float
    bounded: bool | None

    @property
    def known(self) -> bool:
        """Whether there is a verdict."""
        return self.bounded is not None


def verdicts(worlds: list[dict[str, Any]]) -> dict[Key, Cell]:
    """Return each cell's means by (kind, pairs, share)."""
    rows: dict[Key, list[list[float]]] = {}
    for world in worlds:
        for share, source in world["sources"].items():
            ais = _number(world["variants"]["perfect"]["adjusted_ais"])
            row = [_number(source["adjusted_lis"]), ais, _number(source["bound"]), source["coverage"] or 0.0]
            rows.setdefault((world["kind"], world["pairs"], share), []).append(row)
    gaps = {key: np.array([row[1] - row[0] for row in found]) for key, found in rows.items()}
    degrees = sum(len(gap) - 1 for gap in gaps.values())
    deviation = np.sqrt(sum(((gap - gap.mean()) ** 2).sum() for gap in gaps.values()) / degrees) if degrees else np.inf
    cells = {}
    for key, found in rows.items():
        lis, ais, bound, coverage = np.mean(found, axis=0).tolist()
        near = abs(ais - lis) < 2 * deviation / np.sqrt(len(found))
        cells[key] = Cell(lis, ais, bound, coverage, None if near else bool(ais <= lis))
    return cells


def _number(estimate: list[float | None]) -> float:
    return 0.0 if estimate[0] is None else estimate[0]


def thinning(source: dict[str, Any]) -> float:
    """Return the share of adjusted LIS that half of the pairs lose; infinite where there is no LIS to lose."""
    lis = _number(source["adjusted_lis"])
    return _number(source["bound"]) / lis if lis > 0 else np.inf


SCORES: Final[dict[str, Score]] = {
    "thinned share of LIS (`bound` / `adjusted_lis`)": thinning,
    "lost by thinning (`bound`)": lambda source: _number(source["bound"]),
    "`coverage`": lambda source: -(source["coverage"] or 0.0),
    "`adjusted_lis` itself": lambda source: -_number(source["adjusted_lis"]),
    "`future` / `past`": lambda source: (
        _number(source["future"]) / _number(source["past"]) if _number(source["past"]) > 0 else np.inf
    ),
}
"""A source's figure, turned so that a higher one speaks against the bound."""
THINNING: Final = next(iter(SCORES))


def _of_kind(worlds: list[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    return [world for world in worlds if world["kind"] == kind]


Judged = tuple[np.ndarray, np.ndarray]
"""Scores of the sources of known verdict, and whether each is not bounded: [sources] each."""


def _judged(world: dict[str, Any], cells: Mapping[Key, Cell], score: Score) -> Judged:
    known = {share: cell for share in world["sources"] if (cell := cells[world["kind"], world["pairs"], share]).known}
    scores = [score(world["sources"][share]) for share in known]
    return np.array(scores, np.float64), np.array([not cell.bounded for cell in known.values()], bool)


def _together(judged: Sequence[Judged]) -> Judged:
    return np.concatenate([scores for scores, _ in judged]), np.concatenate([beyond for _, beyond in judged])


def separation(scores: np.ndarray, beyond: np.ndarray) -> float:
    """Return how often a score of those beyond is above one of the others, ties one half; NaN where a side is empty.

    >>> separation(np.array([1.0, 2.0, 2.0]), np.array([False, False, True]))
    0.75
    """
    if beyond.all() or not beyond.any():
        return float("nan")
    ranks = rankdata(scores)
    count = int(beyond.sum())
    return float((ranks[beyond].sum() - count * (count + 1) / 2) / (count * (len(scores) - count)))


def _separation(worlds: list[dict[str, Any]], cells: Mapping[Key, Cell], score: Score) -> Interval:
    judged = [_judged(world, cells, score) for world in worlds]
    return bootstrap(judged, lambda drawn: separation(*_together(drawn)))


def _transferred(worlds: list[dict[str, Any]], cells: Mapping[Key, Cell], score: Score, kinds: list[str]) -> str:
    parts = [_together([_judged(world, cells, score) for world in _of_kind(worlds, kind)]) for kind in kinds]
    if len(parts) < 2 or any(beyond.all() or not beyond.any() for _, beyond in parts):
        return "no such verdict in one kind"
    shares = [_balanced(*parts[1 - k], threshold(*parts[k])) for k in (0, 1)]
    return f"{np.mean(shares):.0%}"


def threshold(scores: np.ndarray, beyond: np.ndarray) -> float:
    """Return the score from which on "not bounded" is said most rightly, both verdicts with the same weight."""
    return float(max(np.unique(scores), key=lambda cut: _balanced(scores, beyond, float(cut))))


def _balanced(scores: np.ndarray, beyond: np.ndarray, cut: float) -> float:
    said = scores >= cut
    return float((said[beyond].mean() + (~said[~beyond]).mean()) / 2)


def _conclusion(scored: dict[str, Interval]) -> str:
    best = max(scored, key=lambda name: scored[name].value)
    own = scored[THINNING]
    if own.lower > 0.5:
        verdict = f"The thinned ranker does tell: separation {own}."
    elif own.upper < 0.5:
        verdict = f"The thinned ranker tells the wrong way round here: separation {own}."
    else:
        verdict = f"The thinned ranker does not tell: separation {own}, no better than a coin."
    if best == THINNING:
        return f"{verdict} Nothing else does better."
    apart = scored[best].lower > own.upper
    return (
        f"{verdict} The best of these is {best}: {scored[best]}"
        + (", beyond the errors of the comparison." if apart else ", not beyond the errors of the comparison.")
        + " None is a proof alone: the certain sign is adjusted AIS above adjusted LIS itself, `beyond_preference`."
    )


def _density_table(cells: Mapping[Key, Cell], kinds: list[str]) -> str:
    verdict = {True: "bounds", False: "does not bound", None: "too near to say"}
    rows = [
        [f"{kind}, {pairs:g} a minute", f"{float(share):.0%}", f"{c.coverage:.3f}", f"{c.lis:+.4f}", f"{c.bound:+.4f}",
         f"{c.ais:+.4f}", verdict[c.bounded]]
        for kind in kinds
        for (k, pairs, share), c in sorted(cells.items(), key=lambda item: (item[0][1], float(item[0][2])))
        if k == kind
    ]  # fmt: skip
    head = ["world", "published", "coverage", "adjusted LIS", "bound", "adjusted AIS, perfect", "LIS"]
    return table(head, rows)


def _draw(path: Path, cells: Mapping[Key, Cell]) -> None:
    shown = {key: cell for key, cell in cells.items() if cell.lis > LEAST}
    kinds = list(dict.fromkeys(kind for kind, _, _ in shown))
    with figure(path, 1, 2, (9.0, 3.8)) as (left, right):
        for place, kind in enumerate(kinds):
            found = [cell for (k, _, _), cell in shown.items() if k == kind]
            above = [cell.ais / cell.lis for cell in found]
            left.plot([100 * c.bound / c.lis for c in found], above, MARKERS[place], color=COLOURS[place], label=kind)
            right.plot([100 * c.coverage for c in found], above, MARKERS[place], color=COLOURS[place], label=kind)
        for axes in (left, right):
            axes.axhline(1, color=GREY, linewidth=1)
            axes.set_yscale("log")
            axes.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
            axes.set_ylabel("adjusted AIS of a perfect variant / adjusted LIS")
        left.annotate("LIS bounds below this line", (0.98, 1), xycoords=("axes fraction", "data"), ha="right", va="top",
                      fontsize=8, color=GREY)  # fmt: skip
        left.set_xlabel("lost when half of the pairs are taken away (% of LIS)")
        right.set_xlabel("coverage (% of samples with a true pair)")
        left.legend(title="kind of world")
