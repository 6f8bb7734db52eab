"""Debian's Prometheus on a loopback port, and what it answers."""

from __future__ import annotations

import json
import math
import os
import shutil
import subprocess
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.fixtures.kafka import free_port
from tests.streams.processes import wait_until


class Prometheus:
    """A running server. address: without a path."""

    def __init__(self, address: str) -> None:
        self.address = address

    def ask(self, path: str, **arguments: str) -> Any:
        """Return the `data` of an answer."""
        url = f"{self.address}/api/v1/{path}?{urllib.parse.urlencode(arguments)}"
        with urllib.request.urlopen(url, timeout=30) as answer:
            return json.load(answer)["data"]

    def numbers(self, query: str, start: float, end: float) -> list[float]:
        """Return every number that a query gives over a time in steps of a second; NaN is none."""
        times = {"start": f"{start}", "end": f"{end}", "step": "1"}
        series = self.ask("query_range", query=query, **times)["result"]
        return [n for one in series for _, value in one["values"] if not math.isnan(n := float(value))]

    def now(self, query: str) -> list[float]:
        """Return the numbers that a query gives now."""
        found = [float(one["value"][1]) for one in self.ask("query", query=query)["result"]]
        return [number for number in found if not math.isnan(number)]

    def label_values(self, selector: str, label: str) -> list[str]:
        """Return what Grafana's label_values does."""
        series = self.ask("series", **{"match[]": selector})
        return sorted({one[label] for one in series if label in one})


@contextmanager
def prometheus_of(targets: list[str], folder: Path, how: Mapping[str, Any] | None = None) -> Iterator[Prometheus]:
    """Scrape the targets every second, as job lis-online. how: the job's other keys, such as its scheme."""
    if shutil.which("prometheus") is None:
        if os.environ.get("CI") == "true":
            pytest.fail("prometheus is not on the PATH: apt-get install prometheus")
        pytest.skip("prometheus is not on the PATH")
    config, port = folder / "prometheus.yml", free_port()
    scrape = {"job_name": "lis-online", "static_configs": [{"targets": targets}], **(how or {})}
    config.write_text(json.dumps({"global": {"scrape_interval": "1s"}, "scrape_configs": [scrape]}))
    flags = [
        f"--config.file={config}",
        f"--storage.tsdb.path={folder / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}",
    ]
    with (folder / "prometheus.log").open("wb") as log:
        process = subprocess.Popen(["prometheus", *flags], stdout=log, stderr=log)
    server = Prometheus(f"http://127.0.0.1:{port}")
    try:
        wait_until(lambda: _serves(server), 60, (folder / "prometheus.log").read_text)
        yield server
    finally:
        process.terminate()
        process.wait(20)


def _serves(server: Prometheus) -> bool:
    try:
        urllib.request.urlopen(f"{server.address}/-/ready", timeout=5).close()
    except OSError:
        return False
    return True
