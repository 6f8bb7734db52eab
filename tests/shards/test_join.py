"""The join shard: what comes out is a function of each partition's own order."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import settings as tries
from hypothesis import strategies as st

from lis_online.events.batches import SlateBatch
from lis_online.events.hashing import id_hash
from lis_online.events.rank_log import Block, decode
from lis_online.events.wire import END_TICK
from lis_online.records import MAX_TIME, Record
from lis_online.settings import Settings
from lis_online.shards.join import JoinShard
from lis_online.snapshots.contract import Snapshot
from tests.join.logs import (
    EXPERIMENTS,
    SETTINGS,
    Output,
    feedback,
    impression,
    interleaved,
    output,
    partitions,
    preference,
    records,
    run,
)
from tests.join.oracle import Oracle

BOTH = st.booleans()


def run_log(shown: list[Any], acted: list[Any], settings: Settings = SETTINGS) -> Output:
    """Feed two partitions and their ends."""
    return run(records("impressions", shown, end=True), records("feedback", acted, end=True), settings=settings)


@tries(max_examples=300, deadline=None)
@given(partitions())
def test_a_log_gives_what_brute_force_gives(log: tuple[list[Any], list[Any]]) -> None:
    """Slates, labels, histories, pairs and fates are those of the rules, read off the whole log at once."""
    out, oracle = run_log(*log, settings=EXPERIMENTS), Oracle(EXPERIMENTS, *log)
    assert out.slates == oracle.slates()
    assert [(*p[:5], p[6]) for p in out.pairs] == oracle.pairs
    last = out.reports[-1]
    assert last.counts == dict(oracle.counts) and last.revision == MAX_TIME


@tries(max_examples=200, deadline=None)
@given(partitions(), st.data(), BOTH)
def test_interleaving_and_batching_change_nothing(log: Any, data: st.DataObject, timestamps: bool) -> None:
    """What is sent does not depend on who is read first or on batch sizes; of dead letters, the set does not."""
    shown, acted = log
    shown.insert(len(shown) // 2, b"{")
    acted.insert(len(acted) // 2, None)
    parts = (records("impressions", shown, True, timestamps), records("feedback", acted, True, timestamps))
    shard = JoinShard(EXPERIMENTS, 0)
    batches = data.draw(st.composite(interleaved)(*parts))
    mixed = output([sent for batch in batches for sent in shard.feed(batch)])
    calm = run(*parts, settings=EXPERIMENTS)
    assert (mixed.slates, mixed.pairs, mixed.windows) == (calm.slates, calm.pairs, calm.windows)
    assert sorted(mixed.letters) == sorted(calm.letters)


@tries(max_examples=100, deadline=None)
@given(partitions(), st.data(), BOTH)
def test_a_snapshot_in_the_middle_changes_nothing(log: Any, data: st.DataObject, timestamps: bool) -> None:
    """A shard restored from bytes sends the same bytes as the one that went on, and the snapshot stays as it was."""
    shown, acted = log
    side = records("preferences", [preference(ts=5), preference(ts=7)])
    parts = (records("impressions", shown, True, timestamps), records("feedback", acted, True, timestamps), side)
    batches = data.draw(st.composite(interleaved)(*parts))
    cut = data.draw(st.integers(0, len(batches)))
    shard = JoinShard(EXPERIMENTS, 0)
    for batch in batches[:cut]:
        shard.feed(batch)
    taken = shard.snapshot()
    saved, arrays = frozen(taken)
    rest = [shard.feed(batch) for batch in batches[cut:]]
    assert frozen(taken) == (saved, arrays)
    restored = JoinShard(EXPERIMENTS, 0)
    restored.feed(records("impressions", [impression()]))
    restored.restore(Snapshot(msgspec.msgpack.decode(saved), taken.arrays))
    assert [restored.feed(batch) for batch in batches[cut:]] == rest
    assert frozen(restored.snapshot()) == frozen(shard.snapshot())
    assert restored.positions == shard.positions and restored.counts == shard.counts


def frozen(snapshot: Snapshot) -> tuple[bytes, dict[str, bytes]]:
    """Return a snapshot as bytes."""
    assert all(array.flags.c_contiguous for array in snapshot.arrays.values())
    return msgspec.msgpack.encode(snapshot.meta), {name: array.tobytes() for name, array in snapshot.arrays.items()}


def test_records_below_the_position_are_skipped() -> None:
    """A record that is read again has no effect."""
    shard = JoinShard(SETTINGS, 0)
    first = records("impressions", [impression(), impression("r2", ts=5000)])
    shard.feed(first)
    assert shard.positions == {"impressions": 2}
    shard.feed(first)
    shard.feed([Record("impressions", 0, 2, -1, END_TICK), Record("feedback", 0, 0, -1, END_TICK)])
    assert shard.counts == {"accepted": 2}


def test_feedback_of_the_same_millisecond_is_not_in_the_history() -> None:
    """A history is strictly as of the impression's time: a click at that very time comes after it."""
    shown = [impression("r1", ts=1000), impression("r2", ts=1100), impression("r3", ts=1101)]
    out = run_log(shown, [feedback("r1", ts=1100)])
    assert [slate[8] for slate in out.slates] == [[], [], [id_hash("i1")]]
    assert out.slates[2][9] == [1]


def test_a_click_at_the_windows_end_labels_and_one_after_does_not() -> None:
    """The attribution window is closed at its end; a later click is late and feeds the history."""
    shown = [impression("r1", ts=1000), impression("r2", "u2", ts=1000), impression("r3", "u2", ts=1400)]
    out = run_log(shown, [feedback("r1", ts=1300), feedback("r2", "u2", ts=1301)])
    labels = {slate[1]: slate[6] for slate in out.slates}
    assert labels[id_hash("r1")] == [1, 0] and labels[id_hash("r2")] == [0, 0]
    assert out.slates[-1][8] == [id_hash("i1")]
    assert out.reports[-1].counts == {"accepted": 4, "late_feedback": 1}


def test_late_records_are_judged_by_their_own_partition() -> None:
    """A partition that is far ahead makes nothing in the other one late."""
    shown = records("impressions", [impression("r1", ts=1000), impression("r2", ts=9000)], end=True)
    out = run(shown, records("feedback", [feedback("r1", ts=1100)], end=True))
    assert out.reports[-1].counts == {"accepted": 3}


def test_a_late_impression_is_dropped_and_counted() -> None:
    """The allowed lateness itself is in time, one more millisecond is not."""
    shown = [impression("r1", ts=2000), impression("r2", ts=1900), impression("r3", ts=1899)]
    out = run_log(shown, [])
    assert out.reports[-1].counts == {"accepted": 2, "late_impression": 1}


def test_late_feedback_feeds_the_history_alone() -> None:
    """Feedback behind its watermark labels nothing, pairs nothing and counts for no arm."""
    shown = [impression("r1", ts=2000, experiments={"e": "a"}), impression("r2", ts=2400)]
    acted = [feedback("rx", "u9", ts=2300), feedback("r1", ts=2100)]
    out = run_log(shown, acted)
    assert out.slates[0][6] == [0, 0] and out.slates[1][8:] == ([id_hash("i1")], [200])
    assert out.pairs == [] and out.reports[-1].arms[0].sums == ["1000000", "0", "0"]
    assert out.reports[-1].counts["late_feedback"] == 1


def test_another_users_click_is_not_attributed() -> None:
    """A label needs the user who was shown the item."""
    out = run_log([impression()], [feedback(user="u2")])
    assert out.slates[0][6] == [0, 0] and out.reports[-1].counts["unattributed"] == 1


def test_unknown_names_are_counted_and_the_rest_is_kept() -> None:
    """An unknown arm or surface leaves the impression, an unknown action drops the feedback."""
    shown = [impression(surface="tv", experiments={"e": "z", "f": "a"})]
    out = run_log(shown, [feedback(action="odd"), feedback()])
    counts = {"accepted": 2, "unknown_action": 1, "unknown_arm": 1, "unknown_surface": 1}
    assert out.reports[-1].counts == counts
    assert out.slates[0][3:5] == (2, [-1])


def test_one_set_of_attributes_becomes_columns() -> None:
    """Author, category, age and position travel with their item; what is unknown is 0 or -1."""
    attributes = {"i2": {"author": "ann", "category": "c", "created_ts": 400}, "i9": {}, "i1": {"created_ts": 2000}}
    shown = [impression(items=["i1", "i2", "i3"], item_attributes=attributes, positions=[4, 4, 0])]
    block = run_log(shown, []).blocks[0]
    batch = slates_of(block)
    assert batch.author.tolist() == [0, id_hash("ann"), 0] and batch.category.tolist() == [0, id_hash("c"), 0]
    assert batch.age.tolist() == [-1, 600, -1] and batch.position.tolist() == [4, 4, 0]


def slates_of(block: Block) -> SlateBatch:
    """Return a block's slates."""
    return SlateBatch.decode(block.slates)


def test_malformed_records_become_dead_letters_and_change_no_number() -> None:
    """Bytes that are no event are kept as they are, with where they came from and why; the rest is unchanged."""
    bad = [b"{", b"\xff", impression(items=[]), impression("r3", ts=2**60), {**impression(), "schema_version": 2}]
    shown = [impression("r1"), impression("r2", ts=1200)]
    clean = run_log(shown, [feedback()])
    out = run_log([shown[0], *bad, shown[1]], [feedback(), b"[]"])
    assert (out.slates, out.pairs) == (clean.slates, clean.pairs)
    reasons = sorted(dict(letter.headers)["reason"] for letter in out.letters)
    assert reasons == [b"invalid", b"invalid", b"malformed", b"malformed", b"malformed", b"schema_version"]
    letter = next(letter for letter in out.letters if letter.value == b"[]")
    assert dict(letter.headers)["topic"] == b"feedback" and dict(letter.headers)["offset"] == b"1"
    assert {k: n for k, n in out.reports[-1].counts.items() if k != "accepted"} == {
        "invalid": 2,
        "malformed": 3,
        "schema_version": 1,
    }


@pytest.mark.parametrize("judge", ["record", "median"])
@pytest.mark.parametrize("place", [0, 1, 30, 59, 60])
def test_a_clock_a_year_ahead_moves_nothing(judge: Any, place: int) -> None:
    """Wherever it stands in the log, live or recorded, the record is refused and the numbers stay."""
    year = 365 * 86_400_000
    shown = [impression(f"r{k}", ts=1000 + 10 * k) for k in range(60)]
    broken = impression("odd", ts=1000 + year)
    results = []
    for values in (shown, [*shown[:place], broken, *shown[place:]]):
        given = records("impressions", values, end=True, timestamps=False)
        if judge == "record":
            given = [r._replace(timestamp=2000) for r in given]
        shard = JoinShard(SETTINGS, 0, judge)
        acted = records("feedback", [feedback("r3", ts=1050)], end=True, timestamps=False)
        results.append(output(shard.feed(given) + shard.feed(acted)))
    clean, out = results
    assert out.slates == clean.slates and len(clean.slates) == 60
    assert [dict(letter.headers)["reason"] for letter in out.letters] == [b"too_far_ahead"]


def test_a_live_record_is_judged_by_its_own_time() -> None:
    """Event time may be max_ahead after the time of sending, and not one millisecond more."""
    given = [Record("impressions", 0, k, 1000, r.value) for k, r in enumerate(
        records("impressions", [impression("r1", ts=1500), impression("r2", ts=1501)])
    )]  # fmt: skip
    shard = JoinShard(SETTINGS, 0)
    assert [dict(sent.headers)["offset"] for sent in shard.feed(given)] == [b"1"]


def test_an_idle_partition_is_passed_over_once() -> None:
    """Its watermark becomes that of the other's highest time; what comes behind it afterwards is late."""
    shard = JoinShard(SETTINGS, 0)
    shard.feed(records("impressions", [impression("r1", ts=1000), impression("r2", "u2", ts=5000)]))
    assert shard.watermark == -1
    out = output(shard.idle("feedback"))
    assert shard.watermark == 4899 and [slate[0] for slate in out.slates] == [1000]
    shard.feed([Record("impressions", 0, 2, 9000, msgspec.json.encode(impression("r3", ts=9000)))])
    assert shard.watermark == 4899
    shard.feed(records("feedback", [feedback("r2", "u2", ts=4899), feedback("r2", "u2", ts=4900)]))
    ends = [Record("impressions", 0, 3, -1, END_TICK), Record("feedback", 0, 2, -1, END_TICK)]
    shard.feed(ends)
    assert shard.counts == {"accepted": 4, "late_feedback": 1, "unattributed": 1}


def test_watermark_blocks_are_sent_by_the_second_and_the_end_once() -> None:
    """A block without rows needs a watermark that has moved by a second; MAX_TIME is sent always, and once."""
    shard = JoinShard(SETTINGS, 0)
    shard.feed([Record("impressions", 0, 0, -1, END_TICK)])
    sent = []
    for offset, ts in enumerate((1100, 1600, 2099, 2100, 2200)):
        sent += shard.feed([Record("feedback", 0, offset, ts, msgspec.json.encode(feedback(ts=ts)))])
    sent += shard.feed([Record("feedback", 0, 5, -1, END_TICK)])
    assert [block.watermark for block in output(sent).blocks] == [999, 1999, MAX_TIME]
    again = [Record("feedback", 0, 6, 9, msgspec.json.encode(feedback(ts=9)))]
    assert shard.feed(again) == []


def test_a_report_precedes_the_block_whose_watermark_passed_its_bucket() -> None:
    """Every bucket in which a record was applied is reported, whole, before the watermark that finishes it is sent."""
    times = [600 * k for k in range(8)]
    shown = [impression(f"r{k}", ts=ts) for k, ts in enumerate(times)]
    shard, seen, told = JoinShard(SETTINGS, 0), [], []
    parts = [records("impressions", shown, end=True), records("feedback", [feedback(ts=4300)], end=True)]
    for record in [*parts[1], *parts[0]]:
        for sent in shard.feed([record]):
            if sent.topic == "windows":
                (report,) = output([sent]).reports
                seen.append(report.revision)
                assert report.counts["accepted"] == sum(ts < report.revision for ts in [*times, 4300])
                assert (report.first, report.last) == (0, max(ts for ts in times if ts < report.revision))
            else:
                told.append((decode_watermark(sent.value), list(seen)))
    buckets = [1000, 2000, 3000, 4000, 5000, MAX_TIME]
    assert seen == buckets
    for watermark, before in told:
        assert {b for b in buckets if b <= watermark + 1} <= set(before)


def test_users_totals_precede_the_block_whose_watermark_completed_their_bucket() -> None:
    """Not sent before the window of the bucket's last impression has passed, and before all that says that it has."""
    times = [0, 700, 1999, 2000, 2301, 4100, 6500]
    shown = [impression(f"r{k}", ts=ts, experiments={"e": "a"}) for k, ts in enumerate(times)]
    shard, seen, told = JoinShard(EXPERIMENTS, 0), [], []
    parts = [records("impressions", shown, end=True), records("feedback", [feedback(ts=7000)], end=True)]
    for record in [*parts[1], *parts[0]]:
        for sent in shard.feed([record]):
            out = output([sent._replace(topic="windows")]) if sent.topic == "windows" else None
            if out is None:
                told.append((decode_watermark(sent.value), list(seen)))
            elif out.totals:
                (bucket,) = out.totals
                assert shard.watermark >= bucket.end + 300
                seen.append(bucket.start)
            else:
                told.append((out.reports[0].revision - 1, list(seen)))
    assert seen == [0, 2000, 4000, 6000] and len(told) > 8
    for watermark, before in told:
        assert before == [start for start in (0, 2000, 4000, 6000) if watermark >= start + 2300]


def decode_watermark(value: bytes) -> int:
    """Return a block's watermark."""
    block = decode(value)
    assert isinstance(block, Block)
    return block.watermark


def test_blocks_stay_small_and_early_ones_carry_the_old_watermark() -> None:
    """A large feed is cut, and no block claims slates that are still to come."""
    shown = [impression(f"r{k}", "u", 1000 + k, [f"i{j}" for j in range(100)]) for k in range(500)]
    out = run_log(shown, [])
    assert len(out.slates) == 500 and len(out.blocks) > 4
    assert all(len(block.encode()) < 450_000 for block in out.blocks)
    assert {block.watermark for block in out.blocks[:-1]} == {-1} and out.blocks[-1].watermark == MAX_TIME


def test_what_comes_after_the_end_is_counted_and_changes_nothing() -> None:
    """The end tick ends a partition: the last report stands."""
    parts = records("impressions", [impression(), END_TICK, impression("r2", ts=9)]), records("feedback", [END_TICK])
    shard = JoinShard(SETTINGS, 0)
    out = output(shard.feed(parts[0]) + shard.feed(parts[1]))
    assert len(out.slates) == 1 and out.reports[-1].counts == {"accepted": 1}
    assert shard.counts == {"accepted": 1, "late_impression": 1}
