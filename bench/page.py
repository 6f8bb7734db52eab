"""The results of a run: `bench/results/latest.json`, and the table in `docs/performance.md`.

The page's prose is written by hand; what stands between its two marks is written anew by each run.
"""

from __future__ import annotations

import json
import platform
from collections.abc import Iterable
from importlib.metadata import version
from pathlib import Path

from bench.measured import Measured
from lis_online.team import cores

RESULTS = Path("bench/results/latest.json")
PAGE = Path("docs/performance.md")
BEGIN = "<!-- measured: written by `make bench` -->"
END = "<!-- measured: end -->"
MEASURED_WITH = ("torch", "numpy", "river", "scikit-learn", "faust-streaming")


def encode(rows: Iterable[Measured]) -> str:
    """Return the rows as JSON: name, ratio, goal (null: a fact to state), better and detail of each."""
    tables = [
        {"name": r.name, "ratio": float(f"{r.ratio:.4g}"), "goal": r.goal, "better": r.better, "detail": r.detail}
        for r in rows
    ]
    return json.dumps(tables, indent=2, ensure_ascii=False) + "\n"


def decode(text: str) -> list[Measured]:
    """Return the rows of `encode`."""
    return [Measured(**table) for table in json.loads(text)]


def updated(before: Iterable[Measured], rows: Iterable[Measured]) -> list[Measured]:
    """Return the rows of before, each in its place and with its new measurement where there is one; new ones last."""
    return list(({row.name: row for row in before} | {row.name: row for row in rows}).values())


def verdict(row: Measured) -> str:
    """Return what a row says of its goal.

    >>> verdict(Measured("a", 0.4, 0.5, "higher", "")), verdict(Measured("a", 0.4, None, "higher", ""))
    ('missed', 'a fact')
    """
    if row.goal is None:
        return "a fact"
    return "reached" if row.holds else "missed"


def number(value: float) -> str:
    """Return a ratio or a goal in three digits.

    >>> number(0.51234), number(20), number(12_345.6)
    ('0.512', '20', '12,300')
    """
    return f"{float(f'{value:.3g}'):,.10g}"


def goal(row: Measured) -> str:
    """Return a row's goal in words, nothing where there is none.

    >>> goal(Measured("a", 1.0, 1.6, "lower", ""))
    'at most 1.6'
    """
    if row.goal is None:
        return ""
    return f"{'at least' if row.better == 'higher' else 'at most'} {number(row.goal)}"


def environment() -> str:
    """Return what was measured on, in a sentence without names of machines.

    Python, cores, model of the processor, versions of the libraries.
    """
    libraries = ", ".join(f"{name} {version(name)}" for name in MEASURED_WITH)
    used = cores()
    machine = f"{used} {'core' if used == 1 else 'cores'} of {_processor()}"
    return f"{machine}, Python {platform.python_version()}, {libraries}."


def table(rows: Iterable[Measured], measured_on: str) -> str:
    """Return the generated part of the page: what was measured on, and a line for each row."""
    lines = [measured_on, "", "| what | ratio | goal | | how |", "| --- | ---: | --- | --- | --- |"]
    lines += [f"| {r.name} | {number(r.ratio)} | {goal(r)} | {verdict(r)} | {r.detail} |" for r in rows]
    return "\n".join(lines)


def replaced(page: str, block: str) -> str:
    """Return the page with a block between its marks. Raises ValueError where a mark is missing."""
    for mark in (BEGIN, END):
        if page.count(mark) != 1:
            raise ValueError(f"{PAGE} must hold {mark!r} once, got {page.count(mark)}")
    before, _, rest = page.partition(BEGIN)
    after = rest.partition(END)[2]
    return f"{before}{BEGIN}\n\n{block}\n\n{END}{after}"


def _processor() -> str:
    """Return the model of the processor, its architecture where the system does not tell."""
    information = Path("/proc/cpuinfo")
    lines = information.read_text(encoding="utf-8").splitlines() if information.exists() else []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return models[0] if models else platform.machine()
