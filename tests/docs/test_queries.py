"""What the documents ask of Prometheus, and tell it, is asked of Prometheus itself and told it."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.documents import Quote, blocks
from tests.grafana.prometheus import Prometheus, prometheus_of
from tests.programs import needs

QUERIES = [
    Quote(block.where, line, number)
    for block in blocks("promql")
    for number, line in enumerate(block.text.splitlines(), block.line)
]


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    """Return a server that scrapes nobody: names and labels are compared with the exporter's by the alerts' tests."""
    with prometheus_of([], tmp_path_factory.mktemp("prometheus")) as server:
        yield server


@needs("prometheus")
def test_queries_are_answered(prometheus: Prometheus) -> None:
    """Each line of a runbook is one that Prometheus takes, types of its parts included."""
    wrong = []
    for query in QUERIES:
        try:
            prometheus.ask("query", query=query.text)
        except OSError as exc:
            wrong.append(f"{query.where}:{query.line}: {query.text}: {exc}")
            getattr(exc, "close", lambda: None)()
    assert wrong == []
    assert len(QUERIES) > 50


@needs("promtool")
def test_the_scrape_job_is_a_configuration(tmp_path: Path) -> None:
    """The job that reads workers with a token over TLS, with files that are there."""
    [job] = [block.text for block in blocks("yaml") if block.where == "docs/security.md"]
    (tmp_path / "lis-token").write_text("token")
    (tmp_path / "lis-ca.pem").write_text("authority")
    config = tmp_path / "prometheus.yml"
    config.write_text(re.sub(r"/etc/prometheus(?=/)", str(tmp_path), job))
    done = subprocess.run(["promtool", "check", "config", str(config)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
