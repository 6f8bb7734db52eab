"""One point of the scaling sweep: the three shards in a process of their own, fed a made-up stream, each timed apart.

A stream of impressions, clicks and vectors of any size, drawn at random: costs depend on sizes and rates, not on what
users like. It runs until the rank shard scores as many slates as come in; then processor time is counted.
"""

from __future__ import annotations

import base64
import gc
import resource
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np

from bench import standard
from lis_online.collector import collecting_seldom
from lis_online.events import rank_log
from lis_online.events.batches import PairBatch
from lis_online.history.rows import BucketRow, NumberRow
from lis_online.records import Outgoing, Record
from lis_online.settings import Settings
from lis_online.shards.contract import Shard
from lis_online.shards.join import JoinShard
from lis_online.shards.publish import PublishShard
from lis_online.shards.rank import RankShard

START: Final = 1_761_955_200_000
BATCH: Final = 2_000
"""Records given to the join shards at a time, as a worker does."""

BUCKET: Final = 20
"""Seconds of a bucket."""

WARM: Final = 100
"""Seconds of event time before the measurement, at least: attribution, lateness, horizon, and the first bucket."""

PENDING: Final = 4_000
"""Impressions that wait at once where the memory of one is measured."""

ROLES: Final = ("join", "rank", "publish")


@dataclass(frozen=True)
class Point:
    """Sizes of a stream. clicks: of a slate, on average; rate: samples a second of event time, so that a shorter slate
    comes the more often and buckets hold as much at every point.
    """

    partitions: int = 1
    variants: int = 2
    dimension: int = 128
    slate: int = 20
    history: int = 20
    items: int = 2_000
    users: int = 50_000
    clicks: float = 0.2
    rate: int = 1_000

    @property
    def slates(self) -> float:
        """Slates a second of event time."""
        return self.rate / self.slate

    def settings(self, attribution: str = "20s", horizon: str = "60s") -> Settings:
        """Return the settings of the standard load in these sizes, in shorter times."""
        return standard.settings(
            self.variants,
            self.dimension,
            events={"attribution_window": attribution, "allowed_lateness": "5s", "history_length": self.history},
            leakage={"horizon": horizon, "memory": "120s"},
            metrics={"bucket": f"{BUCKET}s", "windows": ["1m", "2m", "3m", "4m"]},
        )


class Stream:
    """The records of a point, batch by batch; each to the partition of its user or item."""

    def __init__(self, point: Point, seed: int = 0) -> None:
        self.point = point
        self._rng = np.random.default_rng(seed)
        self._offsets: Counter[tuple[str, int]] = Counter()
        self._shown = 0
        self._rate = point.slates
        self.bytes = 0

    def vectors(self) -> Iterator[list[Record]]:
        """Yield the vectors of every item in every variant."""
        batch: list[Record] = []
        for variant in self.point.settings().variant:
            for item in range(self.point.items):
                vector = self._rng.standard_normal(self.point.dimension).astype("<f2").tobytes()
                value = {
                    "schema_version": 1,
                    "variant": variant.name,
                    "version": "1",
                    "item_id": f"i{item}",
                    "ts": START - 1,
                    "vector": {"dtype": "float16", "data": base64.b64encode(vector).decode()},
                }
                batch.append(self._record("representations", item, value))
                if len(batch) == BATCH:
                    yield batch
                    batch = []
        yield batch

    def seconds(self, seconds: float) -> Iterator[list[Record]]:
        """Yield what happens in the next seconds of event time."""
        until = self._shown + round(seconds * self._rate)
        batch: list[Record] = []
        while self._shown < until:
            batch += self._impression()
            if len(batch) >= BATCH or self._shown == until:
                yield batch
                batch = []

    def _impression(self) -> Iterator[Record]:
        point, number = self.point, self._shown
        self._shown += 1
        user = int(self._rng.integers(point.users))
        items = self._items(point.slate)
        common = {"schema_version": 1, "request_id": f"r{number}", "user_id": f"u{user}"}
        ts = START + int(number * 1000 / self._rate)
        impression = {
            **common,
            "ts": ts,
            "surface": "feed",
            "items": items,
            "experiments": {"mllm-q4": ("control", "treatment")[user % 2]},
            "history": self._items(point.history),
        }
        yield self._record("impressions", user, impression)
        for place in range(min(int(self._rng.poisson(point.clicks)), point.slate)):
            click = {**common, "item_id": items[place], "ts": ts + 1 + place, "action": "click"}
            yield self._record("feedback", user, click)

    def _items(self, count: int) -> list[str]:
        """Return distinct items, evenly spread from one that is drawn."""
        first, step = self._rng.integers(1, [self.point.items, self.point.items // count + 1]).tolist()
        return [f"i{(first + k * step) % self.point.items}" for k in range(count)]

    def _record(self, topic: str, key: int, value: dict[str, Any]) -> Record:
        partition = key % self.point.partitions
        offset = self._offsets[topic, partition]
        self._offsets[topic, partition] += 1
        data = msgspec.json.encode(value)
        self.bytes += len(data)
        return Record(topic, partition, offset, START, data)


class Shards:
    """A pipeline whose roles are timed apart, and whose traffic is counted."""

    def __init__(self, point: Point) -> None:
        settings = point.settings()
        self.joins = [JoinShard(settings, shard) for shard in range(point.partitions)]
        self.rank = RankShard(settings, shards=point.partitions)
        self.publish = PublishShard(settings, self.rank.layout, rolling=True)
        self._offsets: Counter[str] = Counter()
        self.clear()

    def clear(self) -> None:
        """Begin to count anew."""
        self.seconds = dict.fromkeys(ROLES, 0.0)
        self.turn = 0.0
        self.pairs = 0
        self.sent: Counter[str] = Counter()
        self.records: Counter[str] = Counter()
        self.rows: list[Any] = []
        self._samples = self.rank.samples

    @property
    def samples(self) -> int:
        """How many samples were scored since the count began."""
        return self.rank.samples - self._samples

    def feed(self, batch: list[Record]) -> None:
        """Give every shard what is its own."""
        for partition, join in enumerate(self.joins):
            for out in self._timed("join", join, [one for one in batch if one.partition == partition]):
                self._pass_on(out)

    def _timed(self, role: str, shard: Shard, records: Sequence[Record]) -> list[Outgoing]:
        began = time.process_time()
        outgoing = shard.feed(records)
        took = time.process_time() - began
        self.seconds[role] += took
        if role == "rank":
            self.turn = max(self.turn, took)
        for out in outgoing:
            self.pairs += pairs_in(out)
            self.sent[out.topic] += len(out.value)
            self.records[out.topic] += 1
        return outgoing

    def _pass_on(self, out: Outgoing) -> None:
        if out.topic not in ("samples", "windows"):
            raise RuntimeError(f"a record of the stream was refused: {out.headers}")
        record = Record(out.topic, 0, self._offsets[out.topic], START, out.value)
        self._offsets[out.topic] += 1
        role, shard = ("rank", self.rank) if out.topic == "samples" else ("publish", self.publish)
        for finished in self._timed(role, shard, [record]):
            self._pass_on(finished)
        if role == "publish":
            self.rows += self.publish.take_rows()


def measure(point: Point, buckets: int = 6) -> dict[str, Any]:
    """Return what a point costs, of `buckets` buckets after the warm-up.

    Seconds of processor time a slate of join and rank, a bucket of publish; the longest turn of rank (one record of its
    log); bytes a slate of input and rank log, a bucket of history; bytes of a checkpoint and of resident memory.
    """
    with collecting_seldom():  # as a worker does
        return _measure(point, buckets)


def _measure(point: Point, buckets: int) -> dict[str, Any]:
    pending = pending_bytes(point)
    before = resident()
    stream, shards = Stream(point), Shards(point)
    vectors = time.process_time()
    for batch in stream.vectors():
        shards.feed(batch)
    vectors = time.process_time() - vectors
    warm = WARM
    while shards.samples < BUCKET * point.rate:  # loops are compiled and vectors taken in with the first steps
        for batch in stream.seconds(warm):
            shards.feed(batch)
        warm = BUCKET
    shards.clear()
    stream.bytes = 0
    for batch in stream.seconds(buckets * BUCKET):
        shards.feed(batch)
    slates = shards.samples / point.slate
    made = [row for row in shards.rows if isinstance(row, BucketRow)]
    numbers = sum(isinstance(row, NumberRow) for row in shards.rows)
    read = buckets * BUCKET * point.slates
    found: dict[str, Any] = {
        "slates": round(slates),
        "rankers": len(shards.rank.layout.rankers),
        "join_s": shards.seconds["join"] / read,
        "rank_s": shards.seconds["rank"] / slates,
        "publish_s": shards.seconds["publish"] / max(len(made), 1),
        "rank_turn_s": shards.turn,
        "input_bytes": stream.bytes / read,
        "pairs": shards.pairs / read,
        "log_bytes": shards.sent["samples"] / read,
        "log_record_bytes": shards.sent["samples"] / max(shards.records["samples"], 1),
        "windows_bytes": shards.sent["windows"] / max(len(made), 1),
        "bucket_bytes": sum(len(row.data) for row in made) / max(len(made), 1),
        "number_rows": numbers / max(len(made), 1),
        "pending_bytes": pending,
        "resident_bytes": max(resident() - before, 0),
        "vectors_s": vectors / (point.items * point.variants),
    }
    gc.collect()
    checkpoints = {"join": sum(map(size_of, shards.joins)), "rank": size_of(shards.rank)}
    return found | {f"{role}_checkpoint_bytes": size for role, size in checkpoints.items()}


def pairs_in(out: Outgoing) -> int:
    """Return how many pairs a record of the rank log carries."""
    block = rank_log.decode(out.value) if out.topic == "samples" else None
    return len(PairBatch.decode(block.pairs)) if isinstance(block, rank_log.Block) and block.pairs else 0


def pending_bytes(point: Point) -> float:
    """Return the memory of an impression that waits for its attribution window, in a join shard."""
    shard, stream = JoinShard(point.settings("1h", "1h"), 0), Stream(replace(point, partitions=1))
    before = resident()
    count = 0
    for batch in stream.seconds(PENDING / point.slates):
        count += sum(record.topic == "impressions" for record in batch)
        shard.feed(batch)
    return (resident() - before) / count


def size_of(shard: Shard) -> int:
    """Return the bytes of a shard's checkpoint."""
    taken = shard.snapshot()
    return sum(array.nbytes for array in taken.arrays.values()) + len(msgspec.msgpack.encode(taken.meta))


def resident() -> int:
    """Return this process's memory now, bytes."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


def varied(point: Point, axis: str, value: float) -> Point:
    """Return a point moved along one axis."""
    return replace(point, **{axis: type(asdict(point)[axis])(value)})
