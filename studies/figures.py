"""One style for all figures: SVG that is readable on white without the text beside it, the same bytes every time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import matplotlib

matplotlib.use("svg")

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

COLOURS: Final = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
"""Told apart by all kinds of colour vision (Okabe and Ito 2008), in the order of use."""
MARKERS: Final = ("o", "s", "^", "D", "v", "P", "X")
"""Beside the colours, for print without them."""
GREY: Final = "#767676"

STYLE: Final[Any] = {
    "svg.hashsalt": "lis-online",  # else ids in the file are drawn anew each time
    "svg.fonttype": "path",  # the same picture where no font is
    "figure.facecolor": "white",
    "savefig.facecolor": "white",
    "font.size": 10,
    "axes.titlesize": 10,
    "axes.labelsize": 10,
    "legend.fontsize": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": "#dddddd",
    "grid.linewidth": 0.6,
    "axes.axisbelow": True,
    "lines.linewidth": 1.6,
    "lines.markersize": 5,
    "legend.frameon": False,
    "errorbar.capsize": 2.5,
}


Dot = tuple[str, float, tuple[float, float]]
"""A name, a value and its interval."""


@contextmanager
def figure(path: Path, rows: int = 1, columns: int = 1, size: tuple[float, float] = (7.2, 3.6)) -> Iterator[list[Axes]]:
    """Give the axes of a figure, row by row, and write it as SVG when they are filled. size: inches."""
    with plt.rc_context(STYLE):
        drawn, axes = plt.subplots(rows, columns, figsize=size, layout="constrained", squeeze=False)
        try:
            yield list(axes.ravel())
            _save(drawn, path)
        finally:
            plt.close(drawn)


def zero_line(axes: Axes) -> None:
    """Mark where a difference is none."""
    axes.axhline(0, color=GREY, linewidth=0.8, zorder=0.5)


def link(path: Path, meaning: str) -> str:
    """Return the Markdown that shows a figure beside the page. meaning: what is to be seen in it."""
    return f"![{meaning}]({path.parent.name}/{path.name})"


def dots(
    path: Path,
    panels: Mapping[str, Sequence[Dot]],
    *,
    axis: str,
    wanted: tuple[float, float] | None = None,
    columns: int = 3,
) -> None:
    """Write a panel for each group, with a line for each of its values: a dot and its interval.

    wanted: where the values should lie, shaded. axis: what the values are, with their unit.
    """
    rows = -(-len(panels) // columns)
    longest = max(len(shown) for shown in panels.values())
    with figure(path, rows, columns, (9.6, rows * (0.9 + 0.2 * longest))) as every:
        for place, (axes, (title, shown)) in enumerate(zip(every, panels.items(), strict=False)):
            axes.set_title(title)
            if wanted is not None:
                axes.axvspan(*wanted, color="#e8e8e8", zorder=0)
            for line, (_, value, (lower, upper)) in enumerate(shown):
                axes.plot([lower, upper], [line, line], color=COLOURS[0], linewidth=1.2)
                axes.plot(value, line, MARKERS[0], color=COLOURS[0])
            axes.set_yticks(range(len(shown)), [name for name, *_ in shown], fontsize=7.5)
            axes.set_ylim(longest - 0.5, -0.5)
            if place >= len(panels) - columns:
                axes.set_xlabel(axis, fontsize=8)
        for axes in every[len(panels) :]:
            axes.set_visible(False)


def _save(drawn: Figure, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    drawn.savefig(path, format="svg", metadata={"Date": None, "Creator": None})
