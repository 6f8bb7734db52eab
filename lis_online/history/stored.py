"""The stored statistics of a stretch of time: which buckets and roll-ups there are, and what is in them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, DateTime, Select, Table, any_, func, literal, select
from sqlalchemy.dialects.postgresql import ARRAY

from lis_online.errors import HistoryError
from lis_online.history import bucket_state
from lis_online.history.bucket_state import BucketState
from lis_online.history.rows import Member
from lis_online.history.tables import CONFIGURATION, alignments, buckets, rollups
from lis_online.history.times import LATEST, to_datetime, to_milliseconds
from lis_online.settings.model import DAY

LONGEST: Final = DAY
"""No roll-up is longer, but for less than a bucket: what overlaps a stretch begins at most so much and a bucket before
it, and an index finds it."""
AT_ONCE: Final = 16
"""Rows that are fetched together; one may have a megabyte."""


@dataclass(frozen=True, slots=True)
class Group:
    """The rank group of a configuration: numbers come from the statistics of one."""

    configuration: int
    group: int = 0


@dataclass(frozen=True, slots=True)
class Piece:
    """A stored stretch of time, [start, end) in ms since 1970: a bucket, or a roll-up of several.

    member: of a bucket, what a span that it is in knows it by.
    """

    start: int
    end: int
    rolled_up: bool
    member: Member | None = None

    @property
    def length(self) -> int:
        """Its length, ms."""
        return self.end - self.start

    @property
    def table(self) -> Table:
        """Where it is."""
        return rollups if self.rolled_up else buckets


def pieces(connection: Connection, group: Group, start: int, end: int, bucket: int) -> list[Piece]:
    """Return what overlaps [start, end), in order, every sample in one piece alone. bucket: length of a bucket, ms.

    A bucket that is in a roll-up already is not there again, though it was written again: after a crash, for example.
    """
    found, merged = [], set()
    for row in connection.execute(_overlapping(rollups, group, start, end, bucket).add_columns(rollups.c.members)):
        found.append(Piece(to_milliseconds(row.bucket_start), to_milliseconds(row.bucket_end), rolled_up=True))
        merged.update(row.members)
    known = (buckets.c.revision, buckets.c.samples, func.octet_length(buckets.c.data).label("size"))
    for row in connection.execute(_overlapping(buckets, group, start, end, bucket).add_columns(*known)):
        if row.bucket_start not in merged:
            begins, ends = to_milliseconds(row.bucket_start), to_milliseconds(row.bucket_end)
            member = Member(begins, ends, row.revision, row.samples, row.size)
            found.append(Piece(begins, ends, rolled_up=False, member=member))
    return sorted(found, key=lambda piece: (piece.start, piece.end))


def data(connection: Connection, group: Group, wanted: Sequence[Piece]) -> Iterator[bytes]:
    """Yield the bytes of the statistics of some pieces, in no order."""
    for table in (rollups, buckets):
        starts = {to_datetime(piece.start) for piece in wanted if piece.table is table}
        if not starts:
            continue
        time = table.c.bucket_start
        of_these = time == any_(literal(sorted(starts), ARRAY(DateTime(timezone=True))))  # many, as one parameter
        query = select(time, table.c.data).where(*_of(table, group), time.between(min(starts), max(starts)), of_these)
        for row in connection.execute(query, execution_options={"yield_per": AT_ONCE}):
            starts.remove(row.bucket_start)
            yield row.data
        if starts:
            raise HistoryError(f"{len(starts)} buckets went while they were read: ask again", transient=True)


def state(connection: Connection, group: Group, piece: Piece) -> BucketState | None:
    """Return what was known as of a piece's end; None where a release that kept no state wrote it."""
    table = piece.table
    query = select(table.c.state).where(*_of(table, group), table.c.bucket_start == to_datetime(piece.start))
    found = connection.execute(query).scalar_one_or_none()
    return None if found is None else bucket_state.decode(found)


def first_sample(connection: Connection, group: Group) -> int | None:
    """Return when the group's first sample ever came, ms, as its newest bucket says; None where that is not known."""
    for table in (buckets, rollups):
        newest = select(table.c.state).where(*_of(table, group), table.c.state.is_not(None))
        found = connection.execute(newest.order_by(table.c.bucket_start.desc()).limit(1)).scalar_one_or_none()
        if found is not None:
            return bucket_state.decode(found).first
    return None


def alignment(connection: Connection, group: Group, start: int, end: int) -> list[tuple[int, bytes]]:
    """Return the tallies of the buckets of pair time that begin in [start, end): (start, bytes)."""
    time = alignments.c.bucket_start
    query = select(time, alignments.c.data).where(
        *_of(alignments, group), time >= to_datetime(start), time < to_datetime(end)
    )
    return [(to_milliseconds(row.bucket_start), row.data) for row in connection.execute(query.order_by(time))]


def _of(table: Table, group: Group) -> list[Any]:
    return [table.c[CONFIGURATION] == group.configuration, table.c.group == group.group]


def _overlapping(table: Table, group: Group, start: int, end: int, bucket: int) -> Select[Any]:
    begins, ends = table.c.bucket_start, table.c.bucket_end
    earliest = to_datetime(max(0, start - LONGEST - bucket))
    return (
        select(begins, ends)
        .where(*_of(table, group), begins >= earliest, begins < to_datetime(min(end, LATEST)))
        .where(ends > to_datetime(start))
    )
