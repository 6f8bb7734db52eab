"""A worker that is sent twice what it can do: `python -m bench.overload --minutes 10 --out docs/load.json`.

A real `all` worker, Apache Kafka, a simulated feed. First it is given a log to catch up with: its capacity. Then it is
sent a multiple of that for so many minutes, and then nothing, until it has caught up. Meanwhile its memory, its
checkpoints and commits, its backlog and the time that /metrics takes are written down every second.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, Final

from lis_online.replay.producer import Replay, producer_of
from lis_online.settings import Settings
from lis_online.simulate.recorded import generate
from lis_online.simulate.scenarios import scenario
from streams.topics import create_topics
from tests.fixtures.kafka import KafkaBroker, download_jars, free_port, table_of

FEED: Final = "demo"
PARTITIONS: Final = 2
WARM_UP: Final = 60_000
"""Records of the log that the capacity is measured on."""

LOOKS: Final = 20.0
"""Seconds within which the worker asks the brokers anew how far it is behind."""

PATIENCE: Final = 3_600.0
"""Seconds that catching up may take."""


class Rate:
    """The moment each record is due: so many a second, whatever their event times."""

    def __init__(self, rate: float) -> None:
        self._rate, self._began, self._sent = rate, time.monotonic(), 0

    def wait(self, ts: int | None) -> float:
        """Wait until the next record is due."""
        del ts
        self._sent += 1
        early = self._sent / self._rate - (time.monotonic() - self._began)
        if early > 0.01:
            time.sleep(early)
        return max(0.0, -early)


def send(settings: Settings, skip: int, count: int, rate: float) -> None:
    """Send a stretch of the feed, by its records' numbers."""
    events = ((topic, value) for _, topic, value in generate(scenario(FEED), 10**9, seed=1))
    producer = producer_of(settings.kafka)
    Replay(settings.kafka, producer, Rate(rate)).run(islice(events, skip, skip + count))  # type: ignore[arg-type]
    producer.close()


@dataclass
class Sample:
    """What was seen at a moment. at: s since the worker was started; scrape: s that /metrics took; behind: by role."""

    at: float
    rss: int
    scrape: float
    applied: int
    commits: int
    checkpoint_age: float
    behind: dict[str, float]

    @property
    def caught_up(self) -> bool:
        """Whether no role has anything left to apply."""
        return self.behind.keys() == {"join", "rank", "publish"} and not any(self.behind.values())


@dataclass
class Watched:
    """A worker process and what was seen of it."""

    process: subprocess.Popen[bytes]
    address: str
    log: Path
    began: float = field(default_factory=time.monotonic)
    samples: list[Sample] = field(default_factory=list)

    def look(self) -> Sample | None:
        """Note how it does now; None while it does not answer."""
        if self.process.poll() is not None:
            raise RuntimeError(f"the worker ended:\n{self.log.read_text()[-3000:]}")
        began = time.monotonic()
        try:
            with urllib.request.urlopen(f"{self.address}/metrics", timeout=60) as page:
                text = page.read().decode()
        except OSError:
            return None
        scrape = time.monotonic() - began
        pages = int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1])
        series = _series(text)
        sample = Sample(
            at=time.monotonic() - self.began,
            rss=pages * os.sysconf("SC_PAGE_SIZE"),
            scrape=scrape,
            applied=round(_sum(series, "lis_records_applied_total", "join")),
            commits=round(_sum(series, "lis_commits_total")),
            checkpoint_age=_age(series),
            behind=_behind(series),
        )
        self.samples.append(sample)
        return sample

    def until(self, done: Callable[[Sample], bool], seconds: float) -> list[Sample]:
        """Look every second until something is seen; return what was seen. Raises TimeoutError."""
        first, deadline = len(self.samples), time.monotonic() + seconds
        while True:
            sample = self.look()
            if sample is not None and done(sample):
                return self.samples[first:]
            if time.monotonic() > deadline:
                raise TimeoutError(f"not within {seconds:.0f} s:\n{self.log.read_text()[-3000:]}")
            time.sleep(1.0)


def _series(text: str) -> dict[str, float]:
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return {series: float(value) for series, _, value in (line.rpartition(" ") for line in lines)}


def _sum(series: dict[str, float], name: str, role: str = "") -> float:
    return sum(value for key, value in series.items() if key.startswith(f"{name}{{") and f'role="{role}' in key)


def _age(series: dict[str, float]) -> float:
    times = [value for name, value in series.items() if name.startswith("lis_checkpoint_timestamp_seconds{")]
    return time.time() - min(times) if times else 0.0


def _behind(series: dict[str, float]) -> dict[str, float]:
    """Return by role the records that are not applied, of the roles of which that is known."""
    found: dict[str, float] = {}
    for name, value in series.items():
        if name.startswith("lis_lag_records{"):
            role = name.partition('role="')[2].partition('"')[0]
            found[role] = found.get(role, 0) + value
    return found


@contextmanager
def kafka() -> Iterator[tuple[KafkaBroker, Path]]:
    """Run a broker in a folder that is removed."""
    with tempfile.TemporaryDirectory(prefix="lis-overload-", ignore_cleanup_errors=True) as folder:
        place = Path(folder) / "kafka"
        place.mkdir()
        broker = KafkaBroker(download_jars(), place)
        broker.start()
        try:
            yield broker, Path(folder)
        finally:
            broker.stop()


@contextmanager
def worker(table: dict[str, Any], config: Path) -> Iterator[Watched]:
    """Run a worker over a settings file."""
    log = config.with_name("log")
    command = [sys.executable, "-m", "bench.overload", "worker", str(config)]
    with log.open("ab") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output, env=os.environ | {"OMP_NUM_THREADS": "1"})
    try:
        yield Watched(process, f"http://127.0.0.1:{table['http']['port']}", log)
    finally:
        process.terminate()
        process.wait(60)


def measure(minutes: float, times: float) -> dict[str, Any]:
    """Return what happened, as JSON-able data."""
    with kafka() as (broker, folder):
        own = ("kafka", "history", "checkpoints", "http")
        tables = {name: value for name, value in scenario(FEED).settings.items() if name not in own}
        tables |= {"checkpoints": {"every": "10s"}, "http": {"port": free_port()}}
        table = table_of(broker, folder, kafka={"partitions": PARTITIONS}, **tables)
        config = folder / "settings.json"
        config.write_text(json.dumps(table))
        settings = Settings.of(table)
        create_topics(settings)
        send(settings, 0, WARM_UP, 10**9)
        with worker(table, config) as watched:
            watched.until(lambda sample: sample.applied > 0, 120)
            first = watched.samples[-1]
            seen = watched.until(lambda sample: sample.applied >= WARM_UP // 2 and sample.caught_up, PATIENCE)
            capacity = (WARM_UP - first.applied) / (seen[-1].at - first.at)
            return _overload(watched, config, capacity, minutes, times)


def _overload(watched: Watched, config: Path, capacity: float, minutes: float, times: float) -> dict[str, Any]:
    rate, count = times * capacity, round(times * capacity * 60 * minutes)
    before, began = watched.samples[-1], time.monotonic()
    arguments = [str(config), str(WARM_UP), str(count), str(rate)]
    feeder = subprocess.Popen([sys.executable, "-m", "bench.overload", "send", *arguments])
    try:
        during = watched.until(lambda _: feeder.poll() is not None, 60 * minutes * 4)
    finally:
        feeder.kill()
        feeder.wait()
    lasted = time.monotonic() - began
    after = watched.until(lambda sample: sample.at > during[-1].at + LOOKS and sample.caught_up, PATIENCE)
    caught_up = time.monotonic() - began - lasted
    most = {role: max(sample.behind.get(role, 0) for sample in during + after) for role in ("join", "rank")}
    return {
        "feed": FEED,
        "partitions": PARTITIONS,
        "capacity_records_per_second": round(capacity),
        "sent_records_per_second": round(count / lasted),
        "minutes": round(lasted / 60, 2),
        "joined_records_per_second": round((during[-1].applied - before.applied) / lasted),
        "most_behind_records": {role: round(value) for role, value in most.items()},
        "caught_up_seconds": round(caught_up, 1),
        "rss_mib": {
            "before": _mib(before.rss),
            "thirds": [_mib(max(s.rss for s in part)) for part in _thirds(during)],
            "catching_up": _mib(max(s.rss for s in after)),
        },
        "metrics_seconds": {name: round(value, 4) for name, value in _times(during).items()},
        "commits": during[-1].commits - before.commits,
        "oldest_checkpoint_seconds": round(max(s.checkpoint_age for s in during), 1),
    }


def _thirds(samples: list[Sample]) -> list[list[Sample]]:
    size = max(1, len(samples) // 3)
    return [samples[:size], samples[size : 2 * size], samples[2 * size :] or samples[-1:]]


def _mib(size: int) -> int:
    return round(size / 2**20)


def _times(samples: list[Sample]) -> dict[str, float]:
    found = sorted(sample.scrape for sample in samples)
    return {"median": statistics.median(found), "p99": found[int(0.99 * (len(found) - 1))], "longest": found[-1]}


def main() -> int:
    """Measure, or be one of the two processes that are needed for it."""
    if sys.argv[1:2] == ["worker"]:
        from streams.live import run_worker

        return run_worker("all", Settings.of(json.loads(Path(sys.argv[2]).read_text())))
    if sys.argv[1:2] == ["send"]:
        _, _, config, skip, count, rate = sys.argv
        send(Settings.of(json.loads(Path(config).read_text())), int(skip), int(count), float(rate))
        return 0
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--times", type=float, default=2.0)
    parser.add_argument("--out", type=Path, required=True)
    given = parser.parse_args()
    found = measure(given.minutes, given.times)
    given.out.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    sys.stdout.write(given.out.read_text())
    return 0


if __name__ == "__main__":
    sys.exit(main())
