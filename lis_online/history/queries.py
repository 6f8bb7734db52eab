"""Reads a variant's numbers back over a range of time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import BinaryExpression, ColumnElement, Connection, Row, Table, and_, func, or_, select

from lis_online.errors import UsageError
from lis_online.history.points import Number, Point
from lis_online.history.rows import PAIR_ALIGNMENT
from lis_online.history.tables import configurations, diagnoses, numbers
from lis_online.history.times import iso, to_datetime, to_milliseconds
from lis_online.history.windows import window_name
from lis_online.metrics.version_keys import variant_of

FIELDS = ("value", "stderr", "lower", "upper", "reason", "samples_to_resolve", "learning_noise")
COLUMNS = ("bucket_end", "window_ms", "kind", "subject", "number", "samples", "version", *FIELDS)


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
    """Return the points in the order of time, then window, then configuration, then version, the newest last.

    A point holds the numbers of one version of the variant, those of the source it was aligned on, the unleaked
    ranker's and the diagnosis. Raises UsageError on a variant that the history does not know.
    """
    points: list[Point] = []
    for configuration, source in sources(connection, selection.variant).items():
        points += _points(connection, selection, configuration, source)
    return sorted(points, key=lambda p: (p.time, p.window_ms, p.configuration, p.newest, p.version))


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
    of_variant = versions(connection, configuration, selection.variant)
    judged = {
        (row.bucket_end, row.window_ms, row.variant): row
        for row in _diagnoses(connection, selection, configuration, of_variant)
    }
    subjects = {"variant": of_variant, "source": [source], "unleaked": [""]}
    windows: dict[tuple[Any, int], list[Row[Any]]] = defaultdict(list)
    for row in _numbers(connection, selection, configuration, subjects):
        windows[row.bucket_end, row.window_ms].append(row)
    for (time, window), rows in windows.items():
        for subject in sorted({row.subject for row in rows if row.kind == "variant"}) or [selection.variant]:
            diagnosis = judged.get((time, window, subject))
            own = [row for row in rows if row.kind == "variant" and row.subject == subject]
            yield Point(
                time=to_milliseconds(time),
                window_ms=window,
                slice=selection.slice,
                configuration=configuration,
                source=source,
                version=own[0].version if own else "",
                newest=subject == selection.variant,
                samples=max((row.samples for row in rows if row.number != PAIR_ALIGNMENT), default=0),
                pairs=next((row.samples for row in own if row.number == PAIR_ALIGNMENT), None),
                diagnosis=diagnosis.diagnosis if diagnosis else None,
                sentence=diagnosis.sentence if diagnosis else None,
                variant_numbers=_by_number(own),
                source_numbers=_by_number(row for row in rows if row.kind == "source"),
                unleaked=_by_number(row for row in rows if row.kind == "unleaked"),
            )


def versions(connection: Connection, configuration: int, variant: str) -> list[str]:
    """Return the subjects of a variant's rows: its name, and NAME@VERSION of each older version there was.

    Walks the key from each subject to the next, whose number is small, instead of reading every row.
    """
    column = numbers.c
    of_variants = and_(column.configuration_id == configuration, column.kind == "variant")
    walk = select(func.min(column.subject).label("subject")).where(of_variants).cte("walk", recursive=True)
    following = select(func.min(column.subject)).where(of_variants, column.subject > walk.c.subject)
    walk = walk.union_all(select(following.scalar_subquery()).where(walk.c.subject.is_not(None)))
    found = connection.execute(select(walk.c.subject).where(walk.c.subject.is_not(None))).scalars()
    return [subject for subject in found if variant_of(subject) == variant]


def _by_number(rows: Iterable[Row[Any]]) -> Mapping[str, Number]:
    return {row.number: Number(*(getattr(row, name) for name in FIELDS)) for row in rows}


def _numbers(
    connection: Connection, selection: Selection, configuration: int, subjects: Mapping[str, Sequence[str]]
) -> Sequence[Row[Any]]:
    column = numbers.c
    of_these = or_(*(and_(column.kind == kind, column.subject.in_(names)) for kind, names in subjects.items()))
    query = select(*(column[name] for name in COLUMNS)).where(
        column.configuration_id == configuration, of_these, *_within(numbers, selection)
    )
    return connection.execute(query.order_by(column.bucket_end, column.window_ms, column.number)).all()


def _diagnoses(
    connection: Connection, selection: Selection, configuration: int, of_variant: Sequence[str]
) -> Sequence[Any]:
    column = diagnoses.c
    query = select(column.bucket_end, column.window_ms, column.variant, column.diagnosis, column.sentence).where(
        column.configuration_id == configuration,
        column.variant.in_(of_variant),
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
