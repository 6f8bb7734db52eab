"""A small simulated feed as a rank log, and what a rank shard makes of it."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import cache
from typing import Any

import msgspec
import numpy as np

from lis_online.events import windows_log
from lis_online.events.hashing import id_hash
from lis_online.events.rank_log import Block, decode
from lis_online.events.wire import END_TICK
from lis_online.metrics.statistics import Statistics
from lis_online.records import Outgoing, Record
from lis_online.settings import Settings
from lis_online.shards.join import JoinShard
from lis_online.shards.rank import RankShard
from lis_online.simulate.recorded import generate
from lis_online.simulate.scenarios import scenario
from lis_online.snapshots.contract import Snapshot

MINUTE = 60_000
MAIN = ("impressions", "feedback")
SLATES = 160

Log = list[tuple[str, bytes | None]]


def table(**more: Any) -> dict[str, Any]:
    """Return the settings' tables of the village, short horizons and small networks; more: other tables."""
    base = scenario("quiet").settings
    return {
        **base,
        "events": {**base["events"], "attribution_window": "2m"},
        "leakage": {"horizon": "6m", "memory": "8m", "folds": 2, "sketch_bits": 10, "placebo_pairs": 5},
        "training": {"embedding": 4, "hidden": [8], "user_bits": 8, "item_bits": 8, "batch": 64},
        "metrics": {"bucket": "4m", "windows": ["12m"], "warm_up": "1s", "min_effective_users": 5},
        **more,
    }


SETTINGS = Settings.of(table())


@cache
def feed() -> Log:
    """Return the simulated records in order of arrival: 40 minutes of slates of five."""
    village = scenario("quiet")
    village = replace(village, world=replace(village.world, window=2 * MINUTE, slate=5))
    return [(topic, value) for _, topic, value in generate(village, SLATES, seed=1)]


def partitions(log: Log, shards: int) -> list[list[Record]]:
    """Return the records of each partition's four topics, keyed by user (vectors by item), with their end ticks."""
    offsets: dict[tuple[int, str], int] = defaultdict(int)
    parts: list[list[Record]] = [[] for _ in range(shards)]

    def add(shard: int, topic: str, value: bytes | None, ts: int) -> None:
        parts[shard].append(Record(topic, shard, offsets[shard, topic], ts, value))
        offsets[shard, topic] += 1

    for topic, value in log:
        event = msgspec.json.decode(value or b"")
        key = event["item_id"] if topic == "representations" else event["user_id"]
        add(id_hash(str(key)) % shards, topic, value, event["ts"])
    for shard in range(shards):
        for topic in MAIN:
            add(shard, topic, END_TICK, -1)
    return parts


def joined(records: Sequence[Record], size: int, shard: JoinShard) -> list[bytes]:
    """Return the blocks of a join shard that is fed `size` records at a time."""
    sent = [out for at in range(0, len(records), size) for out in shard.feed(records[at : at + size])]
    return [out.value for out in sent if out.topic == "samples"]


@cache
def blocks(shards: int = 1, size: int = 150) -> list[list[bytes]]:
    """Return the blocks of each of some join shards."""
    parts = partitions(feed(), shards)
    return [joined(part, size, JoinShard(SETTINGS, shard)) for shard, part in enumerate(parts)]


def decoded(value: bytes) -> Block:
    """Return the block of a record that is one."""
    block = decode(value)
    assert isinstance(block, Block)
    return block


def shuffled(sequences: Sequence[Sequence[bytes]], seed: int) -> list[bytes]:
    """Return one random interleaving; each sequence keeps its order."""
    turns = [k for k, sequence in enumerate(sequences) for _ in sequence]
    random.Random(seed).shuffle(turns)
    left = [iter(sequence) for sequence in sequences]
    return [next(left[k]) for k in turns]


def rank_log(values: Iterable[bytes], first: int = 0) -> list[Record]:
    """Return blocks as the records of the rank log."""
    return [Record("samples", 0, first + k, -1, value) for k, value in enumerate(values)]


@cache
def calm() -> list[Outgoing]:
    """Return what a rank shard sends for the log of one join shard, fed at once."""
    return RankShard(SETTINGS).feed(rank_log(blocks()[0]))


def buckets(sent: Iterable[Outgoing]) -> list[windows_log.RankBucket]:
    """Return the decoded buckets, the final one too; every bucket here has one part."""
    found = [windows_log.decode(out.value) for out in sent]
    assert all(isinstance(one, windows_log.RankBucket) and one.parts == 1 for one in found)
    return [one for one in found if isinstance(one, windows_log.RankBucket)]


def statistics(sent: Iterable[Outgoing], shard: RankShard) -> list[Statistics]:
    """Return the statistics of every bucket but the final record."""
    return [Statistics.decode(shard.layout, one.data) for one in buckets(sent) if not one.final]


def copied(snapshot: Snapshot) -> Snapshot:
    """Return a snapshot that went through bytes."""
    assert all(array.flags.c_contiguous for array in snapshot.arrays.values())
    arrays = {
        name: np.frombuffer(bytearray(array.tobytes()), array.dtype).reshape(array.shape)
        for name, array in snapshot.arrays.items()
    }
    return Snapshot(msgspec.msgpack.decode(msgspec.msgpack.encode(snapshot.meta)), arrays)


def frozen(snapshot: Snapshot) -> tuple[bytes, dict[str, bytes]]:
    """Return a snapshot as bytes."""
    return msgspec.msgpack.encode(snapshot.meta), {name: array.tobytes() for name, array in snapshot.arrays.items()}
