from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, text

from lis_online.replay.pacing import Pace
from lis_online.replay.producer import Replay, producer_of
from lis_online.settings import Settings
from lis_online.shards.pipeline import Pipeline
from lis_online.simulate.recorded import generate
from lis_online.simulate.scenarios import scenario
from streams.topics import create_topics
from tests.fixtures.kafka import ROOT, KafkaBroker, free_port, table_of
from tests.streams.processes import wait_until

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(280)]

Log = list[tuple[str, bytes | None]]


class LiveWorker:
    """One worker, by default of all roles, over a settings file, asked through its own HTTP server."""

    def __init__(
        self,
        table: dict[str, Any],
        folder: Path,
        seed: int,
        module: str = "tests.streams.live_worker",
        role: str = "all",
    ) -> None:
        self._log = folder / "log"
        self._address = f"http://127.0.0.1:{table['http']['port']}"
        settings = folder / "settings.json"
        settings.write_text(json.dumps(table))
        self._command = [sys.executable, "-m", module, role, str(settings), str(seed)]
        self.process: subprocess.Popen[bytes]
        self.start()

    def start(self) -> None:
        """Start it, or start it again."""
        with self._log.open("ab") as log:
            # what a killed worker leaves behind goes with the test's folder
            environment = os.environ | {"TMPDIR": str(self._log.parent)}
            self.process = subprocess.Popen(self._command, cwd=ROOT, stdout=log, stderr=log, env=environment)

    def get(self, path: str) -> bytes | None:
        """Return a page; None where it is not there yet."""
        assert self.process.poll() is None, self.log()
        try:
            with urllib.request.urlopen(self._address + path, timeout=10) as page:
                found: bytes = page.read()
                return found
        except OSError:
            return None

    def summary(self) -> dict[str, Any]:
        """Return the summary, empty while there is none."""
        found = self.get("/api/v1/summary")
        table: dict[str, Any] = json.loads(found) if found else {}
        return table

    def metrics(self) -> dict[str, float]:
        """Return the value of each series, as /metrics spells it."""
        lines = [line for line in (self.get("/metrics") or b"").decode().splitlines() if not line.startswith("#")]
        return {series: float(value) for series, _, value in (line.rpartition(" ") for line in lines)}

    def log(self) -> str:
        """Return the end of what it said."""
        return self._log.read_text()[-4000:]


def lags(metrics: dict[str, float]) -> dict[str, float]:
    """Return the shards that are behind."""
    return {series: value for series, value in metrics.items() if series.startswith("lis_lag_records") and value}


@pytest.fixture(scope="module")
def log() -> Log:
    """A simulated feed, with records among it that must change no number."""
    log: Log = [(topic, value) for _, topic, value in generate(scenario("demo"), 1500, seed=5)]
    bad = (b"not json", b'{"schema_version": 2}', b'{"schema_version": 1, "variant": "nobody"}')
    for number, topic in enumerate(("impressions", "feedback", "representations", "preferences")):
        for value in bad:
            log.insert(300 * (number + 1), (topic, value))
    return log


@pytest.fixture
def table(kafka_broker: KafkaBroker, tmp_path: Path, postgres_url: str, history_engine: Engine) -> dict[str, Any]:
    """The scenario's settings with several partitions and a history, and numbers from the beginning on."""
    settings = {
        name: section
        for name, section in scenario("demo").settings.items()
        if name not in ("kafka", "history", "checkpoints", "http")
    }
    settings["metrics"] = {**settings.get("metrics", {}), "warm_up": "1s"}
    kafka = {"partitions": 3, "session_timeout": "3s"}
    history = {"url": postgres_url}
    return table_of(kafka_broker, tmp_path, kafka=kafka, http={"port": free_port()}, history=history, **settings)


@pytest.fixture
def worker(table: dict[str, Any], tmp_path: Path) -> Iterator[list[LiveWorker]]:
    """Workers to fill in; none is left behind."""
    started: list[LiveWorker] = []
    yield started
    for each in started:
        each.process.kill()
        each.process.wait()


def test_live_path_gives_the_numbers_of_evaluate(
    table: dict[str, Any], tmp_path: Path, log: Log, worker: list[LiveWorker], history_engine: Engine
) -> None:
    """Exactly the same, whatever the partitions and batch sizes, and after a SIGKILL of the worker on the way;
    and the history holds every sample once.
    """
    settings = Settings.of(table)
    create_topics(settings)
    producer = producer_of(settings.kafka)
    Replay(settings.kafka, producer, Pace(None)).run(log, finish=True)
    producer.close()
    live = LiveWorker(table, tmp_path, seed=1)
    worker.append(live)
    wait_until(lambda: live.get("/readyz") is not None, 60, live.log)
    live.process.kill()
    live.process.wait()
    offline = Pipeline(settings)
    for topic, value in log:
        offline.update(topic, value)
    offline.finish()
    wanted = {**json.loads(json.dumps(offline.summary())), "drift": []}
    assert wanted["samples"] > 10_000
    assert wanted["events"]["dead_letters"] == 12
    live.start()
    wait_until(lambda: live.summary() == wanted, 120, lambda: f"{live.log()}\n{live.summary()}\n{wanted}")
    assert live.get("/healthz") == b"ok\n"
    wait_until(lambda: live.metrics()['lis_lag_known{partition="0",role="rank"}'] == 1, 20, live.log)
    metrics = live.metrics()
    assert all(metrics[f'lis_rebalances_total{{role="{role}"}}'] >= 1 for role in ("join", "rank", "publish"))
    assert [metrics[f'lis_assigned_partitions{{role="{role}"}}'] for role in ("join", "rank", "publish")] == [3, 1, 1]
    assert metrics['lis_commits_total{role="join"}'] >= 3  # one for each partition, at its restore or later
    assert metrics['lis_commit_failures_total{role="join"}'] == 0
    assert metrics["lis_history_rows_total"] > metrics["lis_history_writes_total"] > 0
    assert metrics["lis_history_failures_total"] == 0
    assert metrics["lis_user_sample_ratio"] == 1
    assert metrics['lis_device_info{device="cpu",role="rank"}'] == 1
    wait_until(lambda: not lags(live.metrics()), 40, lambda: f"{lags(live.metrics())}")
    live.process.send_signal(signal.SIGTERM)
    assert live.process.wait(30) == 0  # and with its last checkpoint the rows are there
    with history_engine.connect() as connection:
        assert connection.execute(text("SELECT sum(samples) FROM buckets")).scalar() == offline.rank.samples
        assert connection.execute(text("SELECT count(*) FROM numbers WHERE number = 'adjusted_lis'")).scalar()
