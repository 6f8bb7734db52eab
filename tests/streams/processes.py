"""Toy workers as processes, what goes in, and what must come out."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from lis_online.events.topics import INPUTS, topic_names
from lis_online.records import Record
from lis_online.replay.producer import producer_of
from lis_online.settings import Settings
from tests.fixtures.kafka import ROOT
from tests.streams.toy import Chain, ToyJoin, ToyPublish, ToyRank


class ToyWorkers:
    """Worker processes over the same settings, checkpoints and rows."""

    def __init__(self, table: dict[str, Any], folder: Path) -> None:
        self.rows_file = folder / "rows"
        self._settings_file = folder / "settings.json"
        self._settings_file.write_text(json.dumps(table))
        self._log = folder / "log"
        self.running: list[subprocess.Popen[bytes]] = []

    def start(self, role: str) -> subprocess.Popen[bytes]:
        """Start one more."""
        arguments = [role, str(self._settings_file), str(self.rows_file)]
        command = [sys.executable, "-m", "tests.streams.toy_worker", *arguments]
        with self._log.open("ab") as log:
            # what a killed worker leaves behind goes with the test's folder
            environment = os.environ | {"TMPDIR": str(self._log.parent)}
            process = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log, env=environment)
        self.running.append(process)
        return process

    def stop(self, process: subprocess.Popen[bytes], how: signal.Signals, seconds: float = 20) -> int:
        """Send a signal and return the exit code."""
        process.send_signal(how)
        self.running.remove(process)
        try:
            return process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            raise AssertionError(f"worker did not end within {seconds} s of {how}:\n{self.log()}") from None

    def kill_all(self) -> None:
        """Leave nothing behind."""
        for process in self.running:
            process.kill()
            process.wait()

    def log(self) -> str:
        """Return the end of what the workers said."""
        return self._log.read_text()[-6000:]

    def ready(self) -> int:
        """Return how many times a worker was given its partitions."""
        return self._log.read_text().count("shards of partitions")

    def rows(self) -> list[list[object]]:
        """Return the rows, each once, sorted."""
        lines = set(self.rows_file.read_text().splitlines()) if self.rows_file.exists() else set()
        return sorted(json.loads(line) for line in lines)


class Inputs:
    """Records that were sent to the input topics, by partition and topic."""

    def __init__(self, settings: Settings) -> None:
        self._names = topic_names(settings.kafka)
        self._partitions = settings.kafka.partitions
        self._producer = producer_of(settings.kafka)
        self.records: list[Record] = []
        self._sent: Counter[tuple[str, int]] = Counter()

    def send(self, count: int, topics: tuple[str, ...] = INPUTS) -> None:
        """Send so many more to each partition of each topic, and wait until they are there."""
        for number in range(count):
            for topic in topics:
                for partition in range(self._partitions):
                    value = f"{topic} {partition} {number} {len(self.records)}".encode()
                    self._producer.send(self._names[topic], value, key=b"%d" % number, partition=partition)
                    self.records.append(Record(topic, partition, self._next(topic, partition), -1, value))
        self._producer.flush()

    def poison(self, topic: str) -> None:
        """Send a record that toy joins cannot apply to partition 0."""
        self._producer.send(self._names[topic], b"poison", partition=0)
        self._producer.flush()

    def _next(self, topic: str, partition: int) -> int:
        self._sent[topic, partition] += 1
        return self._sent[topic, partition] - 1

    def close(self) -> None:
        """Close the producer."""
        self._producer.close()


def outcome(records: list[Record], partitions: int) -> tuple[list[dict[str, str]], dict[str, str], list[list[object]]]:
    """Return what toy shards make of the records without Kafka: join chains, rank chains, rows."""
    joins: list[Chain] = [ToyJoin(partition) for partition in range(partitions)]
    rank, publish = ToyRank(0), ToyPublish(0)
    samples = windows = 0
    for record in records:
        for sample in joins[record.partition].feed([record]):
            for window in rank.feed([Record("samples", 0, samples, -1, sample.value)]):
                publish.feed([Record("windows", 0, windows, -1, window.value)])
                windows += 1
            samples += 1
    return [join.chains for join in joins], rank.chains, sorted(publish.rows)


def wait_until(condition: Callable[[], bool], seconds: float, what: Callable[[], str]) -> None:
    """Wait for a condition; fail with what is known otherwise."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, what()
        time.sleep(0.1)
