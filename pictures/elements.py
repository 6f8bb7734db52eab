"""Parts of an SVG."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final
from xml.sax.saxutils import escape

INK: Final = "#24292e"
QUIET: Final = "#5b6470"
FAINT: Final = "#e7e9ec"
LETTER: Final = 0.6
"""Width of a letter of a wide font, of its size: keeps texts apart."""
CUT: Final = 0.54
"""Of a usual font: where a text is cut."""


def text(
    x: float,
    y: float,
    words: str,
    size: float = 11,
    colour: str = INK,
    *,
    weight: int = 400,
    anchor: str = "start",
    room: float | None = None,
) -> str:
    """Return a line of text, cut where it is wider than `room` px."""
    wide = size * CUT * (1.12 if weight > 400 else 1)
    most = None if room is None else max(1, int(room / wide))
    if most is not None and len(words) > most:
        words = f"{words[: most - 1].rstrip()}\N{HORIZONTAL ELLIPSIS}"
    how = f'font-size="{size:g}" fill="{colour}"'
    how += f' font-weight="{weight}"' if weight != 400 else ""
    how += f' text-anchor="{anchor}"' if anchor != "start" else ""
    return f'<text x="{x:.1f}" y="{y:.1f}" {how}>{escape(words)}</text>'


def polyline(points: Iterable[tuple[float, float]], colour: str) -> str:
    """Return a line."""
    return f'<polyline points="{_pairs(points)}" fill="none" stroke="{colour}" stroke-width="1.6"/>'


def area(points: Iterable[tuple[float, float]], colour: str) -> str:
    """Return a closed area, see-through."""
    return f'<polygon points="{_pairs(points)}" fill="{colour}" fill-opacity=".2"/>'


def rule(x1: float, y1: float, x2: float, y2: float) -> str:
    """Return a thin line of a grid."""
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{FAINT}"/>'


def box(x: float, y: float, width: float, height: float, colour: str) -> str:
    """Return a filled rectangle."""
    return f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" fill="{colour}"/>'


def width_of(words: str, size: float) -> float:
    """Return about how wide a text is, px."""
    return len(words) * size * LETTER


def _pairs(points: Iterable[tuple[float, float]]) -> str:
    return " ".join(f"{round(x, 1):g},{round(y, 1):g}" for x, y in points)
