"""Reads a variant's numbers back over a range of time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import BinaryExpression, ColumnElement, Connection, Row, Table, and_, func, or_, select

from lis_online.errors import UsageError
from lis_online.history.points import Number, Point
from lis_online.history.tables import configurations, diagnoses, numbers
from lis_online.history.times import iso, to_datetime, to_milliseconds
from lis_online.history.windows import window_name

COLUMNS = ("bucket_end", "window_ms", "kind", "number", "value", "stderr", "lower", "upper", "reason", "samples")


@dataclass(frozen=True, slots=True)
class Selection:
    """Which numbers to read: of one variant, in one slice, of windows that end in (start, end].

    Times in ms since 1970; None leaves that end open. window_ms None: every window.
    """

    variant: str
    start: int | None = None
    end: int | None = None
    window_ms: int | None = None
    slice: str = "all"

    def __post_init__(self) -> None:
        """Refuse a range that holds nothing."""
        if self.start is not None and self.end is not None and self.start >= self.end:
            raise UsageError(f"--from must be before --to, got {iso(self.start)} and {iso(self.end)}")


def read(connection: Connection, selection: Selection) -> list[Point]:
    """Return the points in the order of time, then window, then configuration.

    A point holds the variant's numbers, those of the source it was aligned on, the unleaked
    ranker's and the diagnosis. Raises UsageError on a variant that the history does not know.
    """
    points: list[Point] = []
    for configuration, source in sources(connection, selection.variant).items():
        points += _points(connection, selection, configuration, source)
    return sorted(points, key=lambda point: (point.time, point.window_ms, point.configuration))


def sources(connection: Connection, variant: str) -> dict[int, str]:
    """Return the preference source of a variant by configuration; empty when nothing was ever written.

    Raises UsageError on a variant that is in no configuration.
    """
    known: set[str] = set()
    found: dict[int, str] = {}
    for row in connection.execute(select(configurations.c.id, configurations.c.settings)):
        by_name = {entry["name"]: entry["preference"] for entry in row.settings["variant"]}
        known |= set(by_name)
        if variant in by_name:
            found[row.id] = by_name[variant]
    if known and not found:
        raise UsageError(f"--variant must be one of {sorted(known)}, got {variant!r}")
    return found


def why_empty(connection: Connection, selection: Selection) -> str:
    """Return the sentence for a selection without a point: what is there instead."""
    table = numbers.c
    query = (
        select(table.window_ms, table.slice, func.min(table.bucket_end), func.max(table.bucket_end))
        .where(table.kind == "variant", table.subject == selection.variant)
        .group_by(table.window_ms, table.slice)
        .order_by(table.window_ms, table.slice)
    )
    held = connection.execute(query).all()
    if not held:
        return f"the history has no number of variant {selection.variant!r} yet"
    first, last = (iso(to_milliseconds(time)) for time in (min(r[2] for r in held), max(r[3] for r in held)))
    windows = ", ".join(window_name(ms) for ms in sorted({row.window_ms for row in held}))
    slices = ", ".join(sorted({row.slice for row in held}))
    return (
        f"no number of variant {selection.variant!r} in that range, window and slice; "
        f"the history has {first} to {last}, windows {windows}, slices {slices}"
    )


def _points(connection: Connection, selection: Selection, configuration: int, source: str) -> Iterator[Point]:
    judged = {(row.bucket_end, row.window_ms): row for row in _diagnoses(connection, selection, configuration)}
    grouped: dict[tuple[Any, int], list[Row[Any]]] = defaultdict(list)
    for row in _numbers(connection, selection, configuration, source):
        grouped[row.bucket_end, row.window_ms].append(row)
    for (time, window), rows in grouped.items():
        diagnosis = judged.get((time, window))
        yield Point(
            time=to_milliseconds(time),
            window_ms=window,
            slice=selection.slice,
            configuration=configuration,
            source=source,
            samples=max(row.samples for row in rows),
            diagnosis=diagnosis.diagnosis if diagnosis else None,
            sentence=diagnosis.sentence if diagnosis else None,
            variant_numbers=_of_kind(rows, "variant"),
            source_numbers=_of_kind(rows, "source"),
            unleaked=_of_kind(rows, "unleaked"),
        )


def _of_kind(rows: Sequence[Row[Any]], kind: str) -> Mapping[str, Number]:
    return {
        row.number: Number(row.value, row.stderr, row.lower, row.upper, row.reason) for row in rows if row.kind == kind
    }


def _numbers(connection: Connection, selection: Selection, configuration: int, source: str) -> Sequence[Row[Any]]:
    column = numbers.c
    subjects = (("variant", selection.variant), ("source", source), ("unleaked", ""))
    of_these = or_(*(and_(column.kind == kind, column.subject == subject) for kind, subject in subjects))
    query = select(*(column[name] for name in COLUMNS)).where(
        column.configuration_id == configuration, of_these, *_within(numbers, selection)
    )
    return connection.execute(query.order_by(column.bucket_end, column.window_ms, column.number)).all()


def _diagnoses(connection: Connection, selection: Selection, configuration: int) -> Sequence[Any]:
    column = diagnoses.c
    query = select(column.bucket_end, column.window_ms, column.diagnosis, column.sentence).where(
        column.configuration_id == configuration,
        column.variant == selection.variant,
        *_within(diagnoses, selection),
    )
    return connection.execute(query).all()


def _within(table: Table, selection: Selection) -> list[ColumnElement[bool] | BinaryExpression[bool]]:
    rules: list[ColumnElement[bool] | BinaryExpression[bool]] = [table.c.slice == selection.slice]
    if selection.window_ms is not None:
        rules.append(table.c.window_ms == selection.window_ms)
    if selection.start is not None:
        rules.append(table.c.bucket_end > to_datetime(selection.start))
    if selection.end is not None:
        rules.append(table.c.bucket_end <= to_datetime(selection.end))
    return rules
