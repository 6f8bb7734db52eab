"""Every query of every panel, variable and annotation, against a real Prometheus and a real PostgreSQL."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from sqlalchemy import text

from lis_online.exporter import names
from lis_online.history.engine import build_engine
from lis_online.history.readers import grant_reader
from lis_online.history.schema import upgrade
from tests.fixtures.kafka import KafkaBroker
from tests.grafana import choices
from tests.grafana.boards import BOARDS, Query, queries
from tests.grafana.expand import expand
from tests.grafana.stage import END, START, Stage, stage

pytestmark = [pytest.mark.kafka, pytest.mark.postgres, pytest.mark.timeout(280)]

READER = "grafana_test"
GROWING = ("numbers", "diagnoses", "lifts", "sample_ratios")
ALL = [query for name in BOARDS for query in queries(name)]


@pytest.fixture(scope="module")
def database(postgres_server: Any) -> Iterator[str]:
    """Return the address of a database of this module's own."""
    admin = build_engine(postgres_server.get_uri()).execution_options(isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text("CREATE DATABASE grafana_queries"))
    yield postgres_server.get_uri(database="grafana_queries", driver="psycopg")
    with admin.connect() as connection:
        connection.execute(text("DROP DATABASE grafana_queries WITH (FORCE)"))
        connection.execute(text(f"DROP ROLE IF EXISTS {READER}"))
    admin.dispose()


@pytest.fixture(scope="module")
def running(kafka_broker: KafkaBroker, database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """Return the run, once all of it is published, kept and scraped."""
    engine = build_engine(database)
    upgrade(engine)
    grant_reader(engine, READER)
    with stage(kafka_broker, tmp_path_factory.mktemp("grafana"), engine, database) as found:
        yield found
    engine.dispose()


@pytest.fixture(scope="module")
def history(running: Stage, database: str) -> Iterator[psycopg.Connection]:
    """Return a connection of Grafana's role: it reads views, and nothing else."""
    plain = database.replace("postgresql+psycopg://", "postgresql://")
    with psycopg.connect(plain, user=READER, autocommit=True) as connection:
        yield connection


@pytest.fixture(scope="module")
def chosen(running: Stage, history: psycopg.Connection) -> dict[str, dict[str, list[str]]]:
    """Return what a reader sees chosen when a dashboard is opened: the first value, or all, of each variable."""
    return {name: choices.chosen(name, running.prometheus, history, START, END) for name in BOARDS}


@pytest.mark.parametrize("query", [q for q in ALL if not q.is_sql], ids=lambda q: q.where)
def test_prometheus_has_numbers_for_the_query(
    query: Query, running: Stage, chosen: dict[str, dict[str, list[str]]]
) -> None:
    """A renamed series, a label that is none or a join that matches nothing shows an empty panel, and no error.

    A rate has numbers while there is work, and a log that has ended no watermark; the others are there to the end.
    """
    asked = expand(query.text, chosen[query.where.split(",")[0]], START, END)
    if "$__rate_interval" in query.text or names.WATERMARK.name in query.text:
        assert running.prometheus.numbers(asked, running.begun, time.time()), asked
    else:
        assert running.prometheus.now(asked), asked


@pytest.mark.parametrize("query", [q for q in ALL if q.is_sql], ids=lambda q: q.where)
def test_the_history_has_rows_for_the_query(
    query: Query, history: psycopg.Connection, chosen: dict[str, dict[str, list[str]]]
) -> None:
    """Read as Grafana's role. Of a line, each column has a number somewhere, and times ascend."""
    asked = expand(query.text, chosen[query.where.split(",")[0]], START, END + 3_600_000)
    rows = history.execute(asked).fetchall()  # type: ignore[arg-type]
    assert rows, asked
    if query.target["format"] == "time_series":
        times = [row[0] for row in rows]
        assert times == sorted(times)
        assert all(any(row[column] is not None for row in rows) for column in range(1, len(rows[0]))), asked


@pytest.mark.parametrize("query", [q for q in ALL if q.is_sql and "configuration" in q.text], ids=lambda q: q.where)
def test_the_history_is_read_by_its_keys(
    query: Query, history: psycopg.Connection, chosen: dict[str, dict[str, list[str]]]
) -> None:
    """Of a table that grows with the buckets, no more is read than rows that may be drawn: 400 days open at once.

    Sequential scans are forbidden, since a short run's tables are as fast without an index; then each scan must be led
    by the time, and by the configuration.
    """
    history.execute("SET enable_seqscan = off")
    asked = expand(query.text, chosen[query.where.split(",")[0]], START, END)
    [[[plan]]] = history.execute(f"EXPLAIN (FORMAT JSON) {asked}").fetchall()  # type: ignore[arg-type]
    scans = [node for node in _nodes(plan["Plan"]) if node.get("Relation Name", "").startswith(GROWING)]
    assert scans or "lis_drift_events" in query.text
    for scan in scans:
        led_by = " ".join(
            node.get("Index Cond", "") for node in _nodes(scan)
        )  # a bitmap's condition stands in its parts
        assert {"configuration_id", "bucket_end"} <= set(re.findall(r"\w+", led_by)), scan


def _nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for part in plan.get("Plans", []):
        yield from _nodes(part)
