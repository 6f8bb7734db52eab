"""Measures the history's writer: buckets/s of twenty variants, against one COPY of the same bytes.

`python -m bench.history_write` starts a PostgreSQL in a temporary folder. A bucket's rows are those that a publish
shard makes of it: numbers and diagnoses of every window and slice, statistics, moments, arms, lifts. What it is held
against has them as bytes already, and copies them into tables of the same columns, without keys, rules or partitions.
Both are one transaction a bucket, of the same server, by turns.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np
import psycopg
from sqlalchemy import DateTime, Engine, text

from bench.measured import Measured
from lis_online.demo.postgres import embedded_postgres
from lis_online.events.windows_log import VERSION, ArmMoments, JoinReport, RankBucket, SlotVersion, encode
from lis_online.experiments.columns import Columns, quantities_of
from lis_online.experiments.moments import UNIT, Moments
from lis_online.history.engine import build_engine
from lis_online.history.retention import Pruner
from lis_online.history.rows import HistoryRow
from lis_online.history.schema import upgrade
from lis_online.history.tables import TABLES
from lis_online.history.times import to_datetime
from lis_online.history.writer import HistoryWriter
from lis_online.metrics.layout import Layout
from lis_online.metrics.statistics import Statistics
from lis_online.records import Record
from lis_online.settings import Settings
from lis_online.shards.publish import PublishShard
from tests.metrics.worlds import make_scored

MINUTE: Final = 60_000
AT: Final = 1_573_516_800_000
VARIANTS: Final = 20
BUCKETS: Final = 30
SLATES: Final = 500
USERS: Final = 300

Rows = list[HistoryRow]


def twenty_variants() -> Settings:
    """Return settings of twenty variants of one version and two experiments."""
    metric = [{"name": "ctr", "kind": "ratio", "numerator": "click", "denominator": "impression"}]
    arms = [{"name": "a", "share": 0.5}, {"name": "b", "share": 0.5}]
    variants = [{"name": f"v{k}", "preference": "coclick", "dimension": 64, "versions": 1} for k in range(VARIANTS)]
    experiments = [{"name": f"e{k}", "control": "a", "arm": arms, "metric": metric} for k in range(2)]
    return Settings.of({"variant": variants, "experiment": experiments, "metrics": {"warm_up": "1s"}})


def buckets(settings: Settings, count: int) -> list[Rows]:
    """Return the rows of each bucket, as a publish shard makes them."""
    layout, rng = Layout.of(settings), np.random.default_rng(0)
    held = [SlotVersion(name, "1", AT, 0, newest=True) for name in layout.variants]
    shard = PublishShard(settings, layout)
    shard.feed([Record("windows", 0, 0, -1, encode(_report(settings, rng)))])
    found = []
    for number in range(count):
        made = Statistics(layout)
        made.update(make_scored(rng, layout, SLATES, 20_000, size=19))
        start = AT + number * MINUTE
        bucket = RankBucket(
            VERSION, 0, number, start, start + MINUTE, 0, 1, made.encode(), False, AT - MINUTE, {}, 0, held
        )  # fmt: skip
        shard.feed([Record("windows", 0, number + 1, -1, encode(bucket))])
        found.append(shard.take_rows())
    return found


def _report(settings: Settings, rng: np.random.Generator) -> JoinReport:
    quantities, arms, columns = quantities_of(settings.events), [], {}
    for experiment in settings.experiment:
        named = Columns.of(experiment, settings.events)
        columns[experiment.name] = list(named.names)
        arms += [_moments(experiment.name, arm.name, named, len(quantities), rng) for arm in experiment.arm]
    return JoinReport(VERSION, 0, AT, AT, AT, {"accepted": 9, "duplicate": 1}, quantities, arms, columns)


def _moments(experiment: str, arm: str, columns: Columns, quantities: int, rng: np.random.Generator) -> ArmMoments:
    moments = Moments(len(columns.names))
    for shown, clicks in zip(1 + rng.poisson(30, USERS), rng.poisson(3, USERS), strict=True):
        moments.add(columns.values([int(shown) * UNIT, int(clicks) * UNIT, *[0] * (quantities - 2)]))
    found = moments.get(experiment, arm)
    found.assigned = USERS
    return found


class PlainCopy:
    """Bytes that are copied into tables of the history's columns, with nothing else on them."""

    def __init__(self, engine: Engine, given: list[Rows], prefix: str, like: str = "") -> None:
        """prefix: of the tables' names. like: what else they have of the history's."""
        self._prefix = prefix
        with engine.begin() as connection:
            for table in TABLES.values():
                connection.execute(text(f"CREATE TABLE {prefix}_{table.name} (LIKE {table.name} {like})"))
                connection.execute(text(f"ALTER TABLE {prefix}_{table.name} DROP COLUMN configuration_id"))
        url = engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
        self._connection = psycopg.connect(url)
        self._bytes = [self._encoded(rows) for rows in given]

    @property
    def bytes(self) -> int:
        """Bytes of all buckets."""
        return sum(len(data) for statements in self._bytes for _, data in statements)

    def write(self, bucket: int) -> None:
        """Copy a bucket's rows, durable on return."""
        with self._connection.cursor() as cursor:
            for statement, data in self._bytes[bucket]:
                with cursor.copy(statement) as copy:
                    copy.write(data)
        self._connection.commit()

    def clear(self) -> None:
        """Remove all rows."""
        with self._connection.cursor() as cursor:
            cursor.execute("TRUNCATE " + ", ".join(f"{self._prefix}_{table.name}" for table in TABLES.values()))
        self._connection.commit()

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def _encoded(self, rows: Rows) -> list[tuple[str, bytes]]:
        """Return statement and bytes for each kind of row: let the server say them, in PostgreSQL's own binary form."""
        statements = []
        for kind in {type(row): None for row in rows}:
            table = TABLES[kind]
            names = [field.name for field in msgspec.structs.fields(kind)]
            quoted = ", ".join(f'"{name}"' for name in names)
            times = [index for index, name in enumerate(names) if isinstance(table.c[name].type, DateTime)]
            copied = f"COPY {self._prefix}_{table.name} ({quoted})"
            with self._connection.cursor() as cursor:
                with cursor.copy(f"{copied} FROM STDIN") as copy:
                    for row in rows:
                        if type(row) is kind:
                            copy.write_row(_row(row, times))
                with cursor.copy(f"{copied} TO STDOUT (FORMAT binary)") as out:
                    statements.append((f"{copied} FROM STDIN (FORMAT binary)", b"".join(map(bytes, out))))
            self._connection.rollback()
        return statements


def _row(row: HistoryRow, times: list[int]) -> list[Any]:
    values: list[Any] = list(msgspec.structs.astuple(row))
    for index in times:
        values[index] = None if values[index] is None else to_datetime(values[index])
    return values


def measure(engine: Engine, count: int) -> Measured:
    """Return buckets/s of the writer over those of the plain copy, each the best of three runs over all buckets."""
    settings = twenty_variants()
    given = buckets(settings, count + 1)
    list(Pruner(engine, settings.history, AT).run())
    plain, stored = PlainCopy(engine, given, "plain"), PlainCopy(engine, given, "stored", "INCLUDING STORAGE")
    writer = HistoryWriter(engine, settings)
    writes = {"writer": lambda k: writer.write(given[k]), "plain": plain.write, "stored": stored.write}
    took: dict[str, list[float]] = {name: [] for name in writes}
    for _ in range(3):
        for name, write in writes.items():
            write(count)
            clock = time.perf_counter()
            for bucket in range(count):
                write(bucket)
            took[name].append(time.perf_counter() - clock)
        _clear(engine)
        plain.clear()
        stored.clear()
    plain.close()
    stored.close()
    best = {name: count / min(each) for name, each in took.items()}
    rows, size = len(given[count]), plain.bytes / (count + 1) / 1e3
    return Measured(
        "history write",
        best["writer"] / best["plain"],
        0.3,
        "higher",
        f"{best['writer']:.0f} buckets/s of {rows:,} rows ({size:,.0f} kB) against {best['plain']:.0f} by one COPY a "
        f"table; {best['stored']:.0f} where it too is told not to compress statistics again",
    )


def _clear(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(text("TRUNCATE " + ", ".join(table.name for table in TABLES.values())))


def run(scale: float = 1.0) -> list[Measured]:
    """Measure. scale: of the number of buckets."""
    with tempfile.TemporaryDirectory(prefix="lis-pg-") as folder, embedded_postgres(Path(folder)) as server:
        engine = build_engine(server.get_uri())
        upgrade(engine)
        try:
            return [measure(engine, max(2, round(BUCKETS * scale)))]
        finally:
            engine.dispose()


def main() -> None:
    """Print what was measured."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scale", type=float, default=1.0)
    for one in run(parser.parse_args().scale):
        sys.stdout.write(f"{one.name}: {one.ratio:.2f} (goal {one.goal}): {one.detail}\n")


if __name__ == "__main__":
    main()
