"""A backfill: records of a log through the shards, and the rows of its stretch into the history."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final, Literal

from lis_online.backfill.stretch import Stretch
from lis_online.history.rows import BucketRow, HistoryRow
from lis_online.settings import Settings
from lis_online.shards.contract import Record
from lis_online.shards.pipeline import Pipeline
from lis_online.shards.publish import PUBLISHED

AT_ONCE: Final = 5_000
"""Rows that are written together: a transaction costs what a few hundred rows do."""

LOOKS: Final = 500
"""Records between two looks at what has been published."""


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
    ) -> None:
        self._pipeline = Pipeline(settings, rolling=True, shards=shards, judge_clock=judge_clock)
        self._stretch = stretch
        self._write = write
        self._rows: list[HistoryRow] = []
        self.done = Backfilled()

    @property
    def watermark(self) -> int:
        """The event time that has been read to in every partition, ms."""
        return self._pipeline.rank.watermark

    def run(self, records: Iterable[Record], progress: Callable[[Backfill], None] = lambda backfill: None) -> None:
        """Read records, each partition's in order, until the stretch is complete or the log ends.

        progress: called now and then. `done` says what was written, also after an exception.
        """
        for number, record in enumerate(records):
            self._pipeline.feed(record)
            if number % LOOKS == 0:
                self._keep(AT_ONCE)
                progress(self)
                if self._is_complete():
                    self.done.complete = True
                    break
        else:
            self._pipeline.finish()
        self._keep(1)
        progress(self)

    def _is_complete(self) -> bool:
        """Say whether the bucket that ends with the stretch, or one after it, is there: buckets come in order."""
        view = self._pipeline.publish.current
        return view is not None and view.end >= self._stretch.end

    def _keep(self, least: int) -> None:
        """Take the rows that there are, and write those of the stretch once they are enough."""
        self._rows += [row for row in self._pipeline.take_rows() if self._stretch.holds(row)]
        self.done.read = self._pipeline.rank.samples
        if len(self._rows) >= least:
            rows, self._rows = self._rows, []
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
