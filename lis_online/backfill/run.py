"""A backfill: records of a log through the shards, and the rows of its stretch into the history."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final, Literal

from lis_online.backfill.stretch import Stretch
from lis_online.collector import collecting_seldom
from lis_online.history.rows import BucketRow, HistoryRow
from lis_online.records import Record
from lis_online.settings import Settings
from lis_online.shards.pipeline import Pipeline
from lis_online.shards.publish import PUBLISHED

AT_ONCE: Final = 5_000
"""Rows that are written together: a transaction costs what a few hundred rows do."""

TELLS: Final = 500
"""Records between two calls of `progress`."""


@dataclass
class Backfilled:
    """What a backfill has written. start, end: of its first and last bucket, ms, None while there is none.

    samples, buckets: of the published rank group. read: samples scored, the warm-up's among them. complete: whether
    the log went on until nothing before the stretch's end could change any more.
    """

    samples: int = 0
    buckets: int = 0
    rows: int = 0
    start: int | None = None
    end: int | None = None
    read: int = 0
    complete: bool = False


class Backfill:
    """The shards over a stretch of a log.

    write: takes rows, durable on return (`HistoryWriter.write`). A row's revision is the number of its bucket since
    reading began. So one that was stopped is completed by running it again; and where two overlap, the rows of the one
    that began earlier stand, whichever ran first: its rankers had learnt longer. shards, judge_clock: as `Pipeline`.
    """

    def __init__(
        self,
        settings: Settings,
        stretch: Stretch,
        write: Callable[[list[HistoryRow]], None],
        shards: int = 1,
        judge_clock: Literal["record", "median"] = "median",
        at_once: int | None = None,
    ) -> None:
        self._pipeline = Pipeline(settings, self._take, shards, judge_clock)
        self._stretch = stretch
        self._write = write
        self._at_once = AT_ONCE if at_once is None else at_once
        self._rows: list[HistoryRow] = []
        self._ending = False
        self.done = Backfilled()

    @property
    def waiting(self) -> int:
        """Rows that are not written yet."""
        return len(self._rows)

    @property
    def watermark(self) -> int:
        """The event time that has been read to in every partition, ms."""
        return self._pipeline.rank.watermark

    def run(self, records: Iterable[Record], progress: Callable[[Backfill], None] = lambda backfill: None) -> None:
        """Read records, each partition's in order, until the stretch is complete or the log ends.

        progress: called now and then. `done` says what was written, also after an exception.
        """
        with collecting_seldom():
            for number, record in enumerate(records):
                self._pipeline.feed(record)
                if number % TELLS == 0:
                    progress(self)
                if self.done.complete:
                    break
            else:
                self._ending = True
                self._pipeline.finish()
        self._flush()
        progress(self)

    def _take(self, rows: list[HistoryRow]) -> None:
        """Keep the rows of the stretch, and write them once they are many. Buckets come in order."""
        view = self._pipeline.publish.current
        self.done.complete = not self._ending and view is not None and view.end >= self._stretch.end
        self.done.read = self._pipeline.rank.samples
        self._rows += [row for row in rows if self._stretch.holds(row)]
        if len(self._rows) >= self._at_once:
            self._flush()

    def _flush(self) -> None:
        rows, self._rows = self._rows, []
        if rows:
            self._write(rows)
            self._count(rows)

    def _count(self, rows: list[HistoryRow]) -> None:
        done = self.done
        done.rows += len(rows)
        for row in rows:
            if isinstance(row, BucketRow) and row.group == PUBLISHED:
                done.samples += row.samples
                done.buckets += 1
                done.start = row.bucket_start if done.start is None else done.start
                done.end = row.bucket_end
