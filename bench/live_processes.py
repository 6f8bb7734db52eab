"""The processes that the live path is measured on: workers, a bare Faust agent, the shards in memory.

    python -m bench.live_processes worker TABLES ROLE | agent TABLES OUT | memory TABLES FOLDER

TABLES is a JSON file of tables over the standard load's settings. Each is stopped and continued from outside
(SIGSTOP, SIGCONT), so that what is compared runs one after the other on the same broker, warm.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, NamedTuple, Self

from bench.standard import settings
from lis_online.settings import Settings

TICK: Final = os.sysconf("SC_CLK_TCK")
SERIES: Final = re.compile(
    rb"^lis_(watermark|published|last_batch)_timestamp_seconds(?:\{[^}]*role=\"(\w+)\"[^}]*\})? (\S+)$", re.M
)
"""The time up to which a shard has applied everything, the end of the newest published window, when a shard last did
something."""

REQUEST_SECONDS: Final = "700"
"""Faust's bound on a session's timeout, which is longer than anybody is held here."""

LOOK: Final = 0.5
"""Seconds between looks at whether a side is done."""


class Process:
    """One child process that can be stopped and continued."""

    def __init__(self, log: Path, *arguments: str) -> None:
        self.log = log
        command = [sys.executable, "-m", "bench.live_processes", *arguments]
        with log.open("ab") as output:
            environment = os.environ | {"OMP_NUM_THREADS": "1", "BROKER_REQUEST_TIMEOUT": REQUEST_SECONDS}
            self._child = subprocess.Popen(command, stdout=output, stderr=output, env=environment)

    @property
    def cpu(self) -> float:
        """Seconds of processor so far."""
        fields = Path(f"/proc/{self._child.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICK

    def hold(self) -> None:
        """Stop it without ending it."""
        self._child.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        """Continue it."""
        self._child.send_signal(signal.SIGCONT)

    def check(self) -> None:
        """Raise RuntimeError where it has ended."""
        if self._child.poll() is not None:
            raise RuntimeError(f"{self.log.name} ended:\n{self.log.read_text()[-3000:]}")

    def __enter__(self) -> Self:
        """Return the process."""
        return self

    def __exit__(self, *_: object) -> None:
        """End it: nothing of it is needed."""
        self._child.kill()
        self._child.wait()


class Seen(NamedTuple):
    """What /metrics shows: how far the rank shard is and the published windows are, event time, s, 0 while unknown; and
    when a shard last applied something, s since 1970.
    """

    ranked: float
    published: float
    last: float


class Workers:
    """The processes of one live path. addresses: where each serves its metrics."""

    def __init__(self, processes: list[Process], addresses: list[str]) -> None:
        self._processes = processes
        self._addresses = addresses

    @property
    def cpu(self) -> float:
        """Seconds of processor so far, of all of them."""
        return sum(process.cpu for process in self._processes)

    def hold(self) -> None:
        """Stop them."""
        for process in self._processes:
            process.hold()

    def go_on(self) -> None:
        """Continue them."""
        for process in self._processes:
            process.go_on()

    def look(self) -> Seen:
        """Return how far they have come."""
        found: dict[tuple[bytes, bytes], float] = {}
        for process, address in zip(self._processes, self._addresses, strict=True):
            process.check()
            try:
                with urllib.request.urlopen(f"{address}/metrics", timeout=60) as page:
                    text = page.read()
            except OSError:
                continue
            found |= {(name, role): float(value) for name, role, value in SERIES.findall(text)}
        last = max((value for (name, _), value in found.items() if name == b"last_batch"), default=0.0)
        return Seen(found.get((b"watermark", b"rank"), 0.0), found.get((b"published", b""), 0.0), last)

    def until(self, watermark: float, published: float, seconds: float = 900.0) -> float:
        """Wait until everything up to a watermark is ranked and what that ends is published, both event time, s.

        Return when the last of it was done: s since 1970. Looked at seldom: a scrape costs them some ms.
        """
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            seen = self.look()
            if seen.ranked >= watermark and seen.published >= published:
                return seen.last
            time.sleep(LOOK)
        raise TimeoutError(f"not at {watermark} and {published} within {seconds:.0f} s but at {self.look()}")


@contextmanager
def workers(tables: dict[str, Any], folder: Path, roles: list[tuple[str, int]]) -> Iterator[Workers]:
    """Run a process for each role and port."""
    folder.mkdir()
    processes: list[Process] = []
    try:
        for role, port in roles:
            own = folder / f"{role}.json"
            own.write_text(json.dumps(tables | {"http": {"port": port}}))
            processes.append(Process(folder / f"{role}.log", "worker", str(own), role))
        yield Workers(processes, [f"http://127.0.0.1:{port}" for _, port in roles])
    finally:
        for process in processes:
            process.__exit__()


def agent(chosen: Settings, out: Path) -> None:
    """Run a bare Faust agent on impressions and feedback; out gets a line for each batch: s, records so far."""
    import faust
    import msgspec

    from lis_online.events.wire import Feedback, Impression

    kafka = chosen.kafka
    app = faust.App(
        f"{kafka.prefix}-bare",
        broker=f"kafka://{kafka.bootstrap}",
        value_serializer="raw",
        datadir=str(out.with_suffix(".faust")),
        broker_session_timeout=kafka.session_timeout / 1000,
        broker_heartbeat_interval=kafka.session_timeout / 3000,
        topic_disable_leader=True,
        web_enabled=False,
        consumer_auto_offset_reset="earliest",
    )
    of_impressions, of_feedback = msgspec.json.Decoder(Impression), msgspec.json.Decoder(Feedback)
    topic = app.topic(kafka.impressions, kafka.feedback, value_type=bytes, value_serializer="raw")
    file = out.open("w", buffering=1)

    @app.agent(topic)
    async def consume(stream: Any) -> None:
        count = 0
        async for events in stream.take_events(2000, within=0.1):
            for event in events:
                decoder = of_impressions if event.message.topic == kafka.impressions else of_feedback
                decoder.decode(event.value)
            count += len(events)
            file.write(f"{time.monotonic()} {count}\n")

    app.finalize()
    faust.Worker(app, loglevel="WARNING").execute_from_commandline()


def memory(chosen: Settings, folder: Path) -> None:
    """Run the shards over stretches of the log as they are put into the folder; answer with seconds of processor."""
    import msgspec

    from lis_online.shards.pipeline import Pipeline

    pipeline = Pipeline(chosen)
    for number in range(10**6):
        asked = folder / f"stretch-{number}"
        while not asked.exists():
            time.sleep(0.05)
        records = msgspec.msgpack.decode(asked.read_bytes(), type=list[tuple[str, bytes]])
        began = time.process_time()
        for topic, value in records:
            pipeline.update(topic, value)
        took = time.process_time() - began
        answer = folder / f"half-{number}"
        answer.write_text(str(took))
        answer.rename(folder / f"took-{number}")


def main() -> int:
    """Be one of the processes."""
    from streams.live import run_worker

    kind, tables, last = sys.argv[1:4]
    chosen = settings(**json.loads(Path(tables).read_text()))
    if kind == "worker":
        return run_worker(last, chosen)
    if kind == "agent":
        agent(chosen, Path(last))
    else:
        memory(chosen, Path(last))
    return 0


if __name__ == "__main__":
    sys.exit(main())
