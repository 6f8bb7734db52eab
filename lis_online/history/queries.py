"""Reads a variant's numbers back over a range of time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Connection, Row, Table, Text, and_, func, select, values
from sqlalchemy import column as sql_column

from lis_online.errors import SettingsError, UsageError
from lis_online.history.points import Number, Point
from lis_online.history.rows import NUMBERS, PAIR_ALIGNMENT
from lis_online.history.stored_settings import read_back
from lis_online.history.tables import configurations, diagnoses, numbers
from lis_online.history.times import iso, to_datetime, to_milliseconds
from lis_online.history.windows import NAMES, window_name
from lis_online.metrics.layout import ALL, Layout
from lis_online.metrics.version_keys import variant_of

FIELDS = ("value", "stderr", "lower", "upper", "reason", "samples_to_resolve", "learning_noise")
COLUMNS = ("bucket_end", "window_ms", "kind", "subject", "number", "samples", "version", *FIELDS)
ALWAYS = "adjusted_ais"
"""A number that is there, with a value or a reason, wherever a variant is."""


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
    for made_under in measured(connection, selection.variant):
        points += _points(connection, selection, made_under)
    return sorted(points, key=lambda p: (p.time, p.window_ms, p.configuration, p.newest, p.version))


@dataclass(frozen=True, slots=True)
class Measured:
    """A configuration in which a variant is: the source it was aligned on, the windows, and all its settings."""

    configuration: int
    source: str
    windows: tuple[int, ...]
    settings: Mapping[str, Any]


def measured(connection: Connection, variant: str) -> list[Measured]:
    """Return the configurations in which a variant is; none when nothing was ever written.

    Raises UsageError on a variant that is in no configuration.
    """
    known: set[str] = set()
    found: list[Measured] = []
    for row in connection.execute(select(configurations.c.id, configurations.c.settings).order_by(configurations.c.id)):
        by_name = {entry["name"]: entry["preference"] for entry in row.settings["variant"]}
        known |= set(by_name)
        if variant in by_name:
            windows = tuple(dict.fromkeys([*row.settings["metrics"]["windows"], *NAMES]))
            found.append(Measured(row.id, by_name[variant], windows, row.settings))
    if known and not found:
        raise UsageError(f"--variant must be one of {sorted(known)}, got {variant!r}")
    return found


def why_empty(connection: Connection, selection: Selection) -> str:
    """Return the sentence for a selection without a point: what is there instead."""
    held = [row for one in measured(connection, selection.variant) for row in _held(connection, selection.variant, one)]
    if not held:
        return f"the history has no number of variant {selection.variant!r} yet"
    first, last = (iso(to_milliseconds(time)) for time in (min(r.first for r in held), max(r.last for r in held)))
    windows = ", ".join(window_name(ms) for ms in sorted({row.window_ms for row in held}))
    slices = ", ".join(sorted({row.slice for row in held}))
    return (
        f"no number of variant {selection.variant!r} in that range, window and slice; "
        f"the history has {first} to {last}, windows {windows}, slices {slices}"
    )


def _held(connection: Connection, variant: str, of: Measured) -> Sequence[Any]:
    """Return first and last time of each window and slice: two probes of the index each."""
    try:
        slices = Layout.of(read_back(of.settings)).slices
    except SettingsError:  # of another release
        slices = (ALL,)
    pairs = [(window, name) for window in of.windows for name in slices]
    asked = values(sql_column("window_ms", BigInteger), sql_column("slice", Text), name="asked").data(pairs)
    column = numbers.c
    ends = (
        select(func.min(column.bucket_end).label("first"), func.max(column.bucket_end).label("last"))
        .where(column.configuration_id == of.configuration, column.kind == "variant", column.subject == variant)
        .where(column.window_ms == asked.c.window_ms, column.slice == asked.c.slice, column.number == ALWAYS)
        .lateral("ends")
    )
    query = select(asked.c.window_ms, asked.c.slice, ends.c.first, ends.c.last).where(ends.c.first.is_not(None))
    return connection.execute(query).all()


def _points(connection: Connection, selection: Selection, of: Measured) -> Iterator[Point]:
    of_variant = versions(connection, of.configuration, selection.variant)
    judged = {
        (row.bucket_end, row.window_ms, row.variant): row for row in _diagnoses(connection, selection, of, of_variant)
    }
    subjects = {"variant": of_variant, "source": [of.source], "unleaked": [""]}
    windows: dict[tuple[Any, int], list[Row[Any]]] = defaultdict(list)
    for row in _numbers(connection, selection, of, subjects):
        windows[row.bucket_end, row.window_ms].append(row)
    for (time, window), rows in windows.items():
        for subject in sorted({row.subject for row in rows if row.kind == "variant"}) or [selection.variant]:
            diagnosis = judged.get((time, window, subject))
            own = [row for row in rows if row.kind == "variant" and row.subject == subject]
            yield Point(
                time=to_milliseconds(time),
                window_ms=window,
                slice=selection.slice,
                configuration=of.configuration,
                source=of.source,
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
    connection: Connection, selection: Selection, of: Measured, subjects: Mapping[str, Sequence[str]]
) -> Sequence[Row[Any]]:
    column = numbers.c
    within = _within(numbers, selection, of)
    of_kinds = (
        select(*(column[name] for name in COLUMNS)).where(
            column.configuration_id == of.configuration,
            column.kind == kind,
            column.subject.in_(names),
            column.number.in_(NUMBERS[kind]),
            *within,
        )
        for kind, names in subjects.items()
    )
    # One query for each kind, and no OR: every column before the time in the index is then given.
    rows = [row for query in of_kinds for row in connection.execute(query)]
    return sorted(rows, key=lambda row: (row.bucket_end, row.window_ms, row.number))


def _diagnoses(connection: Connection, selection: Selection, of: Measured, of_variant: Sequence[str]) -> Sequence[Any]:
    column = diagnoses.c
    query = select(column.bucket_end, column.window_ms, column.variant, column.diagnosis, column.sentence).where(
        column.configuration_id == of.configuration,
        column.variant.in_(of_variant),
        *_within(diagnoses, selection, of),
    )
    return connection.execute(query).all()


def _within(table: Table, selection: Selection, of: Measured) -> list[ColumnElement[bool]]:
    windows = of.windows if selection.window_ms is None else (selection.window_ms,)
    rules: list[ColumnElement[bool]] = [table.c.slice == selection.slice, table.c.window_ms.in_(windows)]
    if selection.start is not None:
        rules.append(table.c.bucket_end > to_datetime(selection.start))
    if selection.end is not None:
        rules.append(table.c.bucket_end <= to_datetime(selection.end))
    return rules
