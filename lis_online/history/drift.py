"""Drift events: numbers that left their level."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection, select

from lis_online.history.rows import DriftRow
from lis_online.history.tables import CONFIGURATION
from lis_online.history.tables import drift_events as events
from lis_online.history.times import LATEST, to_datetime, to_milliseconds


def drift_events(connection: Connection, configuration: int, start: int | None, end: int | None) -> list[DriftRow]:
    """Return the events of [start, end), ms, in order of time; None leaves that end open."""
    names = [field.name for field in msgspec.structs.fields(DriftRow)]
    query = select(*(events.c[name] for name in names)).where(events.c[CONFIGURATION] == configuration)
    if start is not None:
        query = query.where(events.c.time >= to_datetime(start))
    if end is not None:
        query = query.where(events.c.time < to_datetime(min(end, LATEST)))
    keys = (events.c.time, events.c.kind, events.c.variant, events.c.number, events.c.slice, events.c.window_ms)
    rows = connection.execute(query.order_by(*keys)).mappings()
    return [DriftRow(*(_plain(row[name]) for name in names)) for row in rows]


def _plain(value: Any) -> Any:
    return to_milliseconds(value) if isinstance(value, datetime) else value
