"""What somebody noted beside the numbers: a deploy, an outage, a campaign."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, func, insert, select

from lis_online.errors import UsageError
from lis_online.history.tables import notes
from lis_online.history.times import LATEST, iso, to_datetime, to_milliseconds


@dataclass(frozen=True, slots=True)
class Annotation:
    """A note at `time`, or over [time, end), ms; of every configuration. tags: words to find it by."""

    time: int
    end: int | None
    text: str
    tags: tuple[str, ...] = ()


def annotate(connection: Connection, note: Annotation) -> int:
    """Write a note and return its id. Raises UsageError on an empty text, or an end that is not after its time."""
    if not note.text.strip():
        raise UsageError(f"an annotation's text must not be empty, got {note.text!r}")
    if note.end is not None and note.end <= note.time:
        raise UsageError(f"an annotation's end must be after its time {iso(note.time)}, got {iso(note.end)}")
    row: dict[str, Any] = {
        "time": to_datetime(note.time),
        "end_time": None if note.end is None else to_datetime(note.end),
        "text": note.text,
        "tags": list(note.tags),
    }
    return int(connection.execute(insert(notes).values(row).returning(notes.c.id)).scalar_one())


def annotations_between(
    connection: Connection, start: int | None, end: int | None, tags: Sequence[str] = ()
) -> list[Annotation]:
    """Return the notes that overlap [start, end), ms, oldest first; None leaves that end open. tags: all of them."""
    column = notes.c
    query = select(column.time, column.end_time, column.text, column.tags)
    if start is not None:
        query = query.where(func.coalesce(column.end_time, column.time) >= to_datetime(start))
    if end is not None:
        query = query.where(column.time < to_datetime(min(end, LATEST)))
    if tags:
        query = query.where(column.tags.contains(list(tags)))
    return [
        Annotation(
            to_milliseconds(row.time),
            None if row.end_time is None else to_milliseconds(row.end_time),
            row.text,
            tuple(row.tags),
        )
        for row in connection.execute(query.order_by(column.time, column.id))
    ]
