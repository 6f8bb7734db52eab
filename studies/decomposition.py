"""Where does LIS come from? Past, future and placebo by how much of its pairs a source publishes."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from studies import bound
from studies.figures import COLOURS, MARKERS, figure, link, zero_line
from studies.resample import mean, mean_interval
from studies.section import Section
from studies.tasks import results

SHOWN: Final = {
    "adjusted_lis": "adjusted LIS: leaked - placebo",
    "past": "past - unleaked",
    "future": "future: leaked - past",
    "placebo": "placebo - unleaked",
}


def section(runs: Path, figures: Path) -> Section | None:
    """Return the decomposition over the worlds of `bound`, None where there are none."""
    found = list(results(runs / bound.NAME).values())
    if not found:
        return None
    kinds = sorted({world["kind"] for world in found})
    path = figures / "decomposition.svg"
    _draw(path, kinds, found)
    share = _share_of_past(found)
    lowest, highest = _placebos(kinds, found)
    text = f"""\
LIS is what past pairs give (`past`: a plain item-to-item table) and what more and later pairs add (`future`). The same
{len(found)} worlds as below, by the share of its pairs that a source publishes; coverage is the share of samples with a
pair between candidate and history.

{link(path, "Adjusted LIS, past, future and placebo, and coverage, by the share of pairs published")}

Where all pairs are published, the past alone gives {share:.0%} of LIS (mean over the worlds): in these worlds what goes
together changes slowly, and a horizon is short beside the memory. The placebo's mean at each share lies between
{lowest:+.4f} and {highest:+.4f}: above 0 it is items in fashion, which pairs of the future tell (the shop has bursts).

Where it fails: nothing here moves fast. In a feed whose items live for minutes the future's part is larger, and none
of these worlds shows how much.
"""
    return Section("Where does LIS come from?", text, {"past_share_of_lis": round(share, 4)})


def _share_of_past(found: list[dict[str, Any]]) -> float:
    whole = [max(world["sources"].items(), key=lambda item: float(item[0]))[1] for world in found]
    return sum(source["past"][0] for source in whole) / sum(source["lis"][0] for source in whole)


def _placebos(kinds: list[str], found: list[dict[str, Any]]) -> tuple[float, float]:
    """Return the lowest and the highest mean of the placebo at one share in worlds of one kind."""
    means = [
        mean([world["sources"][share]["placebo"][0] for world in found if world["kind"] == kind])
        for kind in kinds
        for share in found[0]["sources"]
    ]
    return min(means), max(means)


def _draw(path: Path, kinds: list[str], found: list[dict[str, Any]]) -> None:
    with figure(path, 2, len(kinds), (7.2, 5.6)) as every:
        for column, kind in enumerate(kinds):
            worlds = [world for world in found if world["kind"] == kind]
            shares = sorted(worlds[0]["sources"], key=float)
            upper, lower = every[column], every[len(kinds) + column]
            for k, (number, label) in enumerate(SHOWN.items()):
                points = [mean_interval([world["sources"][s][number][0] for world in worlds]) for s in shares]
                middle = [point.value for point in points]
                bars = [[p.value - p.lower for p in points], [p.upper - p.value for p in points]]
                style = {"color": COLOURS[k], "marker": MARKERS[k], "label": label}
                upper.errorbar([float(s) for s in shares], middle, yerr=bars, **style)
            zero_line(upper)
            covered = [mean_interval([world["sources"][s]["coverage"] for world in worlds]).value for s in shares]
            lower.plot([float(s) for s in shares], covered, color=COLOURS[0], marker=MARKERS[0])
            upper.set_title(f"{kind}, {len(worlds)} worlds")
            lower.set_xlabel("share of its pairs that the source publishes")
            for axes in (upper, lower):
                axes.set_xscale("log")
        every[0].set_ylabel("difference of AUC (95 %)")
        every[len(kinds)].set_ylabel("coverage, share of samples")
        every[0].legend()
