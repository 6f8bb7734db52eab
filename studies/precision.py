"""How precise are the numbers? The paired design against an unpaired one, and the samples that 0.0005 needs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from lis_online.metrics.estimate import RESOLUTION
from studies.cells import cells
from studies.coverage import refused
from studies.rules import CONTRASTS, Deletions
from studies.run import results
from studies.section import Section, table

KINDS = {number: pair for number, pair in CONTRASTS.items() if number != "twin"}


def section(runs: Path, figures: Path) -> Section | None:
    """Return standard errors by cell, paired and unpaired, and the samples to resolve 0.0005."""
    found = [(cell, results(runs, cell)) for cell in cells() if cell.size == "large"]
    found = [(cell, worlds) for cell, worlds in found if len(worlds) > 2]
    if not found:
        return None
    rows, gains = [], []
    for cell, worlds in found:
        for number in KINDS:
            paired, unpaired, samples = _errors(worlds, number)
            gain = (unpaired / paired) ** 2
            gains.append(gain)
            needed = samples * (2 * paired / RESOLUTION) ** 2
            rows.append(
                [
                    cell.name,
                    f"`{number}`",
                    f"{samples:,.0f}",
                    f"{paired:.5f}",
                    f"{unpaired:.5f}",
                    f"{gain:.0f}",
                    f"{needed:.2g}",
                ]
            )
    header = ["cell", "number", "samples", "paired", "unpaired", "fewer samples by", "samples to resolve 0.0005"]
    text = (
        "All rankers see the same samples. The alternative, one half of the traffic for each of two rankers, has the "
        "variance of two independent AUCs on half the samples each. Standard errors are root mean squares over the "
        "large worlds; 0.0005 is resolved where it is two standard errors. These worlds are small and their effects "
        "large: a variance per sample in production is that of close rankers, nearer the cells without preference.\n\n"
        + table(header, rows)
        + f"\n\nThe paired design needs {min(gains):.0f} to {max(gains):.0f} times fewer samples."
    )
    return Section("How precise?", text, {"paired_gain": [round(min(gains), 1), round(max(gains), 1)]})


def _errors(worlds: list[dict[str, Any]], number: str) -> tuple[float, float, float]:
    """Return the paired and the unpaired standard error and the mean number of samples."""
    first, second = KINDS[number]
    kept = [world for world in worlds if not refused(world, "ais")]
    deletions = [Deletions(world["levels"]) for world in kept]
    paired = np.mean([max(one.variances(number)) for one in deletions])
    unpaired = np.mean([2 * (one.level_variance(first) + one.level_variance(second)) for one in deletions])
    samples = np.mean([world["summary"]["samples"] for world in kept])
    return float(np.sqrt(paired)), float(np.sqrt(unpaired)), float(samples)
