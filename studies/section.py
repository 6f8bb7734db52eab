"""A section of a study's page: what was asked, how, what came out, where it fails."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Section:
    """A title, its text, and the figures of the study that a program may want: `facts`, JSON-able."""

    title: str
    markdown: str
    facts: dict[str, Any] = field(default_factory=dict)


def table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return a table in Markdown; the first column to the left, the others to the right.

    >>> print(table(["cell", "worlds"], [["small", 10]]))
    | cell | worlds |
    | --- | ---: |
    | small | 10 |
    """
    rule = ["---"] + ["---:"] * (len(header) - 1)
    lines = [header, rule, *([str(cell) for cell in row] for row in rows)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def percent(value: float | None) -> str:
    """Return a share in per cent.

    >>> percent(0.0125), percent(None)
    ('1.2 %', 'too few runs')
    """
    return "too few runs" if value is None else f"{100 * value:.1f} %"
