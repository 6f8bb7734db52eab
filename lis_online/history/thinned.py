"""A variant's headline numbers over a long time, thinned to a few points where they are read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Table, select

from lis_online.history.experiments import evenly_in_time
from lis_online.history.points import Number
from lis_online.history.queries import FIELDS
from lis_online.history.tables import CONFIGURATION, diagnoses, numbers
from lis_online.history.times import to_datetime, to_milliseconds


@dataclass(frozen=True, slots=True)
class Series:
    """Which windows: of the newest version of a variant, in one slice, those that end in (start, end], ms."""

    configuration: int
    variant: str
    source: str
    window_ms: int
    slice: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Headline:
    """The headline numbers of a window that ends at `time`, ms; None where one was not stored."""

    time: int
    adjusted_lis: Number | None
    adjusted_ais: Number | None
    diagnosis: str | None


def headlines(connection: Connection, series: Series, most: int) -> list[Headline]:
    """Return at most `most` windows, at least 2, evenly chosen in time; the first and the last always."""
    ends = evenly_in_time(_ends(connection, series), most)
    if not ends:
        return []
    ais = _numbers(connection, series, "variant", series.variant, "adjusted_ais", ends)
    lis = _numbers(connection, series, "source", series.source, "adjusted_lis", ends)
    judged = _diagnoses(connection, series, ends)
    return [Headline(to_milliseconds(end), lis.get(end), ais.get(end), judged.get(end)) for end in ends]


def _ends(connection: Connection, series: Series) -> list[datetime]:
    time = numbers.c.bucket_end
    query = select(time).where(
        *_of(numbers, series),
        numbers.c.kind == "variant",
        numbers.c.subject == series.variant,
        numbers.c.number == "adjusted_ais",
        time > to_datetime(series.start),
        time <= to_datetime(series.end),
    )
    return list(connection.execute(query.order_by(time)).scalars())


def _numbers(
    connection: Connection, series: Series, kind: str, subject: str, number: str, ends: Sequence[datetime]
) -> dict[datetime, Number]:
    column = numbers.c
    query = select(column.bucket_end, *(column[name] for name in FIELDS)).where(
        *_of(numbers, series),
        column.kind == kind,
        column.subject == subject,
        column.number == number,
        column.bucket_end.in_(ends),
    )
    return {row.bucket_end: Number(*(getattr(row, name) for name in FIELDS)) for row in connection.execute(query).all()}


def _diagnoses(connection: Connection, series: Series, ends: Sequence[datetime]) -> dict[datetime, str]:
    column = diagnoses.c
    query = select(column.bucket_end, column.diagnosis).where(
        *_of(diagnoses, series), column.variant == series.variant, column.bucket_end.in_(ends)
    )
    return {row.bucket_end: row.diagnosis for row in connection.execute(query).all()}


def _of(table: Table, series: Series) -> list[Any]:
    return [
        table.c[CONFIGURATION] == series.configuration,
        table.c.window_ms == series.window_ms,
        table.c.slice == series.slice,
    ]
