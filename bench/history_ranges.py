"""Measures what a long range costs, from minutes alone and from the spans that publish makes of them.

`python -m bench.history_ranges` starts a PostgreSQL in a temporary folder, writes the minutes from a Tuesday, 09:00, to
Friday, 18:00, and prints a table in Markdown: CPU seconds of the reader, and what a bucket costs publish.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from msgspec.structs import replace
from sqlalchemy import Engine, text

from bench.history_sizes import AT, MINUTE, Case, cases, rows
from lis_online.demo.postgres import embedded_postgres
from lis_online.history import ranges, stored
from lis_online.history.configuration import configuration_id
from lis_online.history.engine import build_engine
from lis_online.history.ranges import RangeNumbers, range_numbers
from lis_online.history.rows import BucketRow, SpanRow
from lis_online.history.schema import upgrade
from lis_online.history.stored import Group
from lis_online.history.writer import HistoryWriter
from lis_online.metrics.layout import Layout
from lis_online.metrics.statistics import Statistics
from lis_online.shards.spans import Spans

BEGIN = AT + 9 * 60 * MINUTE
MINUTES = 3 * 1440 + 9 * 60
AT_ONCE = 100


def stream(made: list[BucketRow]) -> Iterator[BucketRow]:
    """Yield the minutes, half an hour's statistics over and over."""
    for k in range(MINUTES):
        start = BEGIN + k * MINUTE
        yield replace(made[k % len(made)], bucket_start=start, bucket_end=start + MINUTE, revision=k)


def fill(engine: Engine, case: Case, made: list[BucketRow]) -> tuple[float, float]:
    """Write minutes and spans; return the CPU ms that a bucket costs publish more, and of a snapshot of the state."""
    layout = Layout.of(case.settings)
    decoded = {row.data: Statistics.decode(layout, row.data) for row in made}
    writer, spans, spent = HistoryWriter(engine, case.settings), Spans(layout, MINUTE), 0.0
    coming = stream(made)
    while some := list(islice(coming, AT_ONCE)):
        found: list[BucketRow | SpanRow] = list(some)
        clock = time.process_time()
        found += [span for row in some for span in spans.update(row, decoded[row.data])]
        spent += time.process_time() - clock
        writer.write(found)
    clock = time.process_time()
    spans.snapshot()
    return spent / MINUTES * 1000, (time.process_time() - clock) * 1000


def read(engine: Engine, group: Group) -> tuple[RangeNumbers, int, float]:
    """Return the range's numbers, the rows that were added up, and the CPU seconds."""
    limits = BEGIN, BEGIN + MINUTES * MINUTE
    with engine.connect() as connection:
        pieces = stored.pieces(connection, group, *limits, MINUTE)
        count = sum(len(some) + len(rest) for some, rest in ranges.reads(connection, group, pieces, MINUTE))
    clock = time.process_time()
    found = range_numbers(engine, group, *limits)
    return found, count, time.process_time() - clock


def measure(engine: Engine, case: Case) -> str:
    """Return a line of the table."""
    publish, snapshot = fill(engine, case, list(rows(case)))
    with engine.begin() as connection:
        group = Group(configuration_id(connection, case.settings))
        sizes = {
            name: sum(connection.execute(text(f"SELECT octet_length(data) FROM {name}")).scalars())
            for name in ("buckets", "spans")
        }
    fast, few, spent = read(engine, group)
    with engine.begin() as connection:
        connection.execute(text("TRUNCATE spans"))
    slow, many, before = read(engine, group)
    assert fast == slow
    more = sizes["spans"] / sizes["buckets"]
    what = f"{case.name} | {case.samples:,} | {many:,} | {before:,.1f} s | {few:,} | {spent:,.1f} s"
    return f"| {what} | {publish:,.1f} ms | {snapshot:,.0f} ms | {more:.0%} |\n"


def main() -> None:
    """Print the table."""
    sys.stdout.write(
        "| layout | samples a minute | rows without spans | CPU | rows with | CPU | publish, a bucket | a checkpoint | "
        "more bytes |\n| --- | --- | --- | --- | --- | --- | --- | --- | --- |\n"
    )
    for case in [one for one in cases() if one.name == "demo"]:
        with tempfile.TemporaryDirectory(prefix="lis-pg-") as folder, embedded_postgres(Path(folder)) as server:
            engine = build_engine(server.get_uri())
            upgrade(engine)
            sys.stdout.write(measure(engine, case))
            sys.stdout.flush()
            engine.dispose()


if __name__ == "__main__":
    main()
