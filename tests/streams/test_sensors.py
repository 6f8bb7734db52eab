"""What a worker's runners say over HTTP: alive, ready, and the live page's numbers."""

from __future__ import annotations

import asyncio
import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from lis_online.exporter.health import WorkerHealth
from lis_online.settings import Settings
from streams.sensors import STANDING_AFTER, STUCK_AFTER, exporter_of, waiting
from streams.worker import build_app
from tests.exporter.live_examples import view


class Worker:
    """A worker with a join and a publish shard, told to publish a view; its clocks are set by hand."""

    def __init__(self) -> None:
        self.now = 10_000.0
        self.health = WorkerHealth(lambda: self.now)
        self.runners: dict[str, Any] = {
            "join": SimpleNamespace(ready=True, turned_at=self.now, hosts={}),
            "publish": SimpleNamespace(
                ready=True, turned_at=self.now, hosts={0: SimpleNamespace(shard=SimpleNamespace(current=view(3)))}
            ),
        }
        for role in self.runners:
            self.health.begin(role)
            self.health.assigned(role, 0)

    def later(self, seconds: float) -> None:
        """Let time pass; the event loop turns on."""
        self.now += seconds
        for runner in self.runners.values():
            runner.turned_at = self.now


@pytest.fixture
def worker() -> Worker:
    """Return a worker that has just begun."""
    return Worker()


@pytest.fixture
def address(worker: Worker) -> Iterator[str]:
    """Return the address of its server."""
    settings = Settings.of({"http": {"port": 0}})
    with exporter_of(settings, worker.runners, worker.health, lambda: worker.now) as server:
        yield server.address


def get(address: str, accept: str = "") -> tuple[int, str]:
    """Return status and body."""
    try:
        with urllib.request.urlopen(urllib.request.Request(address, headers={"Accept": accept}), timeout=5) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as exc:
        with exc:
            return exc.code, exc.read().decode()


def both(address: str) -> tuple[int, int]:
    """Return the statuses of /healthz and /readyz."""
    return get(f"{address}/healthz")[0], get(f"{address}/readyz")[0]


def test_worker_without_its_partitions_is_alive_and_not_ready(worker: Worker, address: str) -> None:
    """A restart in the middle of a rebalance would begin another one."""
    assert both(address) == (200, 200)
    worker.runners["join"].ready = False
    assert both(address) == (200, 503)
    assert get(f"{address}/readyz")[1] == "join has not been given its partitions yet\n"


def test_worker_that_has_handed_its_shards_over_is_not_ready(tmp_path: Path) -> None:
    """In the middle of a rebalance nobody applies anything."""
    runner = build_app("join", Settings.of({"checkpoints": {"directory": str(tmp_path)}}), unmade, tmp_path)
    runner.ready = True
    assert waiting({"join": runner}) is None
    asyncio.run(runner.hand_over())
    assert waiting({"join": runner}) == "join has not been given its partitions yet"


def unmade(partition: int) -> Any:
    """Fail: no shard is needed."""
    raise AssertionError(partition)


@pytest.mark.parametrize("reason", ["history_unreachable", "broker_unreachable", "registry_unreachable"])
def test_outage_is_not_ready_and_no_reason_to_restart(worker: Worker, address: str, reason: str) -> None:
    """However long it lasts: the log is the buffer."""
    worker.health.paused("publish", 0, reason)
    worker.health.lagged({("publish", 0): 40})
    worker.later(10 * STUCK_AFTER)
    assert both(address) == (200, 503)
    worker.health.paused("publish", 0, None)
    worker.health.applied("publish", 0, 40, 0.1)
    assert both(address) == (200, 200)


def test_standing_watermark_is_not_ready_and_no_reason_to_restart(worker: Worker, address: str) -> None:
    """The shard applies what it is given; what it waits for is elsewhere, and a restart would read it all again."""
    worker.health.passed("join", 0, 5)
    worker.health.lagged({("join", 0): 40})
    for _ in range(4):
        worker.later(STANDING_AFTER / 4 + 1)
        worker.health.applied("join", 0, 10, 0.1)
        worker.health.passed("join", 0, 5)
    assert both(address) == (200, 503)
    assert "watermark of join shard 0" in get(f"{address}/readyz")[1]


def test_stuck_shard_and_silent_loop_fail_alive_in_one_sentence(worker: Worker, address: str) -> None:
    """These a restart ends. Who asks for JSON gets it."""
    worker.now += STUCK_AFTER + 1
    assert get(f"{address}/healthz") == (503, "join has not looked at Kafka for 301 s\n")
    worker.later(0)
    assert get(f"{address}/healthz") == (200, "ok\n")
    worker.health.lagged({("join", 0): 40})
    reason = "join shard 0 has 40 records to read and applied none for 301 s"
    status, body = get(f"{address}/healthz", "application/json")
    assert (status, json.loads(body)) == (503, {"status": "failing", "reason": reason})


def test_live_numbers_are_those_of_the_publish_shard(worker: Worker, address: str) -> None:
    """And of nobody where the shard is on another worker."""
    found = json.loads(get(f"{address}/api/v1/live")[1])
    assert found["numbers"]["revision"] == 3
    assert found["health"]["roles"] == ["join", "publish"]
    worker.runners["publish"].hosts.clear()
    assert json.loads(get(f"{address}/api/v1/live")[1])["numbers"] is None
