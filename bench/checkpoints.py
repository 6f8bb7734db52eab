"""What a checkpoint costs: how long the stream waits, writing, and restoring against reading the file.

python -m bench.checkpoints --gigabytes 1 --folder /tmp/x
"""

from __future__ import annotations

import argparse
import hashlib
import json
import resource
import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import xxhash

from lis_online.checkpoints.store import CheckpointStore
from lis_online.checkpoints.tensors import PIECE
from lis_online.settings import Settings
from lis_online.simulate.scenarios import scenario
from lis_online.snapshots.contract import Snapshot

REPEATS = 3


def seconds(call: Callable[[], Any], repeats: int = REPEATS) -> float:
    """Return the least time that a call took."""
    found = []
    for _ in range(repeats):
        began = time.perf_counter()
        call()
        found.append(time.perf_counter() - began)
    return min(found)


def of_arrays(gigabytes: float) -> Snapshot:
    """Return a state like rank's: a few large arrays, and a record of some kilobytes."""
    random = np.random.default_rng(0)
    size = int(gigabytes * 1e9 / 8)
    arrays = {f"table {k}": random.random(size // 8) for k in range(8)}
    return Snapshot({"position": 1, "names": [f"ranker {k}" for k in range(100)]}, arrays)


def of_records(count: int) -> Snapshot:
    """Return a state of many small things: a row of msgpack each."""
    return Snapshot({"rows": [[k, f"user {k}", 0.5 * k, [k, k + 1]] for k in range(count)]}, {})


def cost(name: str, state: Snapshot, folder: Path) -> dict[str, Any]:
    """Return the cost of saving and restoring a state, MB/s and ratios."""
    store = CheckpointStore(str(folder / name.replace(" ", "-")), "rank", 0, 1, {})
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    positions = iter(range(1, 100))
    save = seconds(lambda: store.save(state, next(positions)))
    more_memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    newest = store.newest()
    assert newest is not None
    path = folder / name.replace(" ", "-") / newest.data
    size = newest.bytes / 1e6
    restore = seconds(lambda: store.load(newest))
    read = seconds(path.read_bytes)
    return {
        "state": name,
        "MB": round(size),
        "write MB/s": round(size / save),
        "restore MB/s": round(size / restore),
        "read MB/s": round(size / read),
        "restore / read": round(restore / read, 2),
        "memory while writing / state": round(more_memory / 1e3 / size, 2),
    }


def digests(megabytes: int) -> dict[str, Any]:
    """Return how fast digests are on data that does not repeat."""
    data = np.random.default_rng(0).bytes(megabytes * 1_000_000)

    def over(make: Callable[[], Any]) -> float:
        def run() -> None:
            digest, view = make(), memoryview(data)
            for begin in range(0, len(data), PIECE):
                digest.update(view[begin : begin + PIECE])
            digest.digest()

        return seconds(run)

    fast, slow = over(xxhash.xxh3_128), over(lambda: hashlib.blake2b(digest_size=32))
    return {"xxh3-128 MB/s": round(megabytes / fast), "blake2b MB/s": round(megabytes / slow)}


def pauses() -> list[dict[str, Any]]:
    """Return what a checkpoint of the demo's shards makes a turn wait, against a turn of the batch they are fed."""
    from lis_online.shards.pipeline import Pipeline
    from lis_online.simulate.recorded import generate

    chosen = scenario("demo")
    pipeline = Pipeline(Settings.of(chosen.settings), rows=lambda rows: None)
    log = list(generate(chosen, 4000, seed=0))
    turns: dict[str, list[float]] = {"join": [], "rank": [], "publish": []}
    for role, shard in (("join", pipeline.join), ("rank", pipeline.rank), ("publish", pipeline.publish)):
        shard.feed = _timed(shard.feed, turns[role])  # type: ignore[method-assign]
    for _, topic, value in log:
        pipeline.update(topic, value)
    found = []
    for role, shard in (("join", pipeline.join), ("rank", pipeline.rank), ("publish", pipeline.publish)):
        began = time.perf_counter()
        saving = shard.begin_snapshot()
        longest = time.perf_counter() - began
        steps = 0
        while True:
            began = time.perf_counter()
            done = saving.step(0.02)
            longest, steps = max(longest, time.perf_counter() - began), steps + 1
            if done:
                break
        state = saving.get()
        size = sum(array.nbytes for array in state.arrays.values()) + len(msgspec.msgpack.encode(state.meta))
        found.append(
            {
                "shard": role,
                "MB": round(size / 1e6, 1),
                "steps": steps,
                "pause ms": round(1000 * longest, 1),
                "longest turn ms": round(1000 * max(turns[role]), 1),
            }
        )
    return found


def _timed(call: Callable[..., Any], into: list[float]) -> Callable[..., Any]:
    def timed(records: Any) -> Any:
        began = time.perf_counter()
        found = call(records)
        into.append(time.perf_counter() - began)
        return found

    return timed


def main() -> None:
    """Measure and print one line of JSON each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--gigabytes", type=float, default=1.0)
    parser.add_argument("--records", type=int, default=1_000_000)
    parser.add_argument("--folder", type=Path, default=None, help="where to write; a temporary folder by default")
    chosen = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="lis-bench-", dir=chosen.folder))
    try:
        for line in (
            digests(200),
            cost("arrays", of_arrays(chosen.gigabytes), folder),
            cost("many records", of_records(chosen.records), folder),
            *pauses(),
        ):
            print(json.dumps(line))  # noqa: T201
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
