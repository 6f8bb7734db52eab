"""Milliseconds since 1970 to aware UTC times and back, exactly; the edge between code and database."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

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


def parse_zone(name: str, argument: str = "--zone") -> ZoneInfo:
    """Return a time zone by its IANA name. Raises ValueError naming the argument.

    >>> parse_zone("Mars/Olympus")
    Traceback (most recent call last):
    ValueError: --zone must be the IANA name of a time zone, such as Europe/Berlin, got 'Mars/Olympus'
    """
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as exc:
        raise ValueError(
            f"{argument} must be the IANA name of a time zone, such as Europe/Berlin, got {name!r}"
        ) from exc


def parse_time(text: str, argument: str, zone: ZoneInfo | None = None) -> int:
    """Return the ms of an ISO 8601 time; one that names no time zone is in `zone`.

    Raises ValueError naming the argument.

    >>> parse_time("2019-11-12T01:00:00+01:00", "--from")
    1573516800000
    >>> parse_time("2019-11-12 01:00", "--from", ZoneInfo("Europe/Berlin"))
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
        if zone is None:
            raise ValueError(f"{argument} must have a time zone, such as 2026-11-01T00:00:00Z, got {text!r}")
        time = _in_zone(time, zone, argument)
    found = to_milliseconds(time)
    if not 0 <= found <= LATEST:
        raise ValueError(f"{argument} must be from 1970 to 9999, got {text!r}")
    return found


def _in_zone(time: datetime, zone: ZoneInfo, argument: str) -> datetime:
    """Return a wall clock's time in its zone. Raises ValueError where clocks showed it never, or twice."""
    first, second = (time.replace(tzinfo=zone, fold=fold) for fold in (0, 1))
    if first.utcoffset() == second.utcoffset():
        return first
    if first.astimezone(UTC).astimezone(zone).replace(tzinfo=None) != time:
        raise ValueError(f"{argument} must be a time that clocks in {zone.key} showed, got '{time.isoformat(' ')}'")
    raise ValueError(
        f"{argument} must say which of the two it means, {first.isoformat()} or {second.isoformat()}, "
        f"got '{time.isoformat(' ')}': clocks in {zone.key} showed it twice"
    )


def iso(milliseconds: int, zone: ZoneInfo | None = None) -> str:
    """Return the time as ISO 8601, in UTC or a zone, without a fraction where it is whole seconds.

    >>> iso(1_573_516_800_000), iso(1_573_516_800_000, ZoneInfo("Europe/Berlin"))
    ('2019-11-12T00:00:00Z', '2019-11-12T01:00:00+01:00')
    """
    time = to_datetime(milliseconds)
    return time.isoformat().replace("+00:00", "Z") if zone is None else time.astimezone(zone).isoformat()
