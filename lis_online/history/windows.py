"""Names of windows, the same in tables, series, commands and JSON."""

from __future__ import annotations

from lis_online.settings.durations import format_duration, parse_duration

WHOLE_RUN = "run"
"""The window of length 0: everything after warm-up."""


def window_name(milliseconds: int) -> str:
    """Return the name of a window.

    >>> window_name(900_000), window_name(0)
    ('15m', 'run')
    """
    return format_duration(milliseconds) if milliseconds else WHOLE_RUN


def parse_window(name: str) -> int:
    """Return a window's length in ms. Raises ValueError.

    >>> parse_window("1h"), parse_window("run")
    (3600000, 0)
    """
    return 0 if name == WHOLE_RUN else parse_duration(name)
