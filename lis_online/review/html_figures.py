"""What the page's charts are drawn with: lines, bands, marks, axes, in the page's colours.

Texts and grid take their colours from the page's style; the lines' are seen on light and on dark alike.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any, Final
from zoneinfo import ZoneInfo

from lis_online.review.document import Annotation, DriftEvent, Number, Review

Figure = dict[str, Any]

COLOURS: Final = ("#2f74d0", "#c2620e", "#2b8a5b", "#8a5cc4", "#c8446c", "#13808f")
"""At least 3:1 on the page's white and on its dark ground (WCAG 2.2, 1.4.11); a test computes it."""
DASHES: Final = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")
SYMBOLS: Final = ("circle", "square", "diamond", "triangle-up", "cross", "star")
"""Beside colour: an arm is known by its line and its mark too."""
UNREAD: Final = "#7d848e"
SHOWN: Final = len(COLOURS)
"""Arms drawn at first; further ones are named in the legend and drawn at a click."""
HEIGHT: Final = 320
LONGEST_NAME: Final = 24


def events(review: Review) -> list[tuple[DriftEvent | Annotation, str]]:
    """Return drift and annotations in the order of time, each with the mark that charts show: (what, mark)."""
    found: list[DriftEvent | Annotation] = [*review.drift, *review.annotations]
    return [(one, str(number)) for number, one in enumerate(sorted(found, key=lambda one: one.time), 1)]


@dataclass(frozen=True, slots=True)
class Style:
    """How one arm or variant is drawn wherever it is: its place among them, and its colour."""

    place: int
    colour: str

    @property
    def band(self) -> Figure:
        """Return the filling of an interval."""
        return {"fillcolor": f"{self.colour}2b", "fill": "toself"}

    def line(self, name: str, x: Sequence[Any], y: Sequence[Any], told: Sequence[str]) -> Figure:
        """Return a line with its name in the legend. told: what is said under the pointer."""
        dash = DASHES[self.place % len(DASHES)]
        return {
            **trace_of(x, y, "lines"),
            "name": short(name),
            "showlegend": True,
            "line": {"color": self.colour, "width": 2.5, "dash": dash},
            "customdata": list(told),
            "hovertemplate": TOLD,
        }

    def marks(self, x: Sequence[Any], y: Sequence[Any], told: Sequence[str], size: int) -> Figure:
        """Return points. told: what is said under the pointer; size: px."""
        symbol = SYMBOLS[self.place % len(SYMBOLS)]
        return {
            **trace_of(x, y, "markers"),
            "marker": {"color": self.colour, "size": size, "symbol": symbol},
            "customdata": list(told),
            "hovertemplate": TOLD,
        }


TOLD: Final = "%{customdata}<extra></extra>"


def style_of(review: Review, place: int) -> Style:
    """Return the style of the arm at a place; grey where lifts are not to be read."""
    return Style(place, UNREAD if review.verdict.decision == "invalid" else COLOURS[place % len(COLOURS)])


def trace_of(x: Sequence[Any], y: Sequence[Any], mode: str) -> Figure:
    """Return points that are joined (lines) or not (markers), and not in the legend."""
    return {"type": "scatter", "mode": mode, "x": list(x), "y": list(y), "showlegend": False}


def quiet(x: Sequence[Any], y: Sequence[Any]) -> Figure:
    """Return a line that says nothing under the pointer."""
    return {**trace_of(x, y, "lines"), "hoverinfo": "skip"}


def band_of(x: Sequence[str], lower: Sequence[float | None], upper: Sequence[float | None]) -> Figure:
    """Return what lies between two lines, as one closed outline for each stretch where both are known."""
    xs: list[str | None] = []
    ys: list[float | None] = []
    for stretch in _stretches(lower, upper):
        there, back = list(stretch), list(reversed(stretch))
        xs += [*(x[k] for k in there), *(x[k] for k in back), None]
        ys += [*(lower[k] for k in there), *(upper[k] for k in back), None]
    return {**quiet(xs[:-1], ys[:-1]), "line": {"width": 0}}


def _stretches(lower: Sequence[float | None], upper: Sequence[float | None]) -> Iterator[range]:
    start = 0
    for k in range(len(lower) + 1):
        if k == len(lower) or lower[k] is None or upper[k] is None:
            if k > start:
                yield range(start, k)
            start = k + 1


def errors(numbers: Iterable[Number]) -> Figure:
    """Return the bars of numbers with intervals."""
    known = [(one.value or 0.0, one.lower, one.upper) for one in numbers]
    return {
        "type": "data",
        "symmetric": False,
        "array": [None if upper is None else upper - value for value, _, upper in known],
        "arrayminus": [None if lower is None else value - lower for value, lower, _ in known],
        "thickness": 2,
        "width": 5,
    }


def layout_of(legend: bool = False) -> Figure:
    """Return the layout that all charts begin with."""
    axis = {"showgrid": True, "zeroline": False, "automargin": True, "ticks": "", "showline": False}
    layout: Figure = {
        "height": HEIGHT + (60 if legend else 0),
        "margin": {"l": 12, "r": 12, "t": 24, "b": 12, "pad": 4},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"family": "system-ui, sans-serif", "size": 12},
        "hovermode": "closest",
        "hoverlabel": {"align": "left"},
        "showlegend": legend,
        "legend": {"orientation": "h", "x": 0, "y": 1.08, "yanchor": "bottom", "itemwidth": 44},
        "xaxis": {**axis, "tickangle": 0},
        "yaxis": dict(axis),
        "shapes": [],
        "annotations": [],
    }
    return layout


def unread(review: Review, layout: Figure) -> Figure:
    """Return the layout of a chart of lifts, which says so where they are not to be read."""
    if review.verdict.decision == "invalid":
        layout["annotations"].append(
            _note("not to be read", x=1, y=1, xanchor="right", yanchor="top", font={"size": 18})
        )
    return layout


def over_time_layout(
    review: Review, tickformat: str, limits: list[float] | None, minimum_effect: float | None
) -> Figure:
    """Return the layout of values over time, with the minimum effect and the events as marks."""
    layout = layout_of(legend=True)
    layout["xaxis"] |= {"type": "date", "nticks": 6, "showgrid": False}
    layout["yaxis"] |= {"tickformat": tickformat, "zeroline": True, "nticks": 7}
    if limits is not None:
        layout["yaxis"]["range"] = limits
    if minimum_effect is not None and limits is not None and minimum_effect < limits[1]:
        layout["shapes"].append(_line("h", minimum_effect))
    _mark_events(review, layout)
    return layout


def _mark_events(review: Review, layout: Figure) -> None:
    for place, (one, mark) in enumerate(events(review)):
        at = local(review, one)
        end = getattr(one, "end", None)
        if end is not None:
            until = end.astimezone(ZoneInfo(review.zone)).replace(tzinfo=None).isoformat()
            layout["shapes"].append(
                {"type": "rect", "xref": "x", "yref": "paper", "x0": at, "x1": until, "y0": 0, "y1": 1,
                 "fillcolor": "#7d848e26", "line": {"width": 0}, "layer": "below"}
            )  # fmt: skip
        layout["shapes"].append(_line("v", at))
        layout["annotations"].append(
            _note(mark, x=at, y=1, xref="x", yanchor="bottom", xanchor=("right", "left")[place % 2], font={"size": 11})
        )


def _line(way: str, at: Any) -> Figure:
    across, along = ("y", "x") if way == "h" else ("x", "y")
    return {
        "type": "line",
        f"{across}0": at,
        f"{across}1": at,
        f"{across}ref": across,
        f"{along}0": 0,
        f"{along}1": 1,
        f"{along}ref": "paper",
        "line": {"color": UNREAD, "width": 1, "dash": "dash"},
        "layer": "below",
    }


def _note(text: str, **where: Any) -> Figure:
    return {"text": text, "showarrow": False, "xref": "paper", "yref": "paper", **where}


def by_name_layout(names: Sequence[str], tickformat: str, title: str | None = None, legend: bool = False) -> Figure:
    """Return the layout of values by name, the first on top."""
    layout = layout_of(legend)
    layout["height"] = max(150, 90 + 40 * len(names)) + (70 if legend else 0)
    layout["xaxis"] |= {"tickformat": tickformat, "zeroline": True, "rangemode": "tozero", "nticks": 5}
    if title:
        layout["xaxis"]["title"] = {"text": title}
    layout["yaxis"] |= {
        "range": [len(names) - 0.4, -0.6],
        "showgrid": False,
        "tickvals": list(range(len(names))),
        "ticktext": [short(name) for name in names],
    }
    return layout


def visible(place: int) -> bool | str:
    """Return whether the arm at a place is drawn at first, as plotly says it."""
    return True if place < SHOWN else "legendonly"


def local(review: Review, one: Any) -> str:
    """Return a time as the clocks of the review's zone show it: plotly knows no zones."""
    found: str = one.time.astimezone(ZoneInfo(review.zone)).replace(tzinfo=None).isoformat()
    return found


def short(name: str) -> str:
    """Return a name as a chart shows it, cut where it is long.

    >>> short("a<b"), short("x" * 40)
    ('a&lt;b', 'xxxxxxxxxxxxxxxxxxxxxxx…')
    """
    return label(name if len(name) <= LONGEST_NAME else name[: LONGEST_NAME - 1] + "\N{HORIZONTAL ELLIPSIS}")


def label(text: str) -> str:
    """Return text for plotly, which reads a little HTML in it."""
    return escape(text, quote=False)
