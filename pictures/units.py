"""Numbers as Grafana writes them, by the unit of their panel."""

from __future__ import annotations

import math
from datetime import UTC, datetime


def written(value: float, unit: str, decimals: int | None = None) -> str:
    """Return a number with its unit.

    >>> written(0.0213, "none", 4), written(0.85, "percentunit"), written(12_300, "short"), written(90, "s")
    ('0.0213', '85%', '12.3 K', '1.5 min')
    """
    if unit == "percentunit":
        return f"{100 * value:.{_places(decimals, 100 * value)}f}%"
    if unit == "s":
        for name, size in (("day", 86_400), ("h", 3600), ("min", 60)):
            if abs(value) >= size:
                return f"{value / size:.3g} {name}"
        return f"{value:.3g} s" if abs(value) >= 1 or not value else f"{1000 * value:.3g} ms"
    if unit == "bytes":
        return next(f"{value / size:.3g} {n}" for n, size in BYTES if abs(value) >= size or size == 1)
    if unit in ("short", "cps"):
        ending = " c/s" if unit == "cps" else ""
        return next(f"{value / size:.3g}{n}{ending}" for n, size in SHORT if abs(value) >= size or size == 1)
    return f"{value:.{decimals}f}" if decimals is not None else f"{value:.3g}"


def round_step(rough: float, unit: str) -> float:
    """Return the round step of an axis that is `rough` or a little more: of a clock, of powers of two, or of tens.

    >>> round_step(80, "s"), round_step(5000, "s"), round_step(3 << 20, "bytes"), round_step(70, "cps")
    (120.0, 7200.0, 4194304.0, 100.0)
    """
    if unit == "bytes" and rough > 1:
        return 2.0 ** math.ceil(math.log2(rough * 0.999))
    if unit == "s" and 1 < rough <= DAY:
        return next(step for step in CLOCK_STEPS if step >= rough * 0.999)
    whole = DAY if unit == "s" and rough > DAY else 1.0
    size = whole * 10.0 ** math.floor(math.log10(rough / whole))
    return next(size * times for times in (1, 2, 2.5, 5, 10) if size * times >= rough * 0.999)


DAY = 86_400.0
CLOCK_STEPS = tuple(
    [float(n) for n in (2, 5, 10, 15, 30)]
    + [60.0 * n for n in (1, 2, 5, 10, 15, 30)]
    + [3600.0 * n for n in (1, 2, 3, 6, 12, 24)]
)
"""Seconds between the marks of a clock."""
BYTES = (("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10), ("B", 1))
SHORT = ((" M", 1_000_000), (" K", 1000), ("", 1))


def clock(moment: float, span: float) -> str:
    """Return a time of day, UTC. span: how much is shown, s; seconds are left out where it is long."""
    return datetime.fromtimestamp(moment, UTC).strftime("%H:%M" if span > 1800 else "%H:%M:%S")


def _places(decimals: int | None, value: float) -> int:
    return decimals if decimals is not None else 0 if abs(value) >= 10 or not value else 1
