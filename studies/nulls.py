"""Are the nulls null? Where there is nothing to find, how often does an interval claim something?"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from studies.cells import cells
from studies.coverage import coverage, interval_of_share
from studies.run import results
from studies.section import Section, table

NUMBERS = ("adjusted_lis", "adjusted_ais", "placebo")


def section(runs: Path, figures: Path) -> Section | None:
    """Return how often 0 was excluded in the cells without preference."""
    found = [(cell, results(runs, cell)) for cell in cells() if cell.null]
    found = [(cell, worlds) for cell, worlds in found if len(worlds) > 2]
    if not found:
        return None
    rows, total = [], dict.fromkeys((*NUMBERS, "twin"), (0, 0))
    for cell, worlds in found:
        counts = {number: _excluded(worlds, number) for number in (*NUMBERS, "twin")}
        total = {number: (total[number][0] + k, total[number][1] + n) for number, (k, n) in counts.items()}
        rows.append([cell.name, cell.world.items, *(_share(*counts[number]) for number in counts)])
    rows.append(["all", "", *(_share(*total[number]) for number in total)])
    text = (
        "Worlds whose pairs are any two items and whose vectors are noise. Nothing is to be found, so the interval of "
        "adjusted LIS, adjusted AIS and of the twin's difference should exclude 0 in 5 % of the worlds. The placebo "
        "less the unleaked ranker is slightly below 0 by construction (features without meaning cost a little).\n\n"
        + table(["cell", "items", "adjusted LIS", "adjusted AIS", "placebo", "twin"], rows)
    )
    facts = {
        number: {"excluded": k, "worlds": n, "share": round(k / n, 4), "interval": interval_of_share(k, n)}
        for number, (k, n) in total.items()
        if n
    }
    return Section("Are the nulls null?", text, {"nulls": facts})


def _excluded(worlds: list[dict[str, Any]], number: str) -> tuple[int, int]:
    if number != "twin":
        found = coverage(worlds, number)
        return found.excluding_zero, found.worlds
    kept = [world["summary"]["twin"] for world in worlds if world["summary"]["twin"].get("lower") is not None]
    return sum(not twin["lower"] <= 0 <= twin["upper"] for twin in kept), len(kept)


def _share(excluded: int, of: int) -> str:
    if not of:
        return "refused"
    low, high = interval_of_share(excluded, of)
    return f"{excluded} of {of}: {excluded / of:.1%} ({low:.1%} to {high:.1%})"
