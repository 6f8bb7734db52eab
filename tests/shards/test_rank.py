"""The rank shard: what it sends is a function of the events."""

from __future__ import annotations

from functools import cache
from typing import Any

import msgspec
import numpy as np
import pytest

from lis_online.errors import BlockError
from lis_online.events.batches import SlateBatch
from lis_online.events.rank_log import Block, decode
from lis_online.metrics.statistics import SAMPLES
from lis_online.records import MAX_TIME, Outgoing, Record
from lis_online.settings import Settings
from lis_online.shards.join import JoinShard
from lis_online.shards.rank import RankShard
from tests.shards.village import (
    SETTINGS,
    blocks,
    buckets,
    calm,
    copied,
    feed,
    frozen,
    joined,
    partitions,
    rank_log,
    shuffled,
    statistics,
    table,
)

CAP = 10
"""Samples of one user in a bucket: two slates."""

CAPPED = Settings.of(table(metrics={**table()["metrics"], "max_user_samples": CAP}))


@cache
def capped() -> list[Outgoing]:
    """Return what a rank shard with a low cap sends for the whole log, fed at once."""
    return RankShard(CAPPED).feed(rank_log(blocks()[0]))


def slates() -> SlateBatch:
    """Return every slate of the log, in the order of the one join shard."""
    decoded = [SlateBatch.decode(block.slates) for block in map(decoded_block, blocks()[0]) if block.slates]
    return SlateBatch.concatenate(decoded)


def test_a_second_run_fed_record_by_record_sends_the_same_bytes() -> None:
    """Two runs agree exactly, and the size of a turn changes nothing."""
    shard = RankShard(SETTINGS)
    assert [out for record in rank_log(blocks()[0]) for out in shard.feed([record])] == calm()
    assert shard.late_side == 0 and shard.samples == len(slates().item) > 500


@pytest.mark.parametrize("size", [17, 5_000])
def test_the_join_shards_batches_change_nothing(size: int) -> None:
    """How many records went into a block does not reach the numbers."""
    (log,) = blocks(size=size)
    assert len(log) != len(blocks()[0])
    assert RankShard(SETTINGS).feed(rank_log(log)) == calm()


@pytest.mark.parametrize("threads", [2, 5])
def test_threads_change_nothing(threads: int) -> None:
    """A ranker is computed whole, whoever computes it: what is sent, and what is kept."""
    one = RankShard(SETTINGS)
    many = RankShard(Settings.of(table(training={**table()["training"], "threads": threads})))
    log = rank_log(blocks()[0])
    assert many.feed(log[:-2]) == one.feed(log[:-2]) != []
    assert frozen(many.snapshot()) == frozen(one.snapshot())
    assert many.feed(log[-2:]) == one.feed(log[-2:])


@pytest.mark.parametrize("seed", [1, 2])
def test_three_join_shards_in_any_interleaving_change_nothing(seed: int) -> None:
    """Partitions of users and the order in which their blocks arrive do not reach the numbers."""
    log = shuffled(blocks(shards=3, size=20), seed)
    assert {decoded_block(value).shard for value in log} == {0, 1, 2}
    assert RankShard(SETTINGS, shards=3).feed(rank_log(log)) == calm()


def test_restarts_on_the_way_change_nothing() -> None:
    """A shard restored from bytes goes on exactly as the one it was taken from; a snapshot is a copy."""
    log = rank_log(blocks()[0])
    shard, sent = RankShard(CAPPED), []
    for at in range(0, len(log), 4):
        taken = shard.snapshot()
        before = frozen(taken)
        again = RankShard(CAPPED)
        again.feed(log[: 2 if at == 8 else 0])  # one of them was in use before: restoring replaces all of it
        again.restore(copied(taken))
        sent += again.feed(log[at : at + 4])
        shard.feed(log[at : at + 1])
        assert frozen(taken) == before
        shard = again
    assert sent == capped() != calm()
    assert dict(shard.positions) == {"samples": len(log)}


def test_blocks_that_were_sent_again_change_nothing() -> None:
    """A join shard that was set back to its checkpoint sends rows again, cut in other places; each counts once."""
    (part,) = partitions(feed(), 1)
    third = len(part) // 3
    join, again = JoinShard(SETTINGS, 0), JoinShard(SETTINGS, 0)
    log = joined(part[:third], 70, join)
    again.restore(join.snapshot())
    log += joined(part[third : 2 * third], 70, join)
    log += joined(part[third:], 90, again)
    log += log[-3:]
    assert RankShard(SETTINGS).feed(rank_log(log)) == calm()


def test_records_below_the_position_are_skipped() -> None:
    """The rank log is read again from a checkpoint's offset, or before it; a tombstone is nothing."""
    log = rank_log(blocks()[0])[:6]
    shard = RankShard(SETTINGS)
    shard.feed(log)
    state = frozen(shard.snapshot())
    assert shard.feed(log) == []
    assert frozen(shard.snapshot()) == state
    shard.feed([Record("samples", 0, 6, -1, None)])
    assert shard.watermark == decoded_block(blocks()[0][5]).watermark


@pytest.mark.parametrize(
    "kept",
    [{"preference": [], "variant": []}, {"preference": ["full"], "variant": ["random"]}],
    ids=["the unleaked ranker alone", "one source and one variant"],
)
def test_leaving_rankers_out_changes_no_unleaked_prediction(kept: dict[str, list[str]]) -> None:
    """No parameter is shared: the bins of the unleaked ranker and its twin are the same to the last count."""
    fewer = table()
    for kind, names in kept.items():
        fewer[kind] = [entry for entry in fewer[kind] if entry["name"] in names]
    fewer["experiment"][0] = {**fewer["experiment"][0], "arm": [{**arm} for arm in fewer["experiment"][0]["arm"]]}
    for arm in fewer["experiment"][0]["arm"]:
        arm.pop("variant", None)
    settings = Settings.of(fewer)
    shard = RankShard(settings)
    (part,) = partitions(feed(), 1)
    found = statistics(shard.feed(rank_log(joined(part, 150, JoinShard(settings, 0)))), shard)
    whole = statistics(calm(), RankShard(SETTINGS))
    assert [one.samples for one in found] == [one.samples for one in whole]
    for some, every in zip(found, whole, strict=True):
        assert len(some.layout.rankers) < len(every.layout.rankers)
        for array in ("fine", "coarse", "sums"):
            assert np.array_equal(getattr(some, array)[:, :2], getattr(every, array)[:, :2]), array


def test_a_sample_is_scored_no_earlier_than_its_horizon_and_soon_after() -> None:
    """Scored and learnt H after it happened; a bucket waits for no later sample, only for the pairs' buckets."""
    shard, leakage, bucket = RankShard(SETTINGS), SETTINGS.leakage, SETTINGS.metrics.bucket
    every = slates()
    times = np.repeat(every.ts, every.n_items)
    ends = (times // bucket + 1) * bucket
    slack = leakage.horizon // 4 + leakage.placebo_grid
    seen = 0
    for record in rank_log(blocks(size=17)[0])[:-1]:
        shard.feed([record])
        known = shard.watermark - leakage.horizon
        assert (ends <= known - slack).sum() <= shard.samples <= (times <= known).sum()
        seen = max(seen, shard.samples)
    assert 0 < seen < len(times)


@pytest.mark.parametrize("tick", ["7s", "5m"])
def test_ticks_that_do_not_divide_the_bucket_change_no_step(tick: str) -> None:
    """No bucket ends while slates of it wait for their counts, even where H is as short as the attribution window."""
    tables = table(preference=[], variant=[], experiment=[])
    tables["leakage"]["horizon"] = "2m"
    tables["training"]["count_tick"] = tick
    settings = Settings.of(tables)
    (part,) = partitions(feed(), 1)
    few, many = (RankShard(settings).feed(rank_log(joined(part, size, JoinShard(settings, 0)))) for size in (5_000, 5))
    assert many == few
    starts = [one.start for one in buckets(many) if not one.final]
    assert starts == sorted(set(starts))


def test_a_finished_log_closes_every_bucket_and_says_so_once() -> None:
    """Every sample is in one bucket of its own time; the final record is the last and holds nothing."""
    *closed, last = buckets(calm())
    every, bucket = slates(), SETTINGS.metrics.bucket
    starts, sizes = np.unique(np.repeat(every.ts // bucket * bucket, every.n_items), return_counts=True)
    counted = [one.samples for one in statistics(calm(), RankShard(SETTINGS))]
    assert [(one.start, one.end) for one in closed] == [(start, start + bucket) for start in starts.tolist()]
    assert counted == sizes.tolist()
    assert [one.sequence for one in closed] + [last.sequence] == list(range(len(closed) + 1))
    assert last.final and last.data == b"" and not any(one.final for one in closed)
    assert {one.first for one in closed} == {int(every.ts[0])}
    shard = RankShard(SETTINGS)
    shard.feed(rank_log(blocks()[0]))
    assert shard.watermark == MAX_TIME
    assert shard.feed(rank_log(blocks()[0][-1:], first=len(blocks()[0]))) == []


def test_slices_hold_the_slates_of_their_surface_and_arm() -> None:
    """A bucket's counts by slice are those of the log's slates, read off directly."""
    every = slates()
    found = sum(one.counts.sum(axis=1)[:, SAMPLES] for one in statistics(calm(), RankShard(SETTINGS)))
    by_surface = [int(every.n_items[every.surface == k].sum()) for k in range(3)]
    by_arm = [int(every.n_items[every.arm[:, 0] == k].sum()) for k in range(2)]
    assert found.tolist() == [len(every.item), *by_surface, *by_arm]
    assert min(by_surface[:2]) > 0 and min(by_arm) > 0


def decoded_block(value: bytes) -> Block:
    """Return the block of a record that is one."""
    block = decode(value)
    assert isinstance(block, Block)
    return block


def test_side_records_after_their_time_are_counted() -> None:
    """A pair and a vector whose times have been applied take effect late, and every later bucket says how many."""
    log = [decoded_block(value) for value in blocks()[0]]
    cut = len(log) * 3 // 4
    before, after = log[:cut], log[cut:]
    sides = [side for block in before for side in block.side]
    pair = next(side for side in sides if side.variant < 0)
    vector = next(side for side in sides if side.variant >= 0)
    ends = [np.frombuffer(s.offsets, "<i8")[-1] + 1 for b in log for s in b.side if s.variant < 0]
    vector_ends = [np.frombuffer(s.offsets, "<i8")[-1] + 1 for b in log for s in b.side if s.variant >= 0]
    again = [moved(pair, int(max(ends))), moved(vector, int(max(vector_ends)))]
    rows = sum(len(np.frombuffer(side.offsets, "<i8")) for side in again)
    shard = RankShard(SETTINGS)
    sent = shard.feed(rank_log(block.encode() for block in before))
    assert shard.late_side == 0
    late = msgspec.structs.replace(after[0], slates=b"", pairs=b"", side=again, watermark=shard.watermark)
    rest = [late, *(msgspec.structs.replace(block, side=[]) for block in after)]
    sent += shard.feed(rank_log((block.encode() for block in rest), first=cut))
    told = [one.late_side for one in buckets(sent)]
    assert shard.late_side == rows > 1
    assert told == sorted(told) and told[-1] == rows and 0 in told


def moved(side: Any, offset: int) -> Any:
    """Return a side record's rows at later offsets of their topic."""
    count = len(side.offsets) // 8
    return msgspec.structs.replace(side, offsets=np.arange(offset, offset + count).astype("<i8").tobytes())


def test_a_users_samples_beyond_the_cap_are_learnt_and_left_out_of_the_numbers() -> None:
    """Whole slates, in order, until the user's cap in the bucket is reached; what is kept out is counted."""
    found = statistics(capped(), RankShard(CAPPED))
    every, bucket = slates(), SETTINGS.metrics.bucket
    order = np.lexsort((every.request, every.ts))
    total: dict[tuple[int, int], int] = {}
    kept = np.zeros(len(every), bool)
    for row in order.tolist():
        key = (int(every.user[row]), int(every.ts[row] // bucket))
        size = total.get(key, 0) + int(every.n_items[row])
        if size <= CAP:
            total[key] = size
            kept[row] = True
    assert sum(one.samples for one in found) == every.n_items[kept].sum()
    left_out = sum(one.left_out for one in found)
    assert left_out.tolist() == [every.n_items[~kept].sum(), (~kept).sum()]
    assert 0 < left_out[1] < len(every) // 2
    whole = statistics(calm(), RankShard(SETTINGS))
    unlimited = [k for k, one in enumerate(found) if not one.left_out.any() and sum(s.left_out[1] for s in found[:k])]
    assert unlimited and all(np.array_equal(found[k].fine, whole[k].fine) for k in unlimited)


def test_a_gap_in_the_log_is_refused() -> None:
    """A missing block is a bug or a lost record: never a silent hole in the numbers."""
    log = blocks()[0]
    holes = [k for k in range(1, len(log) - 1) if decoded_block(log[k]).slates]
    shard = RankShard(SETTINGS)
    with pytest.raises(BlockError, match=r"join shard 0: (slate|pair) \d+ must come next, got \d+"):
        shard.feed(rank_log(log[: holes[0]] + log[holes[0] + 1 :]))


def test_a_block_of_another_version_is_refused() -> None:
    """What cannot be read is refused with both versions named."""
    block = Block(99, 0, 0, b"", 0, b"", [], 5)
    with pytest.raises(BlockError, match="has version 99, this code reads 3"):
        RankShard(SETTINGS).feed(rank_log([block.encode()]))
    with pytest.raises(BlockError, match="cannot be read"):
        RankShard(SETTINGS).feed(rank_log([b"\xc1"]))
