"""Rolls buckets up: those of 15 minutes, say, become one, and no sample is lost or counted twice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, Table, delete, func, select
from sqlalchemy.dialects.postgresql import insert

from lis_online.history.rows import SPAN_LEVELS
from lis_online.history.stored import Group
from lis_online.history.tables import CONFIGURATION, buckets, rollups, spans
from lis_online.history.times import to_datetime, to_milliseconds
from lis_online.metrics.in_use import in_use
from lis_online.metrics.layout import Layout
from lis_online.metrics.statistics import Statistics
from lis_online.settings import Settings


@dataclass(frozen=True, slots=True)
class Rolled:
    """What rolling up one stretch did. rows, taken: buckets and their bytes; given: bytes that the roll-up grew by.

    repeated: of those rows, buckets that were in the roll-up already, so that nothing of them was added.
    """

    rows: int
    taken: int
    given: int
    repeated: int


def groups(connection: Connection) -> list[Group]:
    """Return the rank groups that have buckets."""
    columns = buckets.c
    query = select(columns[CONFIGURATION], columns.group).distinct().order_by(columns[CONFIGURATION], columns.group)
    return [Group(*row) for row in connection.execute(query)]


def due(connection: Connection, group: Group, length: int, until: int) -> dict[int, tuple[int, int]]:
    """Return what is to be rolled up: by start of a stretch of `length` ms that ends by `until`, buckets and bytes."""
    columns = buckets.c
    query = select(columns.bucket_start, func.octet_length(columns.data).label("bytes")).where(
        *_of(buckets, group), columns.bucket_start < to_datetime(max(0, until // length * length))
    )
    found: dict[int, tuple[int, int]] = {}
    for row in connection.execute(query.order_by(columns.bucket_start)):
        start = to_milliseconds(row.bucket_start) // length * length
        rows, taken = found.get(start, (0, 0))
        found[start] = rows + 1, taken + row.bytes
    return found


def roll_up(connection: Connection, group: Group, settings: Settings, start: int, length: int) -> Rolled:
    """Merge the buckets that begin in [start, start + length) into their roll-up, and delete them.

    A bucket that is in it already was written again after it was merged, by a replay for example, and is left out.
    Locks the rows it reads until the transaction ends.
    """
    rows = connection.execute(_within(buckets, group, start, start + length).with_for_update()).all()
    known = connection.execute(_within(rollups, group, start, start + 1).with_for_update()).one_or_none()
    merged = set() if known is None else set(known.members)
    fresh = [row for row in rows if row.bucket_start not in merged]
    given = _merge(connection, group, settings, start, length, known, fresh) if fresh else 0
    gone = delete(buckets).where(*_of(buckets, group), buckets.c.bucket_start.in_([row.bucket_start for row in rows]))
    connection.execute(gone)
    _drop_spans(connection, group, start, start + length, settings.metrics.bucket)
    return Rolled(len(rows), sum(len(row.data) for row in rows), given, len(rows) - len(fresh))


def _merge(
    connection: Connection,
    group: Group,
    settings: Settings,
    start: int,
    length: int,
    known: Row[Any] | None,
    fresh: Sequence[Row[Any]],
) -> int:
    """Write the roll-up of what is known and what is fresh; return the bytes it grew by."""
    layout = Layout.of(settings)
    parts = [*fresh, *([] if known is None else [known])]
    members = {time for row in fresh for time in _members(row, settings.metrics.bucket)}
    total = Statistics.sum_of(layout, (part.data for part in parts))
    # What is known beside the statistics is as of the latest bucket in them.
    latest = max(parts, key=lambda part: (part.state is not None, max(getattr(part, "members", [part.bucket_start]))))
    data = in_use(total).encode()
    key = {CONFIGURATION: group.configuration, "group": group.group, "bucket_start": to_datetime(start)}
    values = {
        "bucket_end": max(to_datetime(start + length), *(part.bucket_end for part in parts)),
        "samples": total.samples,
        "data": data,
        "revision": max(part.revision for part in parts),
        "state": latest.state,
        "members": sorted(members | set([] if known is None else known.members)),
    }
    statement = insert(rollups).values({**key, **values})
    connection.execute(statement.on_conflict_do_update(index_elements=list(key), set_=values))
    return len(data) - (0 if known is None else len(known.data))


def _drop_spans(connection: Connection, group: Group, start: int, end: int, bucket: int) -> None:
    """Delete the spans that hold a bucket of [start, end), ms: it is not there any more."""
    column = spans.c
    connection.execute(
        delete(spans).where(
            *_of(spans, group),
            column.bucket_start > to_datetime(max(0, start - max(SPAN_LEVELS) * bucket)),
            column.bucket_start < to_datetime(end),
            column.bucket_end > to_datetime(start),
        )
    )


def _members(row: Row[Any], bucket: int) -> list[datetime]:
    """Return the starts of the buckets in a row: several where it was a roll-up before a migration went down and up."""
    return [to_datetime(at) for at in range(to_milliseconds(row.bucket_start), to_milliseconds(row.bucket_end), bucket)]


def _of(table: Table, group: Group) -> list[ColumnElement[bool]]:
    return [table.c[CONFIGURATION] == group.configuration, table.c.group == group.group]


def _within(table: Table, group: Group, start: int, end: int) -> Select[Any]:
    begins = table.c.bucket_start
    return (
        select(table)
        .where(*_of(table, group), begins >= to_datetime(start), begins < to_datetime(end))
        .order_by(begins)
    )
