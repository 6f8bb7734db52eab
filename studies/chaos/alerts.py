"""Debian's Prometheus over a run's workers, with the rules that are shipped, made faster."""

from __future__ import annotations

import json
import re
import subprocess
import threading
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import yaml

from lis_online.settings.durations import parse_duration
from studies.chaos.workers import wait_for
from tests.fixtures.kafka import ROOT, free_port

FILES: Final = ("record.yml", "pipeline.yml")
"""The rules that a fault concerns: of numbers there is nothing to say in so short a feed."""
SCRAPE, EVALUATE = 15.0, 30.0
"""Seconds, of `prometheus/prometheus.yml`."""
START_SECONDS = 60.0


def faster(rules: dict[str, Any], by: int) -> dict[str, Any]:
    """Return rules whose waits, ranges and limits in seconds of the wall clock are so many times shorter.

    >>> rule = {"alert": "A", "expr": "increase(x[5m]) > 0 and y offset 15m > 600", "for": "10m"}
    >>> faster({"groups": [{"name": "g", "rules": [rule]}]}, 10)["groups"][0]["rules"]
    [{'alert': 'A', 'expr': 'increase(x[30000ms]) > 0 and y offset 90000ms > 60', 'for': '60000ms'}]
    """

    def shorter(found: re.Match[str]) -> str:
        return f"{found[1]}{parse_duration(found[2]) // by}ms{found[3]}"

    def one(rule: dict[str, Any]) -> dict[str, Any]:
        expr = re.sub(r"(\[|offset )(\d+[smhd])(\]|\b)", shorter, str(rule["expr"]))
        expr = re.sub(r"> 600$", f"> {600 // by}", expr.strip())
        expr = expr.replace("> 900 * lis:records_applied", f"> {900 // by} * lis:records_applied")
        waits = {key: f"{parse_duration(rule[key]) // by}ms" for key in ("for", "keep_firing_for") if key in rule}
        return {**rule, "expr": expr, **waits}

    return {
        "groups": [{**group, "rules": [one(rule) for rule in group["rules"]]} for group in rules["groups"]],
    }


class Alerts:
    """What fires. fired: every alert that did so far."""

    def __init__(self, address: str) -> None:
        self.fired: set[str] = set()
        self._address = address
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="alerts", daemon=True)

    def firing(self) -> set[str]:
        """Return the names of the alerts that fire now."""
        with urllib.request.urlopen(f"{self._address}/api/v1/alerts", timeout=10) as answer:
            found = json.load(answer)["data"]["alerts"]
        return {alert["labels"]["alertname"] for alert in found if alert["state"] == "firing"}

    def serves(self) -> bool:
        """Return whether it answers."""
        try:
            urllib.request.urlopen(f"{self._address}/-/ready", timeout=5).close()
        except OSError:
            return False
        return True

    def __enter__(self) -> Alerts:
        """Begin to watch."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop watching."""
        self._stop.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._stop.wait(1.0):
            try:
                self.fired |= self.firing()
            except OSError:
                continue


@contextmanager
def alerts_of(ports: Sequence[int], folder: Path, by: int) -> Iterator[Alerts]:
    """Run Prometheus over workers while the context lasts. by: how many times as fast as shipped its rules are."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in FILES:
        rules = yaml.safe_load((ROOT / "prometheus" / "rules" / name).read_text())
        (folder / name).write_text(yaml.safe_dump(faster(rules, by)))
    table = {
        "global": {
            "scrape_interval": f"{round(SCRAPE / by * 1000)}ms",
            "evaluation_interval": f"{round(EVALUATE / by * 1000)}ms",
        },
        "rule_files": [str(folder / name) for name in FILES],
        "scrape_configs": [
            {"job_name": "lis-online", "static_configs": [{"targets": [f"127.0.0.1:{port}" for port in ports]}]}
        ],
    }
    config, port = folder / "prometheus.yml", free_port()
    config.write_text(json.dumps(table))
    command = [
        "prometheus",
        f"--config.file={config}",
        f"--storage.tsdb.path={folder / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}",
    ]
    with (folder / "prometheus.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        alerts = Alerts(f"http://127.0.0.1:{port}")
        wait_for(alerts.serves, START_SECONDS, (folder / "prometheus.log").read_text)
        with alerts:
            yield alerts
    finally:
        process.terminate()
        process.wait(30)
