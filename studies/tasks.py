"""Runs of a study, several at a time; what has been run is not run again.

Each result is one JSON file, FOLDER/NAME.json, written whole or not at all; a name may have folders.
"""

from __future__ import annotations

import json
import multiprocessing
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple


class Task(NamedTuple):
    """A function of a module and its arguments; it returns JSON-able data."""

    function: Callable[..., dict[str, Any]]
    arguments: tuple[Any, ...]


def run_tasks(folder: Path, tasks: Mapping[str, Task], jobs: int) -> None:
    """Run the tasks that have no result yet, in their order. jobs: processes at a time; 1 stays in this one."""
    waiting = [(folder / f"{name}.json", task) for name, task in tasks.items()]
    waiting = [(path, task) for path, task in waiting if not path.exists()]
    if not waiting:
        return
    if jobs == 1:
        for one in waiting:
            _run(one)
        return
    with multiprocessing.get_context("spawn").Pool(jobs, initializer=_one_thread) as pool:
        for done, name in enumerate(pool.imap_unordered(_run, waiting), start=1):
            print(f"{folder.name}: {done} of {len(waiting)}: {name}", flush=True)  # noqa: T201 - a program's progress


def results(folder: Path) -> dict[str, dict[str, Any]]:
    """Return every result by name, in the names' order; none where the folder is not there."""
    return {path.stem: json.loads(path.read_text()) for path in sorted(folder.glob("*.json"))}


def _one_thread() -> None:
    import torch

    torch.set_num_threads(1)


def _run(task: tuple[Path, Task]) -> str:
    path, (function, arguments) = task
    text = json.dumps(function(*arguments), allow_nan=False)
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(".unfinished")
    unfinished.write_text(text)
    unfinished.rename(path)
    return f"{path.parent.name}/{path.stem}"
