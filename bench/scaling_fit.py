"""The coefficients of `lis-online capacity`, fitted to what the scaling sweep measured.

A cost is a sum of parts, none of them below 0 (non-negative least squares: Lawson and Hanson, 1974), of relative
errors, so that the points where it is small count as much as those where it is large. No more parts than one axis at a
time can tell apart.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final

import numpy as np
from scipy.optimize import nnls

Sizes = dict[str, float]
Fit = dict[str, dict[str, float]]

PARTS: Final[dict[str, dict[str, Callable[[Sizes], float]]]] = {
    "join_s": {
        "slate": lambda p: 1.0,
        "item": lambda p: p["slate"],
        "history": lambda p: p["history"],
        "click": lambda p: p["clicks"],
    },
    "rank_s": {
        "slate": lambda p: 1.0,
        "item": lambda p: p["slate"],
        "item_variant": lambda p: p["slate"] * p["variants"],
        "item_history": lambda p: p["slate"] * p["history"],
        "product": lambda p: p["slate"] * p["history"] * p["variants"] * p["dimension"],
        "pair": lambda p: p["pairs"],
    },
    "publish_s": {"bucket": lambda p: 1.0, "variant": lambda p: p["variants"]},
    "input_bytes": {
        "slate": lambda p: 1.0,
        "item": lambda p: p["slate"],
        "history": lambda p: p["history"],
        "click": lambda p: p["clicks"],
    },
    "log_bytes": {
        "slate": lambda p: 1.0,
        "item": lambda p: p["slate"],
        "history": lambda p: p["history"],
        "pair": lambda p: p["pairs"],
    },
    "pending_bytes": {"slate": lambda p: 1.0, "item": lambda p: p["slate"], "history": lambda p: p["history"]},
    "windows_bytes": {"bucket": lambda p: 1.0, "variant": lambda p: p["variants"]},
    "number_rows": {"bucket": lambda p: 1.0, "variant": lambda p: p["variants"]},
}
"""What each figure is a sum of: the name of a part, and how much of it a point has."""

OTHER: Final = {"items", "partitions"}
"""Axes whose points are left out: caches and small batches, which no sum of parts tells."""


def points(found: dict[str, Any]) -> Iterator[tuple[Sizes, dict[str, Any]]]:
    """Yield the sizes, pairs a slate among them, and figures of every measured point that is fitted."""
    for axis, measured in found["axes"].items():
        if axis not in OTHER:
            for one in measured:
                yield {**found["base"], axis: one["value"], "pairs": one["pairs"]}, one


def coefficients(found: dict[str, Any]) -> Fit:
    """Return figure -> part -> cost, in the figure's unit; "error" is the root mean square relative one."""
    fitted: Fit = {}
    for figure, parts in PARTS.items():
        sizes, figures = zip(*points(found), strict=True)
        A = np.array([[amount(one) for amount in parts.values()] for one in sizes])
        y = np.array([one[figure] for one in figures])
        scaled = A / y[:, None]
        unit = np.linalg.norm(scaled, axis=0)
        x = nnls(scaled / unit, np.ones(len(y)))[0] / unit
        error = float(np.sqrt(np.mean((scaled @ x - 1) ** 2)))
        fitted[figure] = {name: float(f"{value:.3g}") for name, value in zip(parts, x, strict=True)}
        fitted[figure]["error"] = float(f"{error:.2g}")
    return fitted


def module(fitted: Fit) -> str:
    """Return the source of `lis_online/capacity_coefficients.py`."""
    lines = [
        '"""What parts of the work cost, in seconds of one core and in bytes. Written by `python -m bench.scaling`.',
        "",
        "Fitted to docs/scaling.json; `error` is the root mean square relative error of a fit.",
        '"""',
        "",
        "from __future__ import annotations",
        "",
        "from typing import Final",
        "",
        "FITTED: Final[dict[str, dict[str, float]]] = {",
    ]
    for figure, parts in fitted.items():
        lines.append(f'    "{figure}": {{')
        lines += [f'        "{name}": {value!r},' for name, value in parts.items()]
        lines.append("    },")
    return "\n".join([*lines, "}", ""])
