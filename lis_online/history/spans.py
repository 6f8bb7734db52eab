"""Sums of buckets that stand for them where a range is read: the same counts, from fewer rows."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, select

from lis_online.errors import HistoryError
from lis_online.history.rows import SPAN_LEVELS, members_digest
from lis_online.history.stored import AT_ONCE, Group, Piece
from lis_online.history.tables import CONFIGURATION, spans
from lis_online.history.times import LATEST, to_datetime, to_milliseconds


@dataclass(frozen=True, slots=True)
class Span:
    """A stored sum of the buckets that began in [start, end), ms; members: their digest when they were summed."""

    level: int
    start: int
    end: int
    members: bytes


def within(connection: Connection, group: Group, start: int, end: int, bucket: int) -> list[Span]:
    """Return the spans that may lie in [start, end), ms, the longest first. bucket: length of a bucket, ms."""
    column = spans.c
    query = select(column.level, column.bucket_start, column.members).where(
        column[CONFIGURATION] == group.configuration,
        column.group == group.group,
        column.level.in_(SPAN_LEVELS),
        # One that begins before the range may still hold no bucket from before it.
        column.bucket_start > to_datetime(max(0, start - max(SPAN_LEVELS) * bucket)),
        column.bucket_start < to_datetime(min(end, LATEST)),
    )
    rows = connection.execute(query.order_by(column.level.desc(), column.bucket_start))
    return [
        Span(row.level, begins, begins + row.level * bucket, row.members)
        for row in rows
        for begins in [to_milliseconds(row.bucket_start)]
    ]


def cover(pieces: Sequence[Piece], known: Sequence[Span]) -> tuple[list[Span], list[Piece]]:
    """Return spans whose members are all among some pieces, and the pieces that are in none of those.

    So what they hold together is what the pieces hold. A span is left out where one of its buckets is not among the
    pieces, was written again since, or is in a longer span; and where another bucket came into its stretch.
    known: the longest first.
    """
    buckets = sorted((piece for piece in pieces if piece.member is not None), key=lambda piece: piece.start)
    starts, taken, chosen = [piece.start for piece in buckets], [False] * len(buckets), []
    for span in known:
        first, last = bisect_left(starts, span.start), bisect_left(starts, span.end)
        if first == last or taken[first]:
            continue
        members = (piece.member for piece in buckets[first:last] if piece.member is not None)
        if members_digest(members) == span.members:
            chosen.append(span)
            taken[first:last] = [True] * (last - first)
    rest = [piece for piece in pieces if piece.member is None]
    return chosen, rest + [piece for piece, gone in zip(buckets, taken, strict=True) if not gone]


def data(connection: Connection, group: Group, wanted: Sequence[Span]) -> Iterator[bytes]:
    """Yield the bytes of the statistics of some spans, in no order."""
    column = spans.c
    for level in sorted({span.level for span in wanted}):
        starts = [to_datetime(span.start) for span in wanted if span.level == level]
        query = select(column.data).where(
            column[CONFIGURATION] == group.configuration,
            column.group == group.group,
            column.level == level,
            column.bucket_start.in_(starts),
        )
        found = 0
        for row in connection.execute(query, execution_options={"yield_per": AT_ONCE}):
            found += 1
            yield row.data
        if found < len(starts):
            raise HistoryError(f"{len(starts) - found} spans went while they were read: ask again", transient=True)
