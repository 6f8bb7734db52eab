"""Numbers as Grafana writes them, by the unit of their panel."""

from __future__ import annotations

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


BYTES = (("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10), ("B", 1))
SHORT = ((" M", 1_000_000), (" K", 1000), ("", 1))


def clock(moment: float, span: float) -> str:
    """Return a time of day, UTC. span: how much is shown, s; seconds are left out where it is long."""
    return datetime.fromtimestamp(moment, UTC).strftime("%H:%M" if span > 1800 else "%H:%M:%S")


def _places(decimals: int | None, value: float) -> int:
    return decimals if decimals is not None else 0 if abs(value) >= 10 or not value else 1
