"""The one numerical method that is needed in several places."""

from __future__ import annotations

from collections.abc import Callable


def bisect(is_high: Callable[[float], bool], low: float, high: float, width: float = 0.0) -> float:
    """Return where a condition that is false at low and true at high turns true: to within a width, or the last bits.

    >>> round(bisect(lambda x: x * x >= 2, 0.0, 2.0), 12)
    1.414213562373
    """
    while True:
        middle = (low + high) / 2
        if high - low <= width or not low < middle < high:
            return high
        if is_high(middle):
            high = middle
        else:
            low = middle
