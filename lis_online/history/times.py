"""Milliseconds since 1970 to aware UTC times and back, exactly; the edge between code and database."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
LATEST = (datetime.max.replace(tzinfo=UTC) - EPOCH) // timedelta(milliseconds=1)
"""The latest time that a `datetime` holds, ms: the end of the year 9999."""


def to_datetime(milliseconds: int) -> datetime:
    """Return the aware UTC time. Raises ValueError outside the years 1970 to 9999.

    >>> to_datetime(1_573_516_800_000).isoformat()
    '2019-11-12T00:00:00+00:00'
    >>> to_datetime(2**62)
    Traceback (most recent call last):
    ValueError: a time must be from 0 to 253402300799999 ms, got 4611686018427387904
    """
    if not 0 <= milliseconds <= LATEST:
        raise ValueError(f"a time must be from 0 to {LATEST} ms, got {milliseconds}")
    return EPOCH + timedelta(milliseconds=milliseconds)


def to_milliseconds(time: datetime) -> int:
    """Return whole ms since 1970 of an aware time.

    >>> to_milliseconds(datetime(2019, 11, 12, tzinfo=UTC))
    1573516800000
    """
    return (time - EPOCH) // timedelta(milliseconds=1)


def parse_time(text: str, argument: str) -> int:
    """Return the ms of an ISO 8601 time with a time zone. Raises ValueError naming the argument.

    >>> parse_time("2019-11-12T01:00:00+01:00", "--from")
    1573516800000
    >>> parse_time("2019-11-12", "--from")
    Traceback (most recent call last):
    ValueError: --from must have a time zone, such as 2026-11-01T00:00:00Z, got '2019-11-12'
    """
    try:
        time = datetime.fromisoformat(text)
    except ValueError as exc:
        raise ValueError(f"{argument} must be an ISO 8601 time, such as 2026-11-01T00:00:00Z, got {text!r}") from exc
    if time.tzinfo is None:
        raise ValueError(f"{argument} must have a time zone, such as 2026-11-01T00:00:00Z, got {text!r}")
    return to_milliseconds(time)


def iso(milliseconds: int) -> str:
    """Return the time as ISO 8601 in UTC, without a fraction where it is whole seconds.

    >>> iso(1_573_516_800_000)
    '2019-11-12T00:00:00Z'
    """
    return to_datetime(milliseconds).isoformat(timespec="auto").replace("+00:00", "Z")
