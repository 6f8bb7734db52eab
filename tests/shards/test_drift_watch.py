"""Drift detection over a publish shard's buckets, against a monitor that is fed sums made by hand."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import msgspec
import numpy as np
import pytest

from lis_online.drift import reading as names
from lis_online.drift.event import DriftEvent
from lis_online.drift.monitor import Monitor
from lis_online.drift.reading import INPUT, UNLEAKED, VARIANT, Reading, Series
from lis_online.drift.reading import share as share_of
from lis_online.drift.readings import readings
from lis_online.drift.tuning import Tuning
from lis_online.events.windows_log import VERSION, JoinReport, RankBucket, WindowsRecord, encode
from lis_online.history.rows import DriftRow, HistoryRow
from lis_online.metrics.alignment import FIXED, PAIRS, VECTORS, PairAlignment, Tallies, distance, length, share
from lis_online.metrics.alignment import encode as encode_tallies
from lis_online.metrics.bins import GROUPS
from lis_online.metrics.blocks import Block
from lis_online.metrics.layout import Layout
from lis_online.metrics.presence import Presence
from lis_online.metrics.statistics import Statistics
from lis_online.metrics.windows import Window
from lis_online.records import Record
from lis_online.settings import Settings
from lis_online.shards.publish import PublishShard
from lis_online.shards.view import PublishView
from tests.metrics.worlds import make_scored, make_statistics

MINUTE = 60_000
WIDTH = 2 * MINUTE
START = 1_700_000_040_000 // WIDTH * WIDTH
FIRST = START + 7
AHEAD = 30
"""Minutes that pair time runs ahead of the buckets': the default horizon."""
FALL, RISE = 34, 46
"""The pairs' vectors are broken from one minute to another."""
SILENT = 41
"""A minute without samples, the second of a detection bucket: it has no record."""
MINUTES = [minute for minute in range(60) if minute != SILENT]
TUNING = Tuning(bucket=WIDTH, learning=8 * WIDTH, window=60 * WIDTH, gap=2 * WIDTH, same=15 * WIDTH)


def settings(warm_up_samples: int = 0, **drift: object) -> Settings:
    """Return settings that detect in buckets of two minutes."""
    return Settings.of(
        {
            "events": {"surfaces": []},
            "variant": [{"name": "v", "preference": "coclick", "dimension": 4, "versions": 1}],
            "metrics": {"windows": ["2m"], "warm_up": "3m", "warm_up_samples": warm_up_samples},
            "drift": {"bucket": "2m", "learning": "16m", "window": "2h", "gap": "4m", "same": "30m", **drift},
        }
    )


SETTINGS = settings()
LAYOUT = Layout.of(SETTINGS)


@cache
def statistics(minute: int) -> Statistics:
    """Return a minute's statistics: of the same feed, minute for minute."""
    gains = {"leaked:coclick": 0.6, "aligned:v": 0.5}
    return make_statistics(LAYOUT, make_scored(np.random.default_rng(minute), LAYOUT, slates=40, users=60, gains=gains))


def tallies(minute: int) -> Tallies:
    """Return the pairs of a minute: nine in ten won, six in ten while the vectors are broken."""
    rng = np.random.default_rng(1_000 + minute)
    pairs = rng.integers(5, 15, GROUPS)
    won = rng.binomial(2 * pairs, 0.6 if FALL <= minute < RISE else 0.9)
    lengths, distances = pairs * rng.integers(FIXED, 2 * FIXED, GROUPS), pairs * rng.integers(0, FIXED, GROUPS)
    rows = [won, pairs, pairs // 9, 2 * pairs, 2 * lengths, pairs, distances]
    return {("v", "1"): np.stack(rows).astype(np.int64)}


def report(minute: int) -> JoinReport:
    """Return a join shard's report as of a minute's end: of a thousand records a minute, eight are late."""
    counts = {"accepted": 990 * (minute + 1), "late_feedback": 8 * (minute + 1), "malformed": 2 * (minute + 1)}
    return JoinReport(VERSION, 0, START + (minute + 1) * MINUTE, FIRST, FIRST, counts, ["impression", "click"], [])


def bucket(minute: int) -> RankBucket:
    """Return a minute's record, with the pair time that has become known."""
    start = START + minute * MINUTE
    before = {0: AHEAD, SILENT + 1: 2}.get(minute, 1)
    known = range(minute + AHEAD - before, minute + AHEAD)
    pairs = [(START + at * MINUTE, encode_tallies(tallies(at))) for at in known]
    data, versions = statistics(minute).encode(), [*Presence.of(LAYOUT).versions]
    return RankBucket(
        VERSION, 0, MINUTES.index(minute), start, start + MINUTE, 0, 1, data, False, FIRST, {}, 0, versions, {}, pairs,
    )  # fmt: skip


@cache
def log() -> tuple[WindowsRecord, ...]:
    """Return the records of an hour."""
    return tuple(record for minute in MINUTES for record in (report(minute), bucket(minute)))


def records(sent: tuple[WindowsRecord, ...]) -> list[Record]:
    """Return records of the windows topic."""
    return [Record("windows", 0, offset, -1, encode(one)) for offset, one in enumerate(sent)]


def run(used: Settings = SETTINGS) -> tuple[PublishShard, list[HistoryRow]]:
    """Return a shard that was fed the hour, and its rows."""
    shard = PublishShard(used, LAYOUT)
    shard.feed(records(log()))
    return shard, shard.take_rows()


@cache
def reference() -> tuple[PublishShard, list[HistoryRow]]:
    """Return the calm run."""
    return run()


def told(rows: list[HistoryRow]) -> list[DriftRow]:
    """Return the rows of events."""
    return [row for row in rows if isinstance(row, DriftRow)]


def view(shard: PublishShard) -> PublishView:
    """Return the shard's view."""
    assert shard.current is not None
    return shard.current


def minutes_of(start: int) -> list[int]:
    """Return the minutes with samples of a detection bucket."""
    first = (start - START) // MINUTE
    return [minute for minute in (first, first + 1) if minute in MINUTES]


def by_hand(start: int) -> list[Reading]:
    """Return the readings of two minutes: sums, blocks and pairs put together here."""
    at = minutes_of(start)
    total = Statistics(LAYOUT)
    for minute in at:
        total.merge(statistics(minute))
    window = Window(start, start + WIDTH, total, [Block.of(statistics(minute)) for minute in at])
    stack = np.stack([tallies((start - START) // MINUTE + k)["v", "1"] for k in range(2)])
    pairs, vectors = (int(stack[:, row].sum()) for row in (PAIRS, VECTORS))
    aligned = PairAlignment("v", "1", share(stack), pairs, 0, 0, vectors, length(stack), distance(stack))
    found = readings(window, LAYOUT, "auc", Presence.of(LAYOUT), {"v": aligned})
    if start == START + 2 * WIDTH:  # counts before it are not known
        return found
    records = 1_000 * (at[-1] - minutes_of(start - WIDTH)[-1])
    slates = int(total.counts[0, :, 2].sum())
    late, dead = (
        share_of(Series(INPUT, "", number), start, part, records, records / slates)
        for number, part in ((names.LATE_SHARE, 0.008), (names.DEAD_SHARE, 0.002))
    )
    return [*found, late, dead]


@cache
def expected() -> tuple[list[DriftEvent], list[object]]:
    """Return the events as they were told, and the state, of a monitor that was given the readings by hand."""
    monitor, found = Monitor(TUNING), list[DriftEvent]()
    for start in range(START + 2 * WIDTH, START + 60 * MINUTE, WIDTH):  # 3 minutes of warm-up
        found += monitor.update(by_hand(start))
    return found, monitor.snapshot()


def test_events_are_those_of_the_sums_of_non_overlapping_stretches() -> None:
    """The fall of pair alignment is told once, told again when it is over, and nothing else is."""
    found, _ = expected()
    first, last = found
    assert (first.series, first.until) == (Series(VARIANT, "v", names.PAIR_ALIGNMENT), None)
    assert first.cause == "representation" and abs(first.time - (START + FALL * MINUTE)) <= WIDTH
    assert last.until is not None and abs(last.until - (START + RISE * MINUTE)) <= WIDTH
    rows = told(reference()[1])
    assert [(r.time, r.detected_at, r.until, r.sentence) for r in rows] == [
        (e.time, e.detected_at, e.until, e.sentence) for e in found
    ]


def test_row_holds_both_levels_with_intervals_and_the_bucket_that_told_it() -> None:
    """The second row replaces the first by its revision."""
    first, last = told(reference()[1])
    assert (first.kind, first.variant, first.number, first.slice, first.window_ms) == (
        "variant", "v", "pair_alignment", "all", WIDTH,
    )  # fmt: skip
    assert first.before is not None and abs(first.before - 0.9) < 0.02
    assert first.after is not None and abs(first.after - 0.6) < 0.02
    assert first.before_lower is not None and first.before_upper is not None
    assert first.before_lower < first.before < first.before_upper
    # told with the record of the detection bucket's last minute, or of the first one after a silent one
    told_at = (first.detected_at + WIDTH - START) // MINUTE - 1
    assert first.revision == MINUTES.index(told_at + (told_at == SILENT)) < last.revision


def test_state_is_that_of_the_readings_made_by_hand() -> None:
    """Every series, also those in which nothing happened: late records and dead letters among them."""
    saved = reference()[0].snapshot().meta["drift"]["monitor"]
    mine = expected()[1]
    assert {tuple(series) for series, _ in saved[0]} == {tuple(series) for series, _ in mine[0]}  # type: ignore[attr-defined]
    assert msgspec.msgpack.encode(saved) == msgspec.msgpack.encode(mine)


@pytest.mark.parametrize("cut", [3, 73, 78, 90])
def test_restored_shard_goes_on_exactly(cut: int) -> None:
    """Before detection began, within a detection bucket, between two, and while an event is open."""
    sent = records(log())
    first, second = PublishShard(SETTINGS, LAYOUT), PublishShard(SETTINGS, LAYOUT)
    first.feed(sent[:cut])
    before = first.take_rows()
    saved, shown = first.snapshot(), first.current
    second.restore(replace(saved, meta=msgspec.msgpack.decode(msgspec.msgpack.encode(saved.meta))))
    assert second.current == shown
    second.feed(sent)
    assert before + second.take_rows() == reference()[1]
    assert second.current == reference()[0].current
    assert second.snapshot().meta["drift"] == reference()[0].snapshot().meta["drift"]


def test_view_says_what_is_judged_what_is_away_and_what_was_told() -> None:
    """A series that is judged and calm is False; while an event is open, its own number alone is True."""
    shard = PublishShard(SETTINGS, LAYOUT)
    fallen = Series(VARIANT, "v", names.PAIR_ALIGNMENT)
    away = []
    for record in records(log()):
        shard.feed([record])
        drift = None if shard.current is None else shard.current.drift
        if drift is not None:
            away.append([series for series, is_away in drift.away.items() if is_away])
            assert set(drift.told) == {(event.series, event.cause) for event in drift.events}
    assert away[0] == [] and [fallen] in away and away[-1] == []
    last = view(shard).drift
    assert last is not None
    assert last.told == {(fallen, "representation"): 1}
    assert last.away[Series(UNLEAKED, "", names.AUC)] is False
    (event,) = shard.live_summary()["drift"]
    assert (event["kind"], event["subject"], event["number"]) == fallen
    assert event["open"] is False and event["until"] is not None and event["cause"] == "representation"


def test_nothing_is_looked_for_where_it_is_switched_off() -> None:
    """No state, no row; the summary says None, not that there was nothing."""
    shard, rows = run(settings(enabled=False))
    assert told(rows) == [] and view(shard).drift is None
    assert shard.live_summary()["drift"] is None
    assert shard.snapshot().meta["drift"] is None
    assert [row for row in rows if not isinstance(row, DriftRow)] == [
        row for row in reference()[1] if not isinstance(row, DriftRow)
    ]


def test_detection_buckets_of_another_length_begin_anew() -> None:
    """What was learnt over two minutes says nothing of four; the rest of the state is kept."""
    first, second = PublishShard(SETTINGS, LAYOUT), PublishShard(settings(bucket="4m", learning="32m"), LAYOUT)
    first.feed(records(log())[:90])
    second.restore(first.snapshot())
    drift = view(second).drift
    assert drift is not None and drift.away == {} and drift.events == ()
    assert view(second).windows == view(first).windows


def test_nothing_is_learnt_from_before_the_rankers_have_learnt() -> None:
    """Until `metrics.warm_up_samples` LIS and AIS rise: that is no level."""
    samples = sum(statistics(minute).samples for minute in range(20))
    shard = PublishShard(settings(warm_up_samples=samples), LAYOUT)
    shard.feed(records(log()[:60]))
    times = [row[0] for _, (_, rows, *_) in shard.snapshot().meta["drift"]["monitor"][0] for row in rows]
    assert min(times) == START + 20 * MINUTE
