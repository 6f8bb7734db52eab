"""The publish shard, fed what rank and join shards send."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lis_online.errors import BlockError
from lis_online.events.windows_log import VERSION, ArmMoments, JoinReport, RankBucket, WindowsRecord, encode
from lis_online.history.rows import (
    ArmRow,
    BucketRow,
    CountRow,
    DiagnosisRow,
    HistoryRow,
    NumberRow,
    SampleRatioRow,
    SpanRow,
)
from lis_online.metrics.numbers import numbers
from lis_online.metrics.whole_run import WholeRun
from lis_online.metrics.windows import RollingWindow
from lis_online.records import MAX_TIME, Record
from lis_online.shards.publish import PublishShard
from lis_online.snapshots.steps import whole
from tests.metrics.worlds import make_layout, make_scored, make_settings, make_statistics

LAYOUT = make_layout()
MINUTE = 60_000
START = 1_700_000_040_000 // MINUTE * MINUTE
SETTINGS = make_settings(windows=["2m", "5m"], warm_up="2m", min_effective_users=2, min_positives=1)
BUCKETS = 6
PART = 3_000


@cache
def statistics(minute: int):  # type: ignore[no-untyped-def]
    """Return the statistics of one minute."""
    found = make_statistics(LAYOUT, make_scored(np.random.default_rng(minute), LAYOUT, slates=25, users=40))
    found.leave_out(minute, 1)
    return found


def bucket(minute: int) -> list[RankBucket]:
    """Return the parts of one minute's bucket."""
    data, start = statistics(minute).encode(), START + minute * MINUTE
    pieces = [data[at : at + PART] for at in range(0, len(data), PART)]
    return [
        RankBucket(VERSION, 0, minute, start, start + MINUTE, k, len(pieces), piece, False, START + 7, {}, minute)
        for k, piece in enumerate(pieces)
    ]


def report(shard: int, revision: int, clicks: int) -> JoinReport:
    """Return a join shard's report: three users of arm a, `clicks` clicks of one of them in 12 impressions."""
    unit = 1_000_000
    totals = [(4 * unit, clicks * unit), (4 * unit, 0), (4 * unit, 0)]
    sums = [str(sum(t[q] for t in totals)) for q in (0, 1)]
    products = [str(sum(t[q] * t[p] for t in totals)) for q in (0, 1) for p in (0, 1)]
    arm = ArmMoments("e", "a", 3, 1, sums, products, [3, int(clicks > 0)])
    counts = {"accepted": 10 * clicks, "late_impression": shard}
    return JoinReport(VERSION, shard, revision, START + 7, START + 5 * MINUTE, counts, ["impression", "click"], [arm])


def final() -> RankBucket:
    """Return the record that says that nothing follows."""
    return RankBucket(VERSION, 0, BUCKETS, 0, 0, 0, 1, b"", True, START + 7, {}, 9)


@cache
def log() -> tuple[WindowsRecord, ...]:
    """Return what two join shards and a rank group send: reports on a bucket before it, and some far ahead."""
    records: list[WindowsRecord] = [report(0, START + 40 * MINUTE, 4)]
    for minute in range(BUCKETS):
        end = START + (minute + 1) * MINUTE
        records += [report(shard, end, min(minute, 3)) for shard in (0, 1) if minute != 2]
        records += bucket(minute)
    return (*records, final())


def as_records(sent: list[WindowsRecord]) -> list[Record]:
    """Return records of the windows topic, from offset 0."""
    return [Record("windows", 0, offset, -1, encode(one)) for offset, one in enumerate(sent)]


def run(sent: list[WindowsRecord]) -> tuple[PublishShard, list[HistoryRow]]:
    """Return a shard that was fed all at once, and its rows."""
    shard = PublishShard(SETTINGS, LAYOUT)
    shard.feed(as_records(sent))
    return shard, shard.take_rows()


@cache
def reference() -> tuple[PublishShard, list[HistoryRow]]:
    """Return the calm run."""
    return run(list(log()))


def test_numbers_are_those_of_the_buckets_in_each_window() -> None:
    """Rolling windows hold the buckets after the warm-up that are young enough; the whole run holds all of those."""
    shard, _ = reference()
    view = shard.current
    assert view is not None and view.end == START + BUCKETS * MINUTE and view.warm
    assert view.warm_from == START + 7 + 2 * MINUTE
    whole = WholeRun(LAYOUT, MINUTE)
    for length in (2, 5):
        window = RollingWindow(LAYOUT, length * MINUTE, MINUTE)
        for minute in range(3, BUCKETS):  # the third minute begins before the warm-up ends
            window.update(START + minute * MINUTE, statistics(minute))
            if length == 2:
                whole.update(START + minute * MINUTE, statistics(minute))
        assert view.windows[length * MINUTE] == numbers(window.get(view.end), LAYOUT)
    span = whole.get()
    assert span is not None
    assert view.windows[0] == numbers(span, LAYOUT)
    assert view.left_out == sum(range(BUCKETS)) and view.late_side == 9


def test_warm_up_is_shown_but_not_judged() -> None:
    """Before the warm-up has passed, windows show what there is under insufficient_data; the whole run is empty."""
    shard, rows = run([record for minute in range(2) for record in bucket(minute)])
    view = shard.current
    assert view is not None and not view.warm
    assert view.windows[2 * MINUTE]["all"].samples == statistics(0).samples + statistics(1).samples
    assert view.windows[0]["all"].twin.reason == "no samples after the warm-up"
    assert {row.diagnosis for row in rows if isinstance(row, DiagnosisRow)} == {"insufficient_data"}
    assert shard.summary()["samples"] == 0


def test_rows_name_every_number_of_every_window() -> None:
    """A bucket gives statistics, windows' numbers and diagnoses, arms, counts, the last a span; under its sequence."""
    _, rows = reference()
    last = [row for row in rows if row.revision == BUCKETS - 1]
    kinds = {type(row) for row in last}
    assert kinds == {BucketRow, SpanRow, NumberRow, DiagnosisRow, ArmRow, SampleRatioRow, CountRow}
    found = {(r.window_ms, r.kind, r.subject, r.number) for r in last if isinstance(r, NumberRow) and r.slice == "all"}
    expected = {
        ("unleaked", "", n) for n in ("auc", "gauc", "normalised_entropy", "calibration", "twin", "effective_users")
    }
    of_source = ("lis", "past", "future", "placebo", "adjusted_lis", "bound", "coverage", "collision_share")
    expected |= {("source", "coclick", n) for n in of_source}
    expected |= {("variant", "v", n) for n in ("ais", "adjusted_ais", "efficiency", "coverage")}
    assert found == {(window, *row) for window in (0, 2 * MINUTE, 5 * MINUTE) for row in expected}
    buckets = [row for row in rows if isinstance(row, BucketRow)]
    assert [row.data for row in buckets] == [statistics(minute).encode() for minute in range(BUCKETS)]
    assert len({msgspec.msgpack.encode(row) for row in rows}) == len(rows)


def test_arms_of_a_bucket_are_those_known_at_its_end() -> None:
    """A report on a later bucket waits for it; the end takes the newest."""
    _, rows = reference()
    clicks = {row.revision: row.clicks for row in rows if isinstance(row, ArmRow) and row.arm == "a"}
    assert clicks == {0: 0, 1: 2, 2: 2, 3: 6, 4: 6, 5: 6, 6: 4 + 3}
    (row,) = [r for r in rows if isinstance(r, ArmRow) and (r.arm, r.revision) == ("a", 3)]
    assert (row.users, row.impressions, row.crossed, row.ctr) == (6, 24, 2, 0.25)
    other = [r for r in rows if isinstance(r, ArmRow) and r.arm == "b"]
    assert {(r.users, r.ctr) for r in other} == {(0, None)}


def test_summary_is_over_the_whole_run_after_warm_up() -> None:
    """The summary's numbers leave the warm-up out, its arms and events do not."""
    shard, _ = reference()
    table = json.loads(json.dumps(shard.summary()))
    assert table["samples"] == sum(statistics(minute).samples for minute in range(3, BUCKETS))
    assert (table["from"], table["to"]) == ("2023-11-14T22:17:00+00:00", "2023-11-14T22:20:00+00:00")
    assert table["events"] == {"accepted": 70, "late": 1, "duplicate": 0, "dead_letters": 0}
    assert table["arms"]["e"]["a"]["users"] == 6 and table["arms"]["e"]["b"]["ctr"]["reason"] == "no users"
    assert table["variants"]["v"]["source"] == "coclick"
    order = ["samples", "slates", "from", "to", "events", "set_aside", "unleaked", "twin", "effective_users"]
    assert [*table] == [*order, "sources", "variants", "arms", "experiments"]
    assert shard.finished


def test_summary_without_rolling_windows_is_the_same() -> None:
    """Keeping the whole run alone changes no number of the summary, and makes no rows."""
    shard = PublishShard(SETTINGS, LAYOUT, rolling=False)
    shard.feed(as_records(list(log())))
    assert shard.summary() == reference()[0].summary()
    assert shard.take_rows() == [] and shard.current is None


def test_summary_of_nothing_has_reasons() -> None:
    """A shard that was fed nothing has a summary, with reasons for every number that is not there."""
    table = PublishShard(SETTINGS, LAYOUT).summary()
    assert (table["samples"], table["from"], table["effective_users"]) == (0, None, None)
    assert table["twin"] == {"value": None, "reason": "no samples after the warm-up"}


@settings(max_examples=8, deadline=None)
@given(st.data())
def test_resent_and_split_records_change_nothing(data: st.DataObject) -> None:
    """Parts and reports that are sent again from an earlier point, in any batches, give the same rows, once."""
    sent = list(log())
    again = data.draw(st.integers(0, len(sent) - 1))
    back = data.draw(st.integers(0, again))
    records = as_records([*sent[: again + 1], *sent[back:]])
    shard, rows = PublishShard(SETTINGS, LAYOUT), []
    while records:
        size = data.draw(st.integers(1, 40))
        shard.feed(records[:size])
        records = records[size:]
        rows += shard.take_rows()
    assert rows == reference()[1]
    assert shard.current == reference()[0].current


@pytest.mark.parametrize("cut", [0, 1, 3, 9, 20, 33])
def test_restored_shard_goes_on_exactly(cut: int) -> None:
    """A snapshot between any two records, also within a bucket's parts, changes no row and no number."""
    records = as_records(list(log()))
    cut = min(cut, len(records) - 1)
    first, second = PublishShard(SETTINGS, LAYOUT), PublishShard(SETTINGS, LAYOUT)
    first.feed(records[:cut])
    saved, shown = first.snapshot(), first.current
    first.feed(records[cut:])
    second.restore(replace(saved, meta=msgspec.msgpack.decode(msgspec.msgpack.encode(saved.meta))))
    assert second.current == shown
    second.feed(records)
    assert second.take_rows() == first.take_rows() == reference()[1]
    assert second.current == first.current and second.summary() == first.summary()
    assert second.positions == first.positions == {"windows": len(records)}


@pytest.mark.parametrize("steps", [0, 1, 2, 5, 100])
@pytest.mark.parametrize("more", [0, 1, 2, 6, 100])
def test_a_snapshot_is_that_of_its_beginning_whatever_follows(steps: int, more: int) -> None:
    """Reports and buckets that come while it is copied are not in it, and miss nothing themselves."""
    records = as_records(list(log()))
    cut = len(records) // 2
    shard, calm = PublishShard(SETTINGS, LAYOUT), PublishShard(SETTINGS, LAYOUT)
    shard.feed(records[:cut])
    calm.feed(records[:cut])
    saving = shard.begin_snapshot()
    for _ in range(steps):
        saving.step(0.0)
    shard.feed(records[cut : cut + more])
    assert msgspec.msgpack.encode(whole(saving).meta) == msgspec.msgpack.encode(calm.snapshot().meta)
    shard.feed(records[cut + more :])
    assert shard.take_rows() == reference()[1] and shard.current == reference()[0].current


def test_a_snapshot_is_copied_a_sum_of_statistics_at_a_time() -> None:
    """The stream goes on between two of them: as many steps as sums and blocks at least."""
    shard, _ = reference()
    saving, steps = shard.begin_snapshot(), 1
    while not saving.step(0.0):
        steps += 1
    assert steps > len(SETTINGS.metrics.windows) + BUCKETS - 2  # two minutes of warm-up


def test_missing_bucket_is_refused() -> None:
    """A gap in a group's sequence is an error that names it, and is not passed over."""
    shard = PublishShard(SETTINGS, LAYOUT)
    with pytest.raises(BlockError, match="rank group 0: bucket 1 must come before 2"):
        shard.feed(as_records([*bucket(0), *bucket(2)]))
    assert shard.positions["windows"] == len(bucket(0))


def test_end_without_any_bucket_is_no_number() -> None:
    """A log too short for any bucket ends in reasons, and its arms are there."""
    sent = [report(0, MAX_TIME, 2), RankBucket(VERSION, 0, 0, 0, 0, 0, 1, b"", True, -1, {}, 0)]
    shard, rows = run(sent)
    assert rows == [] and shard.finished
    table = shard.summary()
    assert table["from"] == "2023-11-14T22:14:00.007000+00:00"
    assert table["arms"]["e"]["a"]["impressions"] == 12
