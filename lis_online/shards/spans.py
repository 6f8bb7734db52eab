"""Sums of buckets over stretches of 16 and of 256: what makes reading a long range fast."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from lis_online.history.rows import SPAN_LEVELS, BucketRow, Member, SpanRow, members_digest
from lis_online.metrics.in_use import in_use
from lis_online.metrics.layout import Layout
from lis_online.metrics.statistics import Statistics
from lis_online.snapshots.steps import Steps


@dataclass
class _Open:
    """The buckets so far of the stretch that is being added to. parts: of the level below, that were summed."""

    start: int
    total: Statistics
    members: list[Member] = field(default_factory=list)
    parts: int = 0


class Spans:
    """The open stretches of one rank group: two sums, whatever the run's length.

    A stretch is closed, and its row made, when a bucket comes that lies outside, or at the end. Buckets come in order;
    one that does not closes too early, and makes rows that a reader does not use: their members are not all that is
    there. A stretch of one part alone makes no row.
    """

    def __init__(self, layout: Layout, bucket: int) -> None:
        self._layout, self._bucket = layout, bucket
        self._open: dict[int, _Open] = {}

    def update(self, row: BucketRow, statistics: Statistics) -> list[SpanRow]:
        """Add a bucket; return the rows of the stretches that ended before it. statistics: those of the row."""
        rows = self._close(row.group, row.bucket_start)
        member = Member(row.bucket_start, row.bucket_end, row.revision, row.samples, len(row.data))
        self._add(SPAN_LEVELS[0], [member], statistics)
        return rows

    def finish(self, group: int) -> list[SpanRow]:
        """Return the rows of the open stretches: nothing follows."""
        return self._close(group, None)

    def copying(self) -> Steps[list[list[Any]]]:
        """Return the state as msgpack-able data, a sum at a time."""
        state = []
        for level, one in sorted(self._open.items()):
            state.append([level, one.start, one.total.encode(), [list(member) for member in one.members], one.parts])
            yield
        return state

    def restore(self, state: list[list[Any]]) -> None:
        """Replace the state by that of `copying`."""
        self._open = {
            level: _Open(start, Statistics.decode(self._layout, total), [Member(*one) for one in members], parts)
            for level, start, total, members, parts in state
        }

    def _close(self, group: int, following: int | None) -> list[SpanRow]:
        """Close, the shortest first, the stretches that a bucket which starts at `following` does not lie in."""
        rows = []
        for level, above in zip(SPAN_LEVELS, (*SPAN_LEVELS[1:], None), strict=True):
            one = self._open.get(level)
            if one is None or (following is not None and self._start(level, following) == one.start):
                continue
            del self._open[level]
            if one.parts > 1:
                rows.append(_row(one, group, level))
            if above is not None:
                self._add(above, one.members, one.total)
        return rows

    def _add(self, level: int, members: list[Member], statistics: Statistics) -> None:
        start = self._start(level, members[0].start)
        if level not in self._open:
            self._open[level] = _Open(start, Statistics(self._layout))
        one = self._open[level]
        one.total.merge(statistics)
        one.members += members
        one.parts += 1

    def _start(self, level: int, time: int) -> int:
        return time // (level * self._bucket) * (level * self._bucket)


def _row(one: _Open, group: int, level: int) -> SpanRow:
    last = one.members[-1]
    data, digest = in_use(one.total).encode(), members_digest(one.members)
    return SpanRow(one.start, last.end, group, level, one.total.samples, data, digest, last.revision)
