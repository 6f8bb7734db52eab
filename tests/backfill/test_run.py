"""Rows of a stretch of a log: those, and no others, that a run over the log makes."""

from __future__ import annotations

from typing import Any

import pytest

from lis_online.backfill.run import Backfill
from lis_online.backfill.stretch import Stretch
from lis_online.history.rows import BucketRow, HistoryRow
from lis_online.records import Record
from lis_online.settings import Settings
from lis_online.shards import pipeline
from lis_online.shards.pipeline import Pipeline
from lis_online.shards.publish import PublishShard
from tests.backfill.village import BUCKET, SETTINGS, Log, backfilled, calm, event, feed, middle, times, whole
from tests.shards.village import table


def published(log: Log, settings: Settings = SETTINGS) -> list[HistoryRow]:
    """Return every row that the shards make of a log, taken at the end."""
    shards = Pipeline(settings)
    shards.publish = PublishShard(settings, shards.rank.layout)
    for topic, value in log:
        shards.update(topic, value)
    shards.finish()
    return shards.publish.take_rows()


def span(row: Any) -> tuple[int, int]:
    """Return begin and end of a row's bucket."""
    return getattr(row, "bucket_start", row.bucket_end - BUCKET), row.bucket_end


def within(rows: list[HistoryRow], stretch: Stretch) -> list[HistoryRow]:
    """Return the rows of a stretch's buckets."""
    return [row for row in rows if stretch.start <= span(row)[0] and span(row)[1] <= stretch.end]


def test_the_whole_log_gives_every_row_of_the_shards() -> None:
    """Numbers, buckets, arms: what the same shards publish, row for row, in the same order."""
    rows, done = calm()
    assert rows == within(published(feed()), whole())
    buckets = [row for row in rows if isinstance(row, BucketRow)]
    assert (done.buckets, done.samples, done.rows) == (len(buckets), sum(row.samples for row in buckets), len(rows))
    assert (done.start, done.end) == (buckets[0].bucket_start, buckets[-1].bucket_end)
    assert done.buckets >= 8 and not done.complete


def test_a_stretch_has_its_own_rows_alone() -> None:
    """Where reading begins with the log, they are those of the whole."""
    assert middle().reads_from < times()[0]
    rows, done = backfilled(middle())
    assert rows == within(calm()[0], middle())
    assert done.buckets == 2
    assert done.samples < done.read <= calm()[1].read


def test_reading_stops_when_nothing_can_change_any_more(monkeypatch: pytest.MonkeyPatch) -> None:
    """A backfill of the first days of a year's log costs no more than these days; its rows are the same."""
    monkeypatch.setattr(pipeline, "TURN", 50)
    taken = 0
    rows: list[HistoryRow] = []

    def counted() -> Any:
        nonlocal taken
        for number, (topic, value) in enumerate(feed()):
            taken += 1
            yield Record(topic, 0, number, -1, value)

    backfill = Backfill(SETTINGS, middle(), rows.extend)
    backfill.run(counted())
    assert backfill.done.complete and taken < 0.9 * len(feed())
    assert rows == within(calm()[0], middle())


def test_what_happened_before_the_warm_up_is_passed_over() -> None:
    """As if the log began there; vectors alone are older."""
    tables = table(preference=[{"name": "coclick", "gap": "3m"}], variant=table()["variant"][:0], experiment=[])
    settings = Settings.of(tables | {"metrics": {**tables["metrics"], "warm_up": "5m"}})
    stretch = middle(settings)
    assert stretch.reads_from == stretch.start - (5 + 3 + 2) * 60_000 > times()[0]
    younger = [
        (topic, value)
        for topic, value in feed()
        if topic == "representations" or event(value)["ts"] >= stretch.reads_from
    ]
    rows, _ = backfilled(stretch, settings)
    assert rows == within(published(younger, settings), stretch) != within(published(feed(), settings), stretch)


@pytest.mark.parametrize("topic", ["impressions", "feedback"])
def test_records_without_a_time_change_no_number(topic: str) -> None:
    """They are counted where reading has begun, and are no reason to stop."""
    bad = (topic, b"not json")
    log = [bad, *feed()[:400], bad, *feed()[400:]]
    rows, _ = backfilled(middle(), log=log)
    kept = [row for row in rows if isinstance(row, BucketRow)]
    assert kept == [row for row in backfilled(middle())[0] if isinstance(row, BucketRow)]


def test_rows_are_handed_over_while_the_log_is_read() -> None:
    """Memory does not grow with the stretch: only the last rows wait, and never many."""
    sizes: list[int] = []
    waiting: list[int] = []
    backfill = Backfill(SETTINGS, whole(), lambda rows: sizes.append(len(rows)), at_once=100)
    records = (Record(topic, 0, number, -1, value) for number, (topic, value) in enumerate(feed()))
    backfill.run(records, lambda run: waiting.append(run.waiting))
    assert len(sizes) > 3 and sum(sizes) == len(calm()[0])
    assert max(waiting) < 100
