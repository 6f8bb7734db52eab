"""Measures what the history costs: bytes of a stored bucket, in PostgreSQL, and the time of a range.

`python -m bench.history_sizes` starts a PostgreSQL in a temporary folder and prints a table. Statistics are of random
slates with as many users and as wide a spread of scores as a feed's: what is stored of them depends on that alone.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from msgspec.structs import replace
from sqlalchemy import Engine, text

from lis_online.demo.postgres import embedded_postgres
from lis_online.events.windows_log import SlotVersion
from lis_online.history import bucket_state
from lis_online.history.bucket_state import BucketState
from lis_online.history.configuration import configuration_id
from lis_online.history.engine import build_engine
from lis_online.history.ranges import range_numbers
from lis_online.history.retention import Pruner
from lis_online.history.rows import BucketRow
from lis_online.history.schema import upgrade
from lis_online.history.stored import Group
from lis_online.history.writer import HistoryWriter
from lis_online.metrics.layout import Layout
from lis_online.metrics.statistics import Statistics
from lis_online.settings import Settings
from lis_online.simulate.scenarios import scenario
from tests.metrics.worlds import make_scored

MINUTE, DAY = 60_000, 86_400_000
AT = 1_573_516_800_000
BUCKETS = 30
LONG = 240
PER_SLATE = 10
MINUTES_KEPT, QUARTERS_KEPT = 14 * 1440, 400 * 96


@dataclass(frozen=True)
class Case:
    """A layout, and how many samples come in a minute."""

    name: str
    settings: Settings
    samples: int


def cases() -> Iterator[Case]:
    """Yield what is measured: the demo's layout, and that of twenty variants in two experiments."""
    demo = Settings.of(dict(scenario("demo").settings))
    arms = [{"name": "a", "share": 0.5}, {"name": "b", "share": 0.5}]
    variants = [{"name": f"v{k}", "preference": "coclick", "dimension": 64} for k in range(20)]
    experiments = [{"name": f"e{k}", "control": "a", "arm": arms} for k in range(2)]
    twenty = Settings.of({"variant": variants, "experiment": experiments})
    for samples in (1_000, 10_000):
        yield Case("demo", demo, samples)
    for samples in (1_000, 10_000):
        yield Case("20 variants", twenty, samples)


def rows(case: Case) -> Iterator[BucketRow]:
    """Yield half an hour of buckets, each variant in its first slot alone."""
    whole = Layout.of(case.settings)
    layout = whole.take(whole.firsts())
    held = [SlotVersion(name, "1", AT, 0, newest=True) for name in layout.variants]
    state = bucket_state.encode(BucketState(AT - 30 * DAY, held, {}, {}, {}))
    rng = np.random.default_rng(0)
    for place in range(BUCKETS):
        made = Statistics(layout)
        made.update(make_scored(rng, layout, case.samples // PER_SLATE, 20_000, size=2 * PER_SLATE - 1))
        start = AT + place * MINUTE
        yield BucketRow(start, start + MINUTE, 0, made.samples, made.encode(), place, state)


def stored(engine: Engine, table: str) -> float:
    """Return the bytes of a row with its share of pages, large values and index."""
    with engine.connect() as connection:
        query = (
            "SELECT sum(pg_total_relation_size(i.inhrelid)) FROM pg_inherits i "
            "WHERE i.inhparent = CAST(:table AS regclass)"
        )
        total = connection.execute(text(query), {"table": table}).scalar_one()
        empty = connection.execute(text("SELECT pg_total_relation_size('rollups_default')")).scalar_one()
        count = connection.execute(text(f"SELECT count(*) FROM {table}")).scalar_one()
        return (float(total) - float(empty)) / int(count)


def per_bucket(engine: Engine, case: Case, group: Group, made: list[BucketRow]) -> float:
    """Return the CPU ms that a bucket more takes: of a range of four hours, less that of half an hour."""
    later = AT + 365 * DAY
    HistoryWriter(engine, case.settings).write(
        replace(made[k % BUCKETS], bucket_start=later + k * MINUTE, bucket_end=later + (k + 1) * MINUTE)
        for k in range(LONG)
    )
    took = {}
    for buckets in (BUCKETS, LONG):
        clock = time.process_time()
        range_numbers(engine, group, later, later + buckets * MINUTE)
        took[buckets] = time.process_time() - clock
    return (took[LONG] - took[BUCKETS]) / (LONG - BUCKETS) * 1000


def measure(engine: Engine, case: Case) -> str:
    """Return a line of the table."""
    made = list(rows(case))
    HistoryWriter(engine, case.settings).write(made)
    minute = stored(engine, "buckets")
    with engine.begin() as connection:
        group = Group(configuration_id(connection, case.settings))
    took = per_bucket(engine, case, group, made)
    list(Pruner(engine, case.settings.history, AT + DAY + case.settings.history.keep_buckets).run())
    with engine.connect() as connection:
        data = connection.execute(text("SELECT avg(octet_length(data)) FROM rollups")).scalar_one()
    whole = Layout.of(case.settings)
    layout = whole.take(whole.firsts())
    per_minute, quarter = minute, float(data) * minute / np.mean([len(row.data) for row in made])
    total = (per_minute * MINUTES_KEPT / 1e9, quarter * QUARTERS_KEPT / 1e9)
    shape = f"{case.name} | {len(layout.rankers)} | {len(layout.slices)} | {case.samples:,}"
    sizes = f"{per_minute / 1e3:,.0f} kB | {quarter / 1e3:,.0f} kB | {total[0]:,.1f} GB | {total[1]:,.1f} GB"
    return f"| {shape} | {sizes} | {took:,.0f} ms |\n"


def main() -> None:
    """Print the table, in Markdown."""
    sys.stdout.write(
        "| layout | rankers | slices | samples a minute | a minute's row | a quarter hour's | 14 d of minutes | "
        "400 d of quarter hours | CPU a bucket read |\n| --- | --- | --- | --- | --- | --- | --- | --- | --- |\n"
    )
    for case in cases():
        with tempfile.TemporaryDirectory(prefix="lis-pg-") as folder, embedded_postgres(Path(folder)) as server:
            engine = build_engine(server.get_uri())
            upgrade(engine)
            sys.stdout.write(measure(engine, case))
            sys.stdout.flush()
            engine.dispose()


if __name__ == "__main__":
    main()
