"""The live path against a bare Faust agent, itself in three processes, and the same shards in memory.

    python -m bench.live --scale 1

One Apache Kafka, one partition of each input topic, the standard load. All sides read the same topics. They are warmed
up on the same slates (until the delay of H is full, so that as many slates are ranked as come in), held, and then let
go on one after the other, over the same stretches: of the stretches each side's better one counts. A side is done
when everything is ranked and published. Last, a worker is sent the rest at half of what one process did.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
import threading
import time
from bisect import bisect_left
from collections.abc import Sequence
from contextlib import ExitStack
from itertools import accumulate, pairwise
from pathlib import Path
from statistics import fmean
from typing import Any, Final

import msgspec

from bench.live_processes import Process, Workers, workers
from bench.live_releases import Event, releases
from bench.measured import Measured
from bench.overload import Rate, kafka
from bench.standard import log, settings
from lis_online.replay.producer import Replay, producer_of
from lis_online.settings import Settings
from lis_online.team import cores
from streams.topics import create_topics
from tests.fixtures.kafka import KafkaBroker, free_port

WARM_UP: Final = 16_000
"""Slates before anything is measured: eight minutes of event time, H and the attribution window are seven."""

STRETCHES: Final = 2
STRETCH: Final = 8_000
"""Slates of a stretch at scale 1."""

SHORTEST: Final = 2_400
"""Slates of the shortest stretch: the bare agent's rate is counted from the end of its first batch of 2,000 records."""

PACED: Final = 28_000
"""Slates that are sent at half load at scale 1."""

BUCKET: Final = 20_000
"""ms; at half load a bucket of a minute would close too seldom for a p99."""

POLL: Final = 0.2
"""Seconds between looks at /metrics: part of what is measured as freshness."""

FRESH: Final = 5.0
"""Seconds within which a bucket is to be visible."""


class Stretches:
    """The log, cut: vectors and warm-up first, then the stretches, then what is paced."""

    def __init__(self, scale: float) -> None:
        sizes = [WARM_UP, *[max(SHORTEST, round(STRETCH * scale))] * STRETCHES, round(PACED * scale)]
        events = list(log(sum(sizes)))
        shown = list(accumulate(topic == "impressions" for topic, _ in events))
        ends = [bisect_left(shown, slates) + 1 for slates in accumulate(sizes)]
        self.parts: list[list[Event]] = [events[start:end] for start, end in pairwise([0, *ends])]
        self.slates = sizes
        self._ends = ends
        self.releases = releases(settings(), events, ends)

    def upto(self, part: int, bucket: int) -> tuple[float, float]:
        """Return the watermark, and the end of the newest bucket, once everything up to a part is ranked: s."""
        last = self.releases[bisect_left(self.releases, self._ends[part], key=lambda release: release.records)]
        return last.watermark / 1000, last.scorable // bucket * bucket / 1000

    def released_by(self, part: int, end: int) -> int:
        """Return the number, in a part, of the record that makes everything before a time ready to be ranked.

        Negative where that was in a part before.
        """
        release = self.releases[bisect_left(self.releases, end, key=lambda release: release.scorable)]
        return release.records - 1 - self._ends[part - 1]

    def messages(self, part: int) -> int:
        """Return the impressions and feedback of a part."""
        return sum(topic in ("impressions", "feedback") for topic, _ in self.parts[part])


def tables_of(broker: KafkaBroker, folder: Path, prefix: str, inputs: str, **tables: Any) -> dict[str, Any]:
    """Return the tables of one side; inputs: the prefix of the topics that it reads."""
    topics = ("impressions", "feedback", "representations", "preferences")
    return {
        "kafka": {
            "bootstrap": broker.bootstrap,
            "prefix": prefix,
            "partitions": 1,
            "session_timeout": "10m",
            "idle_after": "10m",
            **{name: f"{inputs}.{name}" for name in topics},
        },
        "history": {"url": None},
        "checkpoints": {"directory": str(folder / prefix / "checkpoints")},
        "training": {"device": "cpu"},
        **tables,
    }


def fill(chosen: Settings, events: Sequence[Event]) -> None:
    """Send events as fast as they go."""
    producer = producer_of(chosen.kafka)
    Replay(chosen.kafka, producer, Rate(1e9)).run(events)  # type: ignore[arg-type]
    producer.close()


class Bare:
    """The bare agent."""

    def __init__(self, process: Process, out: Path) -> None:
        self.process, self._out = process, out

    def until(self, count: int, seconds: float = 300.0) -> None:
        """Wait until so many records were decoded."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            self.process.check()
            if any(done >= count for _, done in self._batches()):
                return
            time.sleep(0.05)
        raise TimeoutError(f"the bare agent has not decoded {count} records within {seconds:.0f} s")

    def rate(self, count: int) -> float:
        """Return records a second after the first so many, from the end of the next batch on: it was held before."""
        (began, first), *_, (ended, last) = [batch for batch in self._batches() if batch[1] > count]
        return (last - first) / (ended - began)

    def _batches(self) -> list[tuple[float, int]]:
        """Return when each batch was decoded, monotonic s, and the records until then."""
        written = self._out.read_text() if self._out.exists() else ""
        lines = [line.split() for line in written.splitlines(keepends=True) if line.endswith("\n")]
        return [(float(at), int(done)) for at, done in lines]


class Memory:
    """The shards in memory."""

    def __init__(self, process: Process, folder: Path) -> None:
        self._process, self._folder, self._asked = process, folder, 0

    def get(self, events: Sequence[Event]) -> float:
        """Return the seconds of processor that a stretch took."""
        number, self._asked = self._asked, self._asked + 1
        half = self._folder / "half"
        half.write_bytes(msgspec.msgpack.encode(events))
        half.rename(self._folder / f"stretch-{number}")
        answer = self._folder / f"took-{number}"
        while not answer.exists():
            self._process.check()
            time.sleep(0.05)
        return float(answer.read_text())


def throughput(broker: KafkaBroker, folder: Path, stretches: Stretches) -> tuple[dict[str, float], dict[str, float]]:
    """Return each side's best messages per second, and seconds of processor per slate over all stretches."""
    one, three = (tables_of(broker, folder, name, "shared") for name in ("one", "three"))
    for tables in (one, three):
        create_topics(settings(**tables))
    chosen = settings(**one)
    fill(chosen, stretches.parts[0])
    rates: dict[str, list[float]] = {"one": [], "three": [], "bare": []}
    cpus: dict[str, list[float]] = {"one": [], "three": [], "memory": []}
    paths: dict[str, Workers] = {}
    with ExitStack() as stack:
        config = folder / "tables.json"
        config.write_text(json.dumps(one))
        out, asked = folder / "bare.out", folder / "memory"
        asked.mkdir()
        bare = Bare(stack.enter_context(Process(folder / "bare.log", "agent", str(config), str(out))), out)
        counted = stretches.messages(0)
        memory = Memory(stack.enter_context(Process(folder / "memory.log", "memory", str(config), str(asked))), asked)
        for name, tables, roles in (("one", one, ["all"]), ("three", three, ["join", "rank", "publish"])):
            paths[name] = stack.enter_context(workers(tables, folder / name, [(role, free_port()) for role in roles]))
        for path in paths.values():
            path.until(*stretches.upto(0, chosen.metrics.bucket))
        bare.until(counted)
        memory.get(stretches.parts[0])
        for side in (*paths.values(), bare.process):
            side.hold()
        for part in range(1, 1 + STRETCHES):
            fill(chosen, stretches.parts[part])
            messages, slates = stretches.messages(part), stretches.slates[part]
            for name, path in paths.items():
                before, began = path.cpu, time.time()
                path.go_on()
                done = path.until(*stretches.upto(part, chosen.metrics.bucket))
                rates[name].append(messages / (done - began))
                cpus[name].append((path.cpu - before) / slates)
                path.hold()
            bare.process.go_on()
            bare.until(counted + messages)
            bare.process.hold()
            rates["bare"].append(bare.rate(counted))
            counted += messages
            cpus["memory"].append(memory.get(stretches.parts[part]) / slates)
    return {name: max(found) for name, found in rates.items()}, {name: fmean(found) for name, found in cpus.items()}


def freshness(broker: KafkaBroker, folder: Path, stretches: Stretches, rate: float) -> list[float]:
    """Return for each bucket the seconds from the record that released it until it was visible, at so many a second."""
    tables = tables_of(broker, folder, "fresh", "fresh", metrics={"bucket": f"{BUCKET}ms"})
    chosen = settings(**tables)
    create_topics(chosen)
    for some in stretches.parts[:-1]:
        fill(chosen, some)
    paced = len(stretches.parts) - 1
    sent: list[float] = []

    class Noted(Rate):
        """Notes when each record was handed over."""

        def wait(self, ts: int | None) -> float:
            late = super().wait(ts)
            sent.append(time.monotonic())
            return late

    def send() -> None:
        producer = producer_of(chosen.kafka)
        Replay(chosen.kafka, producer, Noted(rate)).run(stretches.parts[paced])  # type: ignore[arg-type]
        producer.close()

    with workers(tables, folder / "fresh", [("all", free_port())]) as path:
        path.until(*stretches.upto(paced - 1, BUCKET))
        sender = threading.Thread(target=send, daemon=True)
        sender.start()
        seen: dict[int, float] = {}
        shown = path.look().published
        while sender.is_alive():
            now_shown, at = path.look().published, time.monotonic()
            while shown < now_shown:
                shown += BUCKET / 1000
                seen[round(shown * 1000)] = at
            time.sleep(POLL)
        sender.join()
    numbers = {end: stretches.released_by(paced, end) for end in seen}
    return [at - sent[numbers[end]] for end, at in seen.items() if numbers[end] >= 0]


def run(scale: float = 1.0) -> list[Measured]:
    """Return the rows of the live path. scale: of how many slates are measured; 1 takes some four minutes."""
    stretches = Stretches(scale)
    with kafka() as (broker, folder):
        rates, cpus = throughput(broker, folder, stretches)
        waits = sorted(freshness(broker, folder, stretches, rates["one"] / 2))
    p99 = waits[math.ceil(0.99 * len(waits)) - 1] if waits else math.inf
    used = cores()
    return [
        Measured(
            "live path, one process",
            rates["one"] / rates["bare"],
            0.5,
            "higher",
            f"{rates['one']:,.0f} messages/s ranked and published, a bare Faust agent decodes {rates['bare']:,.0f}",
        ),
        Measured(
            "live path, three processes",
            rates["three"] / rates["one"],
            1.4 if used >= 4 else 0.9,
            "higher",
            f"{rates['three']:,.0f} messages/s against {rates['one']:,.0f} in one, broker and all on {used} cores",
        ),
        Measured(
            "live path, processor per slate",
            cpus["one"] / cpus["memory"],
            1.6,
            "lower",
            f"{1e6 * cpus['one']:,.0f} µs a slate in one process, {1e6 * cpus['three']:,.0f} in three, "
            f"{1e6 * cpus['memory']:,.0f} in memory",
        ),
        Measured(
            "freshness",
            p99 / FRESH,
            1.0,
            "lower",
            f"p99 {p99:.2f} s, median {waits[len(waits) // 2] if waits else math.inf:.2f} s of {len(waits)} buckets, "
            f"from the record that releases a bucket until /metrics shows it, at {rates['one'] / 2:,.0f} messages/s",
        ),
    ]


def main() -> None:
    """Print what was measured."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scale", type=float, default=1.0)
    for row in run(parser.parse_args().scale):
        sys.stdout.write(f"{row.name}: {row.ratio:.3g} (goal {row.goal}, {row.better}): {row.detail}\n")


if __name__ == "__main__":
    main()
