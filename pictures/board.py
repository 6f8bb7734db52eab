"""A dashboard drawn from its own JSON: the grid, the titles, what its queries answered. Grafana draws it otherwise."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final
from xml.sax.saxutils import escape

from pictures.answers import Shown
from pictures.bodies import BODIES
from pictures.elements import QUIET, text

COLUMN: Final = 52
"""Pixels of a column of the grid; it has 24."""
LINE: Final = 30
GAP: Final = 8
HEAD: Final = 44


def draw(title: str, panels: Iterable[Shown]) -> str:
    """Return an SVG."""
    panels = list(panels)
    width = 24 * COLUMN + GAP
    height = HEAD + LINE * max(one.at[1] + one.at[3] for one in panels) + GAP
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        f'font-family="Inter, Helvetica, Arial, sans-serif" role="img">',
        f"<title>{escape(title)}, drawn from its JSON and its queries' answers</title>",
        f'<rect width="{width}" height="{height}" fill="#f4f5f5"/>',
        text(GAP + 4, 28, title, 18, weight=600),
    ]
    for one in panels:
        parts += _panel(one)
    return "\n".join([*parts, "</svg>\n"])


def _panel(one: Shown) -> Iterator[str]:
    x, y = GAP + one.at[0] * COLUMN, HEAD + one.at[1] * LINE
    width, height = one.at[2] * COLUMN - GAP, one.at[3] * LINE - GAP
    if one.panel["type"] == "row":
        yield text(x + 4, y + 18, f"\N{BLACK DOWN-POINTING SMALL TRIANGLE} {one.title}", 14, weight=600)
        return
    yield f'<svg x="{x}" y="{y}" width="{width}" height="{height}">'
    yield f'<rect x=".5" y=".5" width="{width - 1}" height="{height - 1}" rx="3" fill="#fff" stroke="#dfe1e5"/>'
    yield text(8, 18, one.title, 12, weight=600, room=width - 16)
    if one.lines or one.rows:
        yield from BODIES[one.panel["type"]](one, width, height)
    else:
        nothing = one.panel["fieldConfig"]["defaults"]["noValue"]
        yield text(width / 2, height / 2 + 10, nothing, 12, QUIET, anchor="middle", room=width - 16)
    yield "</svg>"
