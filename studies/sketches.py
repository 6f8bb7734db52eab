"""What hash collisions do to pair sketches: `python -m studies.sketches --out docs/sketches.md`.

A table of fixed size is filled with distinct random pairs; pairs that are in it and pairs that never were are looked
up, and the answers compared with a dictionary's.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Final

import numpy as np
import torch

from lis_online.preference.leak import Leak
from lis_online.preference.lookup import ROWS
from lis_online.preference.sketch import Sketch, pair_slot

BITS: Final = 18
"""Of the slots of all rows together. Only the load matters: a table of 2**22 slots behaves the same."""
LOADS: Final = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)
"""Distinct pairs over slots."""
LOOKUPS: Final = 200_000


def measured(load: float, rows: int, seed: int) -> tuple[float, float, float, float]:
    """Return (false cover, false cover as expected from occupancy, over-count of known pairs, share of them exact).

    False cover: the share of unknown pairs that look known. Over-count: mean weight above the true one, of pairs of
    true weight 1.
    """
    rng = np.random.default_rng(seed)
    bits = BITS - (rows - 1).bit_length()
    count = int(load * (1 << BITS))
    first, second = (torch.from_numpy(x) for x in rng.integers(-(2**62), 2**62, (2, count)))
    sketch = Sketch(Leak(1_000, 32_000, 2), bits, torch.device("cpu"), rows=rows)
    one = torch.ones(count, dtype=torch.int64)
    for row in range(rows):
        sketch.update(one, (row << bits) + pair_slot(first, second, bits, row), one, one)
    sketch.advance(2)
    known = weights(sketch, first, second, bits, rows)
    one_side, other_side = (torch.from_numpy(x) for x in rng.integers(-(2**62), 2**62, (2, LOOKUPS)))
    unknown = weights(sketch, one_side, other_side, bits, rows)
    expected = float(sketch.occupancy().prod())
    return float((unknown > 0).mean()), expected, float((known - 1).mean()), float((known == 1).mean())


def weights(sketch: Sketch, first: torch.Tensor, second: torch.Tensor, bits: int, rows: int) -> np.ndarray:
    """Return the past weight of pairs: the least over the rows."""
    slots = torch.stack([(row << bits) + pair_slot(first, second, bits, row) for row in range(rows)])
    counts: np.ndarray = sketch.preceding(slots, torch.full((1,), 2)).amin(0)[:, 0].numpy()
    return counts


def page(seed: int) -> str:
    """Return the page as Markdown."""
    lines = [
        "# Collisions in pair sketches",
        "",
        "Made by `python -m studies.sketches`. *Load*: distinct pairs over the slots of all rows. *False cover*: share",
        "of unknown pairs that look known, in brackets what the occupancy of the table says, taken off coverage",
        "(`collision_share`). *Over-count*: weight above the true one, mean over pairs of weight 1. *Exact*: share of",
        f"known pairs whose weight is the true one. {ROWS} rows are what is used; one row is shown for comparison.",
        "",
        f"| load | false cover, {ROWS} rows | over-count | exact | false cover, 1 row | over-count | exact |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for load in LOADS:
        cells = [f"{load:.0%}"]
        for rows in (ROWS, 1):
            false, expected, over, exact = measured(load, rows, seed)
            cells += [f"{false:.3%} ({expected:.3%})", f"{over:.4f}", f"{exact:.1%}"]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def main() -> None:
    """Run the study."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path("docs/sketches.md"))
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    arguments.out.write_text(page(arguments.seed), encoding="utf-8")


if __name__ == "__main__":
    main()
