"""Does the diagnosis say what the world deserves? A confusion matrix over worlds built for each label."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

from lis_online.metrics.diagnosis import DIAGNOSES, INSUFFICIENT
from studies.cells import Cell, cells
from studies.run import results
from studies.section import Section, table


def section(runs: Path, figures: Path) -> Section | None:
    """Return the confusion matrix of the cells that were built for a label."""
    found = [(cell, results(runs, cell)) for cell in cells() if cell.deserves is not None]
    found = [(cell, worlds) for cell, worlds in found if worlds]
    if not found:
        return None
    matrix = {label: Counter[str]() for label in DIAGNOSES}
    for cell, worlds in found:
        matrix[cell.deserves or ""].update(_label(world) for world in worlds)
    passed = {label: row.total() - row[INSUFFICIENT] for label, row in matrix.items() if label != INSUFFICIENT}
    wrong = sum(row.total() - row[INSUFFICIENT] - row[label] for label, row in matrix.items() if label != INSUFFICIENT)
    answered = sum(passed.values())
    never = matrix[INSUFFICIENT]
    rows = [
        [f"`{label}`", *(row[column] or "" for column in DIAGNOSES)] for label, row in matrix.items() if row.total()
    ]
    text = (
        "Each cell was built to deserve one label. Rows: what the world deserves; columns: what was said. "
        "`insufficient_data` is no wrong answer, but none yet.\n\n"
        + table(["deserves", *(f"`{label}`" for label in DIAGNOSES)], rows)
        + f"\n\nOf {answered} worlds that were answered, {wrong} were answered wrongly"
        + (f" ({wrong / answered:.1%})." if answered else ".")
        + (
            f" Of {never.total()} worlds with too few users, {never[INSUFFICIENT]} were refused."
            if never.total()
            else ""
        )
        + "\n\n"
        + _by_cell(found)
    )
    facts = {"diagnosis_error": round(wrong / answered, 4) if answered else None, "diagnosis_worlds": answered}
    return Section("Is the diagnosis right?", text, facts)


def _label(world: dict[str, Any]) -> str:
    (variant,) = world["summary"]["variants"].values()
    return str(variant["diagnosis"])


def _by_cell(found: list[tuple[Cell, list[dict[str, Any]]]]) -> str:
    rows = []
    for cell, worlds in found:
        said = Counter(_label(world) for world in worlds)
        wrong = sum(n for label, n in said.items() if label not in (cell.deserves, INSUFFICIENT))
        rows.append([cell.name, f"`{cell.deserves}`", len(worlds), said[str(cell.deserves)], said[INSUFFICIENT], wrong])
    return table(["cell", "deserves", "worlds", "said so", "insufficient", "wrong"], rows)
