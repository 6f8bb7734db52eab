"""Arguments of questions, from their text. Sentences name them as the address does."""

from __future__ import annotations

from typing import Annotated, Final
from zoneinfo import ZoneInfo

from fastapi import Query, Request

from lis_online.errors import UsageError
from lis_online.history.times import iso, parse_time, parse_zone

LATEST: Final = 7_258_118_400_000
"""The begin of the year 2200, ms: later times are mistakes, and at the end of 9999 other zones have no time to show."""
EARLIEST: Final = 86_400_000
"""A day after the begin of 1970, ms, for the same reason."""

From = Annotated[str, Query(alias="from", description="Begin, ISO 8601; in `zone` where it names none.")]
To = Annotated[str, Query(alias="to", description="End, exclusive; ISO 8601.")]
MaybeFrom = Annotated[
    str | None, Query(alias="from", description="Begin of a range, ISO 8601; without it the whole experiment.")
]
MaybeTo = Annotated[str | None, Query(alias="to", description="End, exclusive, ISO 8601; without it now.")]
At = Annotated[str | None, Query(description="As of this time, ISO 8601; without it now.")]
Zone = Annotated[
    str | None,
    Query(description="IANA name of the time zone of times that name none, and of those shown; UTC without."),
]
Configuration = Annotated[
    int | None, Query(ge=1, le=2**31 - 1, description="Id of the settings that the numbers were made under.")
]
Against = Annotated[
    int | None, Query(ge=1, le=2**31 - 1, description="Another configuration, whose LIS and AIS are shown beside.")
]
Slice = Annotated[str, Query(description="Of LIS and AIS: all, surface:NAME or arm:EXPERIMENT/ARM.")]
Slices = Annotated[list[str], Query(alias="slice", max_length=64, description="Slices; may be given several times.")]


def zone_of(name: str | None) -> ZoneInfo | None:
    """Return the zone, None for UTC. Raises UsageError."""
    try:
        return None if name is None else parse_zone(name, "zone")
    except ValueError as exc:
        raise UsageError(str(exc)) from exc


def time_of(text: str, argument: str, zone: ZoneInfo | None) -> int:
    """Return a time's ms. Raises UsageError."""
    try:
        found = parse_time(text, argument, zone)
    except (ValueError, OverflowError) as exc:
        raise UsageError(str(exc)) from exc
    if not EARLIEST <= found < LATEST:
        raise UsageError(f"{argument} must be from {iso(EARLIEST)} to {iso(LATEST)}, got {text!r}")
    return found


def maybe_time(text: str | None, argument: str, zone: ZoneInfo | None) -> int | None:
    """Return a time's ms, None where none was given."""
    return None if text is None else time_of(text, argument, zone)


def only_known(request: Request) -> None:
    """Refuse an argument that the address does not have: a misspelt one would be ignored."""
    route = request.scope["route"]
    known = sorted(one.alias for one in route.dependant.query_params)
    for name in request.query_params:
        if name not in known:
            raise UsageError(f"arguments must be among {known}, got {name!r}")
