"""Measures a start: from a process that has imported everything to its first record, against reading the checkpoint.

`python -m bench.start` builds a rank shard of about 1 GB (vectors of two variants, sketches, rankers, buckets) and a
join shard of many users, writes their checkpoints into a folder, and then starts by turns with reading the files. Both
find the file in the system's cache. A start makes the shard, finds the newest checkpoint, reads and digests it,
restores the shard and feeds one record. What numba imports at its first call is imported before, as a worker does.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np

from bench import standard
from bench.measured import Measured
from lis_online.checkpoints.store import CheckpointStore
from lis_online.compiled import prepare
from lis_online.events import rank_log
from lis_online.events.batches import VectorBatch
from lis_online.events.hashing import id_hash
from lis_online.events.names import Names
from lis_online.events.rank_log import Block, Side
from lis_online.records import Outgoing, Record
from lis_online.settings import Settings
from lis_online.shards.contract import Shard
from lis_online.shards.join import JoinShard
from lis_online.shards.rank import RankShard

DIMENSION: Final = 1_024
ITEMS: Final = 120_000
"""Twice, for each of two variants: as of a sample's time, and as of a pair's."""
SLATES: Final = 4_000
USERS: Final = 200_000
ROUNDS: Final = 3
AT: Final = 1_573_516_800_000
SHORT: Final = {
    "events": {"attribution_window": "10s", "allowed_lateness": "5s"},
    "leakage": {"horizon": "10s", "memory": "1m"},
}
"""Two minutes of events are enough to fill a state under these."""
FOLLOWING: Final = "following.msgpack"


def rank_records(settings: Settings, items: int) -> Iterator[Record]:
    """Yield the rank log: vectors of many items, then what a join shard makes of the standard load."""
    for offset, value in enumerate(chain(_vectors(settings, items), _samples(settings))):
        yield Record("samples", 0, offset, -1, value)


def _vectors(settings: Settings, items: int, at_once: int = 2_000) -> Iterator[bytes]:
    random, names = np.random.default_rng(0), Names.of(settings).encode()
    version = id_hash("1")
    for variant in range(len(settings.variant)):
        for first in range(0, items, at_once):
            rows = np.arange(first, min(first + at_once, items))
            batch = VectorBatch(
                np.full(len(rows), AT - 86_400_000),
                np.array([id_hash(f"i{k}") for k in rows.tolist()], np.int64),
                np.full(len(rows), version),
                random.standard_normal((len(rows), settings.variant[variant].dimension), np.float32).astype(np.float16),
            )
            offsets = (variant * items + rows).astype("<i8").tobytes()
            side = Side(variant, offsets, batch.encode(), ["1"])
            yield Block(rank_log.VERSION, 0, 0, b"", 0, b"", [side], -1, names).encode()


def _samples(settings: Settings) -> Iterator[bytes]:
    join = JoinShard(settings, 0)
    events = [one for one in standard.log(SLATES) if one[0] in ("impressions", "feedback")]
    for sent in _fed(join, events):
        yield sent.value


def _fed(join: JoinShard, events: list[tuple[str, bytes]], turn: int = 100) -> Iterator[Outgoing]:
    offsets: dict[str, int] = {}
    for first in range(0, len(events), turn):
        records = []
        for topic, value in events[first : first + turn]:
            records.append(Record(topic, 0, offsets.get(topic, 0), -1, value))
            offsets[topic] = records[-1].offset + 1
        yield from (sent for sent in join.feed(records) if sent.topic == "samples")


def join_records(users: int) -> Iterator[Record]:
    """Yield impressions of many users, each with a history, in the order of time."""
    random = np.random.default_rng(0).integers(0, 20_000, (users, 40)).tolist()
    for k, items in enumerate(random):
        shown, seen = (",".join(f'"i{item}"' for item in part) for part in (items[:20], items[20:]))
        value = (
            f'{{"schema_version":1,"request_id":"r{k}","user_id":"u{k}","ts":{AT + 10 * k},"surface":"feed",'
            f'"items":[{shown}],"history":[{seen}],"experiments":{{"mllm-q4":"control"}}}}'
        )
        yield Record("impressions", 0, k, -1, value.encode())


def built(shard: Shard, records: Iterator[Record], turn: int = 500) -> Record:
    """Feed all but the last record, which is returned: the first after the start."""
    waiting: list[Record] = []
    for record in records:
        if len(waiting) > turn:
            shard.feed(waiting[:-1])
            del waiting[:-1]
        waiting.append(record)
    shard.feed(waiting[:-1])
    return waiting[-1]


@dataclass(frozen=True)
class Case:
    """A shard that is started. make: an empty one; records: what its state is made of."""

    role: str
    make: Callable[[], Any]
    records: Callable[[float], Iterator[Record]]


def cases() -> dict[str, Case]:
    """Return what is measured, by role."""
    of_rank, of_join = standard.settings(dimension=DIMENSION, **SHORT), standard.settings()
    return {
        "rank": Case(
            "rank", lambda: RankShard(of_rank), lambda scale: rank_records(of_rank, max(1, round(ITEMS * scale)))
        ),
        "join": Case("join", lambda: JoinShard(of_join, 0), lambda scale: join_records(round(USERS * scale))),
    }


def write(case: Case, scale: float, folder: Path) -> None:
    """Write a checkpoint into a folder, and beside it the record that follows."""
    shard = case.make()
    following = built(shard, case.records(scale))
    CheckpointStore(str(folder), case.role, 0, 1, {}).save(shard.snapshot(), sum(shard.positions.values()))
    (folder / FOLLOWING).write_bytes(msgspec.msgpack.encode(list(following)))


def start(case: Case, folder: Path) -> dict[str, float]:
    """Return bytes of the file and the seconds of reading it, of a start and of its parts, in this process.

    Of the processor's time: nothing here waits for a disk or for another process, and what else the machine does is
    left out.
    """
    store = CheckpointStore(str(folder), case.role, 0, 1, {})
    newest = store.newest()
    assert newest is not None
    topic, partition, offset, timestamp, value, _ = msgspec.msgpack.decode((folder / FOLLOWING).read_bytes())
    path = folder / newest.data
    began = time.process_time()
    content = path.read_bytes()
    read = time.process_time() - began
    del content
    began = time.process_time()
    shard = case.make()
    made = time.process_time()
    found = CheckpointStore(str(folder), case.role, 0, 1, {}).load_latest()
    assert found is not None
    loaded = time.process_time()
    shard.restore(found[0])
    restored = time.process_time()
    shard.feed([Record(topic, partition, offset, timestamp, value)])
    fed = time.process_time()
    return {
        "bytes": newest.bytes, "read": read, "start": fed - began, "make": made - began, "load": loaded - made,
        "restore": restored - loaded, "feed": fed - restored,
    }  # fmt: skip


def started(role: str, folder: Path) -> dict[str, float]:
    """Return what `start` does in a process of its own, and the seconds of its imports."""
    command = [sys.executable, "-m", "bench.start", "--start", role, "--folder", str(folder)]
    clock = time.perf_counter()
    output = subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout
    whole = time.perf_counter() - clock
    found: dict[str, float] = msgspec.json.decode(output)
    return found | {"imports": whole - found["start"] - found["read"]}


def compare(name: str, goal: float | None, case: Case, scale: float) -> Measured:
    """Return a start over reading its file, the least of some processes each."""
    with tempfile.TemporaryDirectory(prefix="lis-bench-") as folder:
        write(case, scale, Path(folder))
        rounds = [started(case.role, Path(folder)) for _ in range(ROUNDS)]
    best = {key: min(found[key] for found in rounds) for key in rounds[0]}
    quickest = min(rounds, key=lambda found: found["start"])
    parts = ", ".join(f"{part} {quickest[part]:.2f}" for part in ("make", "load", "restore", "feed"))
    return Measured(
        name,
        best["start"] / best["read"],
        goal,
        "lower",
        f"{best['start']:.2f} CPU seconds for {best['bytes'] / 1e6:,.0f} MB ({parts}) against {best['read']:.2f} s to "
        f"read the file; the process and its imports took {best['imports']:.1f} s before",
    )


def run(scale: float = 1.0) -> list[Measured]:
    """Measure. scale: of the sizes of both states."""
    found = cases()
    return [
        compare("warm start", 2.0, found["rank"], scale),
        compare("warm start of join", None, found["join"], scale),
    ]


def main() -> None:
    """Print what was measured."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--start", choices=("rank", "join"), help="only start, from --folder, and print JSON")
    parser.add_argument("--folder", type=Path)
    chosen = parser.parse_args()
    if chosen.start is not None:
        import streams.roles  # noqa: F401 - what a worker imports, whichever shard it starts

        prepare()  # as a worker does before it joins its group
        sys.stdout.write(json.dumps(start(cases()[chosen.start], chosen.folder)))
        return
    for one in run(chosen.scale):
        sys.stdout.write(f"{one.name}: {one.ratio:.2f} (goal {one.goal}): {one.detail}\n")


if __name__ == "__main__":
    main()
