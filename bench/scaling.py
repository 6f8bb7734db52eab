"""How the cost of a slate grows with all that can grow: `make scaling`, or `python -m bench.scaling --scale 0.2`.

Each point is a process of its own, forked from this one (`bench.scaling_point`). An axis is measured with the base
on it, by turns, and the least of the turns is taken: a cost is held against the base of the same minutes. Writes
docs/scaling.json, docs/scaling.md, the coefficients of `lis-online capacity` and the page that is made with them.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from dataclasses import asdict
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Final

from bench.scaling_fit import coefficients, module
from bench.scaling_limits import breaks
from bench.scaling_page import page
from bench.scaling_point import Point, measure, varied

AXES: Final[dict[str, tuple[float, ...]]] = {
    "partitions": (1, 2, 4, 8, 16),
    "variants": (1, 2, 4, 8, 16),
    "dimension": (64, 128, 256, 1024, 4096),
    "slate": (5, 10, 20, 50, 100, 200),
    "history": (10, 20, 50, 100, 200),
    "items": (1_000, 2_000, 10_000, 50_000),
    "clicks": (0.05, 0.2, 1.0, 4.0),
}
"""What is measured; the base's own value is among each axis's. Below full scale the ends and the base alone are."""

BUCKETS: Final = 6
"""Buckets that a point is measured over at full scale."""

TURNS: Final = 2
"""Times that an axis is gone along at full scale."""

DOCS: Final = Path("docs")
COEFFICIENTS: Final = Path("lis_online/capacity_coefficients.py")


def measured(point: Point, buckets: int) -> dict[str, Any]:
    """Return what a point costs, from a process of its own: memory is that of the point alone."""
    with get_context("fork").Pool(1) as one:
        return one.apply(measure, (point, buckets))


def least(turns: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the least of each figure: what other work on the machine adds is never negative."""
    return {name: min(turn[name] for turn in turns) for name in turns[0]}


def sweep(base: Point, axis: str, buckets: int, turns: int) -> list[dict[str, Any]]:
    """Return the points of an axis: its value, the figures, and costs over those of the base."""
    values = AXES[axis] if turns > 1 else sorted({AXES[axis][0], asdict(base)[axis], AXES[axis][-1]})
    points = [varied(base, axis, value) for value in values]
    seen: list[list[dict[str, Any]]] = [[] for _ in points]
    for _ in range(turns):
        for point, figures in zip(points, seen, strict=True):
            figures.append(measured(point, buckets))
    found = [least(figures) for figures in seen]
    at_base = found[points.index(base)]
    return [
        {"value": value, **figures, "ratio": {name: figures[name] / at_base[name] for name in RATIOS}}
        for value, figures in zip(values, found, strict=True)
    ]


RATIOS: Final = ("join_s", "rank_s", "publish_s", "log_bytes", "bucket_bytes", "rank_checkpoint_bytes")
"""Figures that are also told over the base's."""


def run(scale: float, axes: list[str]) -> dict[str, Any]:
    """Return everything that was measured; axes: those to go along."""
    buckets, turns = max(2, round(BUCKETS * scale)), TURNS if scale >= 1 else 1
    base = Point(rate=round(Point.rate * min(scale, 1)))
    found: dict[str, Any] = {"base": asdict(base), "scale": scale, "buckets": buckets, "turns": turns, "axes": {}}
    for axis in axes:
        sys.stderr.write(f"{axis} ...\n")
        found["axes"][axis] = sweep(base, axis, buckets, turns)
    return found | {"breaks": breaks()}


def rounded(value: Any) -> Any:
    """Return JSON-able data with four digits of each float."""
    if isinstance(value, dict):
        return {name: rounded(one) for name, one in value.items()}
    if isinstance(value, list):
        return [rounded(one) for one in value]
    return float(f"{value:.4g}") if isinstance(value, float) else value


def write(found: dict[str, Any]) -> None:
    """Write what was measured, the pages and the coefficients."""
    fitted = coefficients(found)
    (DOCS / "scaling.json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    (DOCS / "scaling.md").write_text(page(found, fitted), encoding="utf-8")
    COEFFICIENTS.write_text(module(fitted), encoding="utf-8")
    command = [sys.executable, "-m", "bench.capacity_page"]
    capacity = subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True).stdout
    (DOCS / "capacity.md").write_text(capacity, encoding="utf-8")


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scale", type=float, default=1.0, help="1 takes about 10 minutes; less is for trying")
    parser.add_argument("--axis", action="append", choices=AXES, help="only these axes; nothing is written then")
    parser.add_argument("--again", action="store_true", help="measure nothing, write the pages from docs/scaling.json")
    given = parser.parse_args()
    if given.again:
        write(json.loads((DOCS / "scaling.json").read_text(encoding="utf-8")))
        return
    found = rounded(run(given.scale, given.axis or list(AXES)))
    if given.axis:
        sys.stdout.write(json.dumps(found, indent=1) + "\n")
    else:
        write(found)


if __name__ == "__main__":
    main()
