"""Versions of a variant in the rank shard: slots, forks, retirement, and nothing else moved."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import msgspec
import numpy as np
import pytest

from lis_online.events.rank_log import VERSION, Control
from lis_online.events.windows_log import RankBucket
from lis_online.metrics.layout import UNLEAKED
from lis_online.metrics.statistics import Statistics
from lis_online.records import Outgoing
from lis_online.settings import Settings
from lis_online.shards.join import JoinShard
from lis_online.shards.rank import RankShard
from tests.shards.village import (
    MINUTE,
    SETTINGS,
    Log,
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

SWITCH = 15
"""Minutes after the start at which version 2 of the variant "good" is published."""

BUCKET = SETTINGS.metrics.bucket


@cache
def start() -> int:
    """Return the time of the first impression."""
    return min(ts_of(value) for topic, value in feed() if topic == "impressions")


def republished(minute: int, version: str, stop: bool = False, base: Callable[[], Log] = feed) -> Log:
    """Return the feed with all vectors of "good" published again under another version at a minute, and from then on.

    stop: the version before gets no more vectors.
    """
    at, begun = start() + minute * MINUTE, False
    items: dict[str, dict[str, Any]] = {}
    log: Log = []
    for topic, value in base():
        event = msgspec.json.decode(value or b"")
        if topic == "impressions" and event["ts"] >= at and not begun:
            begun = True
            log += [("representations", encoded(one, version, at)) for one in items.values()]
        if topic != "representations" or event["variant"] != "good":
            log.append((topic, value))
            continue
        items[event["item_id"]] = event
        if not (begun and stop):
            log.append((topic, value))
        if begun:
            log.append((topic, encoded(event, version, event["ts"])))
    return log


def ts_of(value: bytes | None) -> int:
    """Return a record's time."""
    return int(msgspec.json.decode(value or b"")["ts"])


def encoded(event: dict[str, Any], version: str, ts: int) -> bytes:
    """Return a vector's record under another version and time."""
    return msgspec.json.encode({**event, "version": version, "ts": ts})


@cache
def two(stop: bool = False) -> Log:
    """Return the feed with a second version."""
    return republished(SWITCH, "2", stop)


def blocks_of(log: Log, shards: int = 1, size: int = 150, settings: Settings = SETTINGS) -> list[list[bytes]]:
    """Return the blocks of each of some join shards."""
    parts = partitions(log, shards)
    return [joined(part, size, JoinShard(settings, shard)) for shard, part in enumerate(parts)]


@cache
def sent(stop: bool = False) -> list[Outgoing]:
    """Return what a rank shard sends for the feed with a second version, fed at once."""
    return RankShard(SETTINGS).feed(rank_log(blocks_of(two(stop))[0]))


def held(bucket: RankBucket) -> dict[str, tuple[str, int, bool]]:
    """Return version, begin and whether it is the newest, of each slot of "good"."""
    return {one.slot: (one.version, one.began, one.newest) for one in bucket.versions if one.slot.startswith("good")}


def test_a_second_version_has_a_slot_from_the_next_bucket_on() -> None:
    """Its rankers are in every sample of a bucket or in none; the first version keeps its own."""
    at = start() + SWITCH * MINUTE
    layout = RankShard(SETTINGS).layout
    new = layout.rankers.index("aligned:good#2")
    seen = 0
    for bucket, found in zip(buckets(sent())[:-1], statistics(sent(), RankShard(SETTINGS)), strict=True):
        began = (at // BUCKET + 1) * BUCKET
        if bucket.start < began:
            assert held(bucket) == {"good": ("1", 0, True)}
            assert not found.fine[:, new].any() and not found.vectors[:, layout.variants.index("good#2")].any()
        else:
            assert held(bucket) == {"good": ("1", 0, False), "good#2": ("2", began, True)}
            assert found.fine[0, new].sum() == found.samples
            seen += int(found.vectors[0, layout.variants.index("good#2")])
    assert seen > 0
    versions = [one for one in buckets(sent())[-1].versions if one.slot == "good#2"]
    assert [one.since for one in versions] == [at]


def test_a_second_version_moves_no_bit_of_any_other_ranker() -> None:
    """Before it comes the records are the same bytes; after, so are the counts of all that was there."""
    layout, old = RankShard(SETTINGS).layout, RankShard(SETTINGS).layout.places(RankShard(SETTINGS).layout.firsts())
    before = [bucket.data for bucket in buckets(calm())]
    for k, (bucket, found, whole) in enumerate(
        zip(
            buckets(sent()),
            statistics(sent(), RankShard(SETTINGS)),
            statistics(calm(), RankShard(SETTINGS)),
            strict=False,
        )
    ):
        if bucket.start < start() + SWITCH * MINUTE:
            assert bucket.data == before[k]
        for array in ("fine", "coarse", "sums"):
            assert np.array_equal(getattr(found, array)[:, old], getattr(whole, array)[:, old]), array
    assert len(old) < len(layout.rankers)


def test_the_same_vectors_again_are_ranked_nearly_alike_after_the_fork() -> None:
    """The new version's permuted and aligned rankers learn: they are neither the old ones nor the unleaked one."""
    layout = RankShard(SETTINGS).layout
    last = statistics(sent(), RankShard(SETTINGS))[-1]
    new, old = (last.fine[0, layout.rankers.index(name)] for name in ("aligned:good#2", "aligned:good"))
    assert not np.array_equal(new, old) and not np.array_equal(new, last.fine[0, UNLEAKED])


def test_a_version_without_a_vector_that_is_used_is_ranked_as_by_the_unleaked_ranker() -> None:
    """A fair fork: it differs from the unleaked ranker by what its own block teaches, and that is nothing here."""
    at = start() + SWITCH * MINUTE
    stranger = {"schema_version": 1, "variant": "good", "version": "2", "item_id": "nobody", "ts": at}
    stranger["vector"] = [1.0] * SETTINGS.variant[0].dimension
    first = next(k for k, (topic, v) in enumerate(feed()) if topic == "impressions" and ts_of(v) >= at)
    log = [*feed()[:first], ("representations", msgspec.json.encode(stranger)), *feed()[first:]]
    shard = RankShard(SETTINGS)
    found = statistics(shard.feed(rank_log(blocks_of(log)[0])), shard)
    for name in ("aligned:good#2", "permuted:good#2"):
        place = shard.layout.rankers.index(name)
        forked = [one for one in found if one.fine[:, place].any()]
        assert len(forked) > 3
        assert all(np.array_equal(one.coarse[:, place], one.coarse[:, UNLEAKED]) for one in forked)


@pytest.mark.parametrize(("shards", "size"), [(1, 17), (3, 20)])
def test_batches_and_interleavings_change_nothing(shards: int, size: int) -> None:
    """When a version begins is a function of the events."""
    log = shuffled(blocks_of(two(), shards, size), seed=4)
    assert RankShard(SETTINGS, shards=shards).feed(rank_log(log)) == sent()


def test_restarts_in_every_state_change_nothing() -> None:
    """A restored shard goes on exactly, with vectors that wait for a slot, one version, two, and one that retired."""
    log = rank_log(blocks_of(two(stop=True), size=40)[0])
    shard, out = RankShard(SETTINGS), []
    states = set()
    for at in range(0, len(log), 5):
        taken = shard.snapshot()
        before = frozen(taken)
        again = RankShard(SETTINGS)
        again.restore(copied(taken))
        out += again.feed(log[at : at + 5])
        assert frozen(taken) == before
        shard = again
        variant = taken.meta["vectors"][0]
        states.add((bool(variant["waiting"]), tuple(slot[4] for slot in variant["assignment"][1])))
    assert out == sent(stop=True)
    assert {in_use for _, in_use in states} == {(True, False), (True, True), (False, True)}
    assert {waits for waits, _ in states} == {True, False}


def test_a_version_retires_after_the_memory_without_vectors() -> None:
    """Its slot is no longer in the records, and its rankers are not computed; the newer one goes on."""
    shard = RankShard(SETTINGS)
    shard.feed(rank_log(blocks_of(two(stop=True))[0]))
    stories = [tuple(held(bucket)) for bucket in buckets(sent(stop=True))]
    assert list(dict.fromkeys(stories)) == [("good",), ("good", "good#2"), ("good#2",)]
    place = shard.layout.rankers.index("aligned:good")
    assert not shard.rankers.active[place] and shard.rankers.active[shard.layout.rankers.index("aligned:good#2")]
    gone = statistics(sent(stop=True), shard)[-1]
    assert not gone.fine[:, place].any() and gone.fine[0, UNLEAKED].any()


def test_a_third_version_replaces_the_one_longest_without_vectors() -> None:
    """With two slots the oldest leaves; its string does not come back while both are taken."""
    log = republished(20, "3", base=lambda: two(stop=True))
    found = buckets(RankShard(SETTINGS).feed(rank_log(blocks_of(log)[0])))
    names = [tuple(version for version, _, _ in held(bucket).values()) for bucket in found]
    assert names[0] == ("1",) and names[-1] == ("3", "2")
    assert [name for k, name in enumerate(names) if k == 0 or name != names[k - 1]] == [("1",), ("1", "2"), ("3", "2")]


def test_one_slot_does_not_tell_versions_apart() -> None:
    """With `versions = 1`: whatever they are called, vectors are used as they come, and the numbers are the same."""
    one = Settings.of(table(variant=[{**variant, "versions": 1} for variant in table()["variant"]]))
    plain: Log = [(t, (v or b"").replace(b'"version":"2"', b'"version":"1"')) for t, v in two()]
    named, unnamed = (RankShard(one).feed(rank_log(blocks_of(log, settings=one)[0])) for log in (two(), plain))
    assert [bucket.data for bucket in buckets(named)] == [bucket.data for bucket in buckets(unnamed)]
    assert held(buckets(named)[-1]) == {"good": ("2", 0, True)}


@cache
def reset(*names: str) -> tuple[RankShard, list[RankBucket], list[Statistics]]:
    """Return a shard that was told to start rankers again in the middle of its log, and what it sent."""
    log = blocks_of(two(), size=40)[0]
    half = len(log) * 2 // 3
    shard = RankShard(SETTINGS)
    out = shard.feed(rank_log([*log[:half], Control(VERSION, list(names)).encode(), *log[half:]]))
    return shard, buckets(out), statistics(out, shard)


def test_a_control_record_starts_rankers_again_at_its_offset_and_touches_no_other() -> None:
    """The record says from which bucket on the ranker's numbers are whole; names are those of layout or numbers."""
    names = ("leaked:full", "aligned:good", "permuted:good@1", "aligned:random#2", "nobody")
    shard, found, counts = reset(*names)
    told = found[-1].restarted
    places = {shard.layout.rankers.index(name) for name in told}
    # "aligned:good" is the newest version's, in the second slot; the second slot of "random" is empty
    assert set(told) == {"leaked:full", "aligned:good#2", "permuted:good"}
    (began,) = set(told.values())
    assert began in {bucket.end for bucket in found}
    for bucket, one, whole in zip(found, counts, statistics(sent(), shard), strict=False):
        others = [k for k in range(len(shard.layout.rankers)) if k not in places]
        assert np.array_equal(one.coarse[:, others], whole.coarse[:, others])
        changed = [k for k in places if not np.array_equal(one.coarse[:, k], whole.coarse[:, k])]
        assert (set(changed) == places) if bucket.start >= began else (bucket.end == began or not changed)
        assert bucket.restarted == (told if bucket.end >= began else {})
