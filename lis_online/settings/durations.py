"""Durations in settings: "250ms", "90s", "10m", "6h", "14d", as whole milliseconds."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import BeforeValidator

UNITS = {"ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
PATTERN = re.compile(r"([0-9]{1,18})\s*(ms|s|m|h|d)")
LONGEST = 36_500 * UNITS["d"]
"""A hundred years: times plus durations stay far from the end of what a `datetime` or 64 bits hold."""


def parse_duration(value: Any) -> int:
    """Return the milliseconds of a duration such as "10m".

    >>> parse_duration("10m")
    600000
    >>> parse_duration("ten")
    Traceback (most recent call last):
    ValueError: must be a whole number and a unit (ms, s, m, h, d) such as "10m", got 'ten'
    """
    match = PATTERN.fullmatch(value.strip()) if isinstance(value, str) else None
    if match is None:
        raise ValueError(f'must be a whole number and a unit (ms, s, m, h, d) such as "10m", got {_short(value)}')
    found = int(match[1]) * UNITS[match[2]]
    if found > LONGEST:
        raise ValueError(f"must be at most {format_duration(LONGEST)}, got {value!r}")
    return found


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def format_duration(milliseconds: int) -> str:
    """Return the shortest form of a duration.

    >>> format_duration(5_400_000), format_duration(3_600_000), format_duration(0)
    ('90m', '1h', '0s')
    """
    if milliseconds == 0:
        return "0s"
    unit = next(u for u in reversed(UNITS) if milliseconds % UNITS[u] == 0)
    return f"{milliseconds // UNITS[unit]}{unit}"


Duration = Annotated[int, BeforeValidator(parse_duration)]
"""A duration written as text and kept as whole milliseconds."""


def rollup_length(rollup: int, bucket: int) -> int:
    """Return the length of roll-ups, ms: the one that is asked for, lengthened to whole buckets.

    >>> rollup_length(900_000, 60_000), rollup_length(900_000, 420_000), rollup_length(900_000, 3_600_000)
    (900000, 1260000, 3600000)
    """
    return -(-rollup // bucket) * bucket
