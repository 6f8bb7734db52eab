"""Names of windows, the same in tables, series, commands and JSON."""

from __future__ import annotations

from lis_online.settings.durations import format_duration, parse_duration

NAMES = {0: "run", -1: "overlap"}
"""Windows that are no length: everything after warm-up; since a variant's newest version began."""
_LENGTHS = {name: length for length, name in NAMES.items()}


def window_name(milliseconds: int) -> str:
    """Return the name of a window.

    >>> window_name(900_000), window_name(0), window_name(-1)
    ('15m', 'run', 'overlap')
    """
    return NAMES.get(milliseconds) or format_duration(milliseconds)


def parse_window(name: str) -> int:
    """Return a window's length in ms. Raises ValueError.

    >>> parse_window("1h"), parse_window("run"), parse_window("overlap")
    (3600000, 0, -1)
    """
    found = _LENGTHS.get(name)
    return parse_duration(name) if found is None else found
