"""`python -m studies.run`: the worlds of the cells, several at a time; what has been run is not run again."""

from __future__ import annotations

import argparse
import json
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from studies.cells import Cell, cells
from studies.tasks import Task, run_tasks
from studies.world_run import run_world

FOLDER = "cells"


def main() -> None:
    """Run what is missing of the cells that match."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=Path, default=Path("run/study"), help="where results are kept")
    parser.add_argument("--cells", default="*", help="only cells that match, such as 'feed-*'")
    parser.add_argument("--scale", type=float, default=1.0, help="share of each cell's replicates to run")
    parser.add_argument("--jobs", type=int, default=2, help="processes at a time")
    options = parser.parse_args()
    run_cells(options.runs, options.jobs, options.scale, options.cells)


def run_cells(runs: Path, jobs: int, scale: float, pattern: str = "*") -> None:
    """Run the worlds that have no result yet, round by round, so that an early stop leaves all cells alike."""
    rounds = sorted(
        ((replicate + 0.5) / cell.replicates, cell.name, replicate)
        for cell in cells()
        if fnmatch(cell.name, pattern)
        for replicate in range(cell.replicates)
    )
    wanted = [(name, replicate) for share, name, replicate in rounds if share <= scale]
    tasks = {f"{name}/{replicate}": Task(run_world, (name, replicate)) for name, replicate in wanted}
    run_tasks(runs / FOLDER, tasks, jobs)


def results(runs: Path, cell: Cell) -> list[dict[str, Any]]:
    """Return a cell's results, by replicate."""
    paths = sorted((runs / FOLDER / cell.name).glob("*.json"), key=lambda path: int(path.stem))
    return [json.loads(path.read_text()) for path in paths]


if __name__ == "__main__":
    main()
