"""What a checkpoint makes a rank shard's stream wait: the beginning and the longest piece, against one batch.

    python -m bench.rank_snapshot --variants 4 --rows 1000000

A shard is made with that many vectors of each variant, twice (as of a sample's time, and as of a pair's), and fed the
standard load: a batch is a record of the rank log, of 100 events. Snapshots are taken while batches go on, a step of
copying after each, as a worker does. Times are of this thread's processor (a shared machine
waits for others); the longest pauses are also given by the wall clock.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterator
from itertools import islice
from statistics import mean
from typing import Any, Final

import numpy as np

from bench import standard
from bench.join_snapshot import Timer, milliseconds
from bench.start import AT, SHORT
from lis_online.events.hashing import id_hash
from lis_online.records import Record
from lis_online.representation.permutation import BLOCK
from lis_online.settings import Settings
from lis_online.shards.join import JoinShard
from lis_online.shards.rank import RankShard
from lis_online.snapshots.contract import Snapshot

EVENTS: Final = 100
"""Of the input topics, that a batch is made of."""

SLATES: Final = 20_000


def populated(settings: Settings, rows: int) -> Snapshot:
    """Return a snapshot of a shard that has so many vectors of each variant and has seen nothing else."""
    state = RankShard(settings).snapshot()
    items = np.array([id_hash(f"i{k}") for k in range(rows)], np.int64)
    for place, variant in enumerate(settings.variant):
        vectors = np.random.default_rng(place).standard_normal((rows, variant.dimension), np.float32)
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        for part in (f"vectors/{place}/0", f"pairs/alignment/{place}/0"):
            state.arrays |= {
                f"{part}.items": items.copy(),
                f"{part}.rows": np.arange(rows),
                f"{part}.published": np.full(rows, AT - 86_400_000),
                f"{part}.vectors": vectors.astype(np.float16),
            }
        state.arrays[f"vectors/{place}/0.since"] = np.full(rows, AT - 86_400_000)
        state.arrays[f"vectors/{place}/0.donor"] = _cycles(rows)
    return state


def _cycles(rows: int) -> np.ndarray:
    """Return a cycle through each block: what a permutation of vectors is made of."""
    donor = np.arange(1, rows + 1)
    for first in range(0, rows, BLOCK):
        donor[min(first + BLOCK, rows) - 1] = first
    return donor


def fed(settings: Settings, slates: int) -> Iterator[Record]:
    """Yield what a join shard makes of the standard load."""
    join, sent, offsets = JoinShard(settings, 0), 0, {"impressions": 0, "feedback": 0}
    waiting: list[Record] = []
    for topic, value in standard.log(slates):
        if topic not in offsets:
            continue
        waiting.append(Record(topic, 0, offsets[topic], -1, value))
        offsets[topic] += 1
        if len(waiting) == EVENTS:
            for out in join.feed(waiting):
                if out.topic == "samples":
                    yield Record("samples", 0, sent, -1, out.value)
                    sent += 1
            waiting = []


def taken(shard: RankShard, batches: Iterator[Record], step: float) -> dict[str, Any]:
    """Take a snapshot while batches go on; return what it cost."""
    begin, pieces, meanwhile = Timer(), Timer(), Timer()
    with begin:
        saving = shard.begin_snapshot()
    complete = False
    while not complete:
        with meanwhile:
            shard.feed(list(islice(batches, 1)))
        with pieces:
            complete = saving.step(step)
    state = saving.get()
    return {
        "begin_ms": milliseconds(begin.cpu[0]),
        "begin_wall_ms": milliseconds(begin.wall[0]),
        "longest_step_ms": milliseconds(max(pieces.cpu)),
        "longest_step_wall_ms": milliseconds(max(pieces.wall)),
        "copying_ms": milliseconds(sum(pieces.cpu)),
        "steps": len(pieces.cpu),
        "batch_ms_meanwhile": milliseconds(mean(meanwhile.cpu)),
        "MB": round(sum(array.nbytes for array in state.arrays.values()) / 1e6),
    }


def longest_piece(shard: RankShard) -> dict[str, Any]:
    """Return the longest of the pieces that a step is made of, and the whole copied at once."""
    saving, pieces = shard.begin_snapshot(), Timer()
    complete = False
    while not complete:
        with pieces:
            complete = saving.step(0)
    return {
        "longest_piece_ms": milliseconds(max(pieces.cpu)),
        "longest_piece_wall_ms": milliseconds(max(pieces.wall)),
        "pieces": len(pieces.cpu),
        "at_once_ms": milliseconds(sum(pieces.cpu)),
    }


def measure(variants: int, rows: int, warm: int, step: float, snapshots: int) -> dict[str, Any]:
    """Return what was measured. warm: batches that are fed before."""
    settings = standard.settings(variants, **SHORT)
    shard = RankShard(settings)
    shard.restore(populated(settings, rows))
    batches, calm = fed(settings, SLATES), Timer()
    for _ in range(warm):
        record = next(batches)
        with calm:
            shard.feed([record])
    return {
        "variants": variants,
        "rows": rows,
        "batch_ms": milliseconds(mean(calm.cpu[warm // 2 :])),
        "snapshots": [taken(shard, batches, step) for _ in range(snapshots)],
        "piece_by_piece": longest_piece(shard),
    }


def main() -> None:
    """Print a JSON object."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--variants", type=int, default=4)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--warm", type=int, default=120, help="batches that are fed before")
    parser.add_argument("--step", type=float, default=0.02, help="seconds of copying after a batch")
    parser.add_argument("--snapshots", type=int, default=2)
    given = parser.parse_args()
    began = time.perf_counter()
    found = measure(given.variants, given.rows, given.warm, given.step, given.snapshots)
    found["seconds"] = round(time.perf_counter() - began)
    sys.stdout.write(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
