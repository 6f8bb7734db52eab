"""What a checkpoint costs a join shard: the stream's pauses, the copy, its size, and the way back.

    python -m bench.join_snapshot --users 1000000

A shard is made with that many users, packed as a checkpoint holds them (each with eight engaged items and a place in
one experiment), and fed batches of 2,000 records: impressions of ten items, a click on every fourth. Then snapshots are
taken while batches go on, a step of copying after each, as a worker does. Times are of this thread's processor (a
shared machine waits for others); the longest pauses are also given by the wall clock.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import Any

import msgspec
import numpy as np

from lis_online.events.hashing import plain_hash
from lis_online.experiments.moments import UNIT, UserTotals
from lis_online.join.histories import Histories
from lis_online.join.user_page import MOST_USERS, UserPage
from lis_online.records import Record
from lis_online.settings import Settings
from lis_online.shards.join import JoinShard
from lis_online.snapshots.contract import Saving, Snapshot
from lis_online.snapshots.steps import at_once

BATCH = 2000
ITEMS = 10
START = 1_700_000_000_000
WEEK = 7 * 86_400_000

SETTINGS = Settings.of(
    {
        "preference": [{"name": "coclick"}],
        "experiment": [
            {
                "name": "e",
                "control": "a",
                "arm": [{"name": "a", "share": 0.5}, {"name": "b", "share": 0.5}],
                "metric": [{"name": "ctr", "kind": "ratio", "numerator": "click", "denominator": "impression"}],
            }
        ],
    }
)


class Timer:
    """Seconds of this thread and of the clock, of each piece of work."""

    def __init__(self) -> None:
        self.cpu: list[float] = []
        self.wall: list[float] = []

    def __enter__(self) -> None:
        self._began = time.thread_time(), time.perf_counter()

    def __exit__(self, *_: object) -> None:
        self.cpu.append(time.thread_time() - self._began[0])
        self.wall.append(time.perf_counter() - self._began[1])


class Feed:
    """Batches of records: `rate` impressions a second of event time, by users drawn evenly from `users`."""

    def __init__(self, users: int, rate: int, seed: int = 0) -> None:
        self._users = users
        self._rate = rate
        self._random = np.random.default_rng(seed)
        self._shown = 0
        self._offsets = {"impressions": 0, "feedback": 0}

    def batch(self) -> list[Record]:
        """Return the next records."""
        out: list[Record] = []
        while len(out) < BATCH:
            ts = START + self._shown * 1000 // self._rate
            user, request = f"u{self._random.integers(self._users)}", f"r{self._shown}"
            items = [f"i{item}" for item in self._random.integers(0, 100_000, ITEMS).tolist()]
            common = {"schema_version": 1, "request_id": request, "user_id": user}
            shown = {"ts": ts, "surface": "feed", "items": items, "experiments": {"e": "ab"[len(user) % 2]}}
            out.append(self._record("impressions", ts, {**common, **shown}))
            if self._shown % 4 == 0:
                click = {**common, "ts": ts + 1, "item_id": items[0], "action": "click", "value": 1.0}
                out.append(self._record("feedback", ts + 1, click))
            self._shown += 1
        return out

    def _record(self, topic: str, ts: int, value: dict[str, Any]) -> Record:
        self._offsets[topic] += 1
        return Record(topic, 0, self._offsets[topic] - 1, ts, msgspec.json.encode(value))


def populated(users: int) -> Snapshot:
    """Return a snapshot of a shard that was active for a week and knows so many users."""
    page = a_page()
    empty = JoinShard(SETTINGS, 0).snapshot()
    pages, living = {}, []
    for number, start in enumerate(range(0, users, MOST_USERS)):
        count = min(MOST_USERS, users - start)
        some = page.take(np.arange(count)).whole.copy()
        some[1 : 1 + count] = [plain_hash(f"u{user}") for user in range(start, start + count)]
        some[1 + count : 1 + 2 * count] = START - WEEK + start * WEEK // users
        pages[f"histories/page.{number}"] = some
        living.append(np.ones(count, np.uint8))
    empty.meta["joiner"]["histories"]["pages"] = len(pages)
    return Snapshot(empty.meta, empty.arrays | pages | {"histories/living": np.concatenate(living)})


def a_page() -> UserPage:
    """Return a page of users with eight engaged items each."""
    rng = np.random.default_rng(2)
    histories = Histories(WEEK, 1, 1, 0)
    for key in range(MOST_USERS):
        user = histories.update(key, key)
        for item in rng.integers(1, 2**62, 8).tolist():
            user.engage(item, key, 20)
            user.touch(0, item, key, 6)
        user.totals[0] = UserTotals(key % 2, [12 * UNIT, 8 * UNIT, 0, 0, 0, 0, 0])
    return UserPage(at_once(histories.begin_snapshot()).arrays["page.0"])


def with_snapshot(shard: JoinShard, batches: Iterator[list[Record]], step: float) -> tuple[Saving, Timer, Timer]:
    """Take a snapshot while batches go on; return it, its pauses and the batches."""
    pauses, fed = Timer(), Timer()
    with pauses:
        saving = shard.begin_snapshot()
    complete = False
    while not complete:
        batch = next(batches)
        with fed:
            shard.feed(batch)
        with pauses:
            complete = saving.step(step)
    return saving, pauses, fed


def measure(users: int, rate: int, warm: int, step: float, snapshots: int) -> dict[str, Any]:
    """Return what was measured."""
    made = populated(users)
    before = resident()
    shard, restoring = JoinShard(SETTINGS, 0), Timer()
    with restoring:
        shard.restore(made)
    del made
    packed = resident()
    feed = Feed(users, rate)
    batches = iter(feed.batch, None)
    calm = Timer()
    for _ in range(max(1, warm // BATCH)):
        batch = next(batches)
        with calm:
            shard.feed(batch)
    found: dict[str, Any] = {
        "users": users,
        "restore_seconds": round(restoring.cpu[0], 2),
        "index_bytes_per_user": round((packed - before) / users),
        "batch_ms": milliseconds(median(calm.cpu)),
        "messages_per_second": round(BATCH / median(calm.cpu)),
        "snapshots": [],
    }
    for _ in range(snapshots):
        saving, pauses, fed = with_snapshot(shard, batches, step)
        taken = saving.get()
        found["snapshots"].append(
            {
                "begin_ms": milliseconds(pauses.cpu[0]),
                "longest_pause_ms": milliseconds(max(pauses.cpu)),
                "longest_pause_wall_ms": milliseconds(max(pauses.wall)),
                "pauses_over_a_batch": sum(pause > median(calm.cpu) for pause in pauses.cpu),
                "copying_ms": milliseconds(sum(pauses.cpu)),
                "steps": len(pauses.cpu) - 1,
                "batch_ms_meanwhile": milliseconds(median(fed.cpu)),
                "bytes": sum(array.nbytes for array in taken.arrays.values()),
                "arrays": len(taken.arrays),
            }
        )
        del taken, saving
        for _ in range(30):
            shard.feed(next(batches))
    found["resident_bytes"] = resident()
    return found


def milliseconds(seconds: float) -> float:
    """Return ms, to a hundredth."""
    return round(1000 * seconds, 2)


def resident() -> int:
    """Return this process's memory now, bytes."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


def main() -> None:
    """Print a JSON object."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--users", type=int, default=1_000_000)
    parser.add_argument("--rate", type=int, default=500, help="impressions a second of event time")
    parser.add_argument("--warm", type=int, default=200_000, help="records that are fed before")
    parser.add_argument("--step", type=float, default=0.02, help="seconds of copying after a batch")
    parser.add_argument("--snapshots", type=int, default=3)
    given = parser.parse_args()
    sys.stdout.write(
        json.dumps(measure(given.users, given.rate, given.warm, given.step, given.snapshots), indent=1) + "\n"
    )


if __name__ == "__main__":
    main()
