"""Where panels stand: lines from left to right, 24 columns wide, under headings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any, Final

from grafana_foundation_sdk.builders import dashboard
from grafana_foundation_sdk.models.dashboard import GridPos

WIDTH: Final = 24
"""Columns of Grafana's grid."""


@dataclass(frozen=True, slots=True)
class Line:
    """Panels beside each other. height: in Grafana's rows of 30 pixels; panels: each with its width in columns."""

    height: int
    panels: Sequence[tuple[Any, int]]


@dataclass(frozen=True, slots=True)
class Section:
    """A heading and the lines under it. repeat: a variable, for each of whose values the section is drawn once."""

    title: str
    lines: Sequence[Line]
    repeat: str | None = None


def place(board: dashboard.Dashboard, sections: Sequence[Section]) -> dashboard.Dashboard:
    """Put the sections onto a dashboard, one below the other, with ids from 1. Raises ValueError on a line's width."""
    ids, y = count(1), 0
    for section in sections:
        heading = dashboard.Row(section.title).id(next(ids)).grid_pos(GridPos(1, WIDTH, 0, y))
        board = board.with_row(heading if section.repeat is None else heading.repeat(section.repeat))
        y += 1
        for line in section.lines:
            x = 0
            for panel, width in line.panels:
                board = board.with_panel(panel.id(next(ids)).grid_pos(GridPos(line.height, width, x, y)))
                x += width
            if x != WIDTH:
                raise ValueError(f"a line of {section.title!r} must be {WIDTH} columns wide, got {x}")
            y += line.height
    return board
