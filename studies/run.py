"""`python -m studies.run`: the worlds of the cells, several at a time; what has been run is not run again.

Each result is one JSON file, RUNS/CELL/REPLICATE.json, written whole or not at all.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from studies.cells import Cell, cells


def main() -> None:
    """Run what is missing of the cells that match."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=Path, default=Path("run/study"), help="where results are kept")
    parser.add_argument("--cells", default="*", help="only cells that match, such as 'feed-*'")
    parser.add_argument("--share", type=float, default=1.0, help="share of each cell's replicates to run")
    parser.add_argument("--jobs", type=int, default=2, help="processes at a time")
    options = parser.parse_args()
    run(options.runs, options.cells, options.share, options.jobs)


def run(runs: Path, pattern: str, share: float, jobs: int) -> None:
    """Run the worlds that have no result yet, round by round, so that an early stop leaves all cells alike."""
    waiting = list(_missing(runs, [cell for cell in cells() if fnmatch(cell.name, pattern)], share))
    context = multiprocessing.get_context("spawn")
    with context.Pool(jobs) as pool:
        for done, name in enumerate(pool.imap_unordered(_run_one, waiting), start=1):
            print(f"{done} of {len(waiting)}: {name}", flush=True)  # noqa: T201 - a program's progress


def results(runs: Path, cell: Cell) -> list[dict[str, Any]]:
    """Return a cell's results, by replicate."""
    paths = sorted((runs / cell.name).glob("*.json"), key=lambda path: int(path.stem))
    return [json.loads(path.read_text()) for path in paths]


def _missing(runs: Path, wanted: list[Cell], share: float) -> Iterator[tuple[Path, str, int]]:
    order = [
        ((replicate + 0.5) / cell.replicates, cell.name, replicate)
        for cell in wanted
        for replicate in range(cell.replicates)
        if (replicate + 0.5) / cell.replicates <= share
    ]
    for _, name, replicate in sorted(order):
        path = runs / name / f"{replicate}.json"
        if not path.exists():
            yield path, name, replicate


def _run_one(task: tuple[Path, str, int]) -> str:
    import torch

    from studies.world_run import run_world

    torch.set_num_threads(1)
    path, name, replicate = task
    cell = next(cell for cell in cells() if cell.name == name)
    result = run_world(cell, replicate)
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(".unfinished")
    unfinished.write_text(json.dumps(result, allow_nan=False))
    unfinished.rename(path)
    return f"{name}/{replicate}, {result['cpu_seconds']:.1f} s"


if __name__ == "__main__":
    main()
