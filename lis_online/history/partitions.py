"""The history's partitions: weeks that begin on Monday, 00:00 UTC, and a default one for what is in none.

Rows never wait for a partition: what has none goes to the default one. `lis-online db prune` makes the coming weeks'
ahead and moves what the default one holds. Where it runs at least once in `AHEAD` weeks, rows come into their own week
at once; where it never runs, nothing fails.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from sqlalchemy import Connection, Table, func, select, text

from lis_online.history.tables import PARTITIONED
from lis_online.history.times import EPOCH, to_datetime, to_milliseconds
from lis_online.settings.model import WEEK

AHEAD: Final = 4
"""Weeks after the present one that have a partition already."""
FIRST_MONDAY: Final = 4 * 86_400_000
"""1970-01-05, ms."""
LOCK_TIMEOUT: Final = 5_000
"""ms to wait for a reader or writer before a step is left for the next time."""


@dataclass(frozen=True, slots=True)
class Partition:
    """A week of a table, [start, end) in ms since 1970."""

    table: str
    start: int

    @property
    def end(self) -> int:
        """Where it ends."""
        return self.start + WEEK

    @property
    def name(self) -> str:
        """Its name as a table.

        >>> Partition("numbers", 1_573_430_400_000).name
        'numbers_20191111'
        """
        return f"{self.table}_{to_datetime(self.start):%Y%m%d}"


def week_of(time: int) -> int:
    """Return the start of a time's week, ms.

    >>> to_datetime(week_of(1_573_516_800_000)).strftime("%A %Y-%m-%d")
    'Monday 2019-11-11'
    """
    return max(0, (time - FIRST_MONDAY) // WEEK * WEEK + FIRST_MONDAY)


def default_of(table: str) -> str:
    """Return the name of a table's default partition."""
    return f"{table}_default"


def partitions(connection: Connection, table: Table) -> list[Partition]:
    """Return the weeks of a table, in order."""
    query = text(
        "SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid "
        "WHERE i.inhparent = CAST(:table AS regclass)"
    )
    names = connection.execute(query, {"table": table.name}).scalars()
    found = (re.fullmatch(rf"{table.name}_(\d{{8}})", name) for name in names)
    return sorted((Partition(table.name, _start(one[1])) for one in found if one), key=lambda one: one.start)


def missing(connection: Connection, table: Table, now: int) -> list[Partition]:
    """Return the weeks that should be there: those of rows in the default partition, the present one, and ahead."""
    present = week_of(now)
    weeks = {present + k * WEEK for k in range(AHEAD + 1)} | set(default_rows(connection, table))
    return [
        Partition(table.name, week) for week in sorted(weeks - {one.start for one in partitions(connection, table)})
    ]


def default_rows(connection: Connection, table: Table) -> dict[int, int]:
    """Return how many rows of each week are in the default partition."""
    column = PARTITIONED[table]
    time = text(f"SELECT date_trunc('week', {column}, 'UTC') AS week, count(*) AS rows "
                f"FROM {default_of(table.name)} GROUP BY 1")  # fmt: skip
    return {max(0, to_milliseconds(row.week)): row.rows for row in connection.execute(time)}


def create(connection: Connection, partition: Partition) -> int:
    """Make a partition and move its rows out of the default one; return how many.

    Writers of the table wait until the transaction ends, readers for the last instant of it.
    """
    table, default = partition.table, default_of(partition.table)
    column = next(column for known, column in PARTITIONED.items() if known.name == table)
    limits = {"start": to_datetime(partition.start), "end": to_datetime(partition.end)}
    connection.execute(text(f"SET LOCAL lock_timeout = {LOCK_TIMEOUT}"))
    # The parent's lock before all others: a writer that waits there looks for its partition again afterwards.
    connection.execute(text(f"LOCK TABLE ONLY {table} IN SHARE ROW EXCLUSIVE MODE"))
    connection.execute(text(f"CREATE TABLE {partition.name} (LIKE {table} INCLUDING ALL)"))
    moved = connection.execute(
        text(
            f"WITH moved AS (DELETE FROM {default} WHERE {column} >= :start AND {column} < :end RETURNING *) "
            f"INSERT INTO {partition.name} ({_columns(connection, default)}) SELECT * FROM moved"
        ),
        limits,
    ).rowcount
    begins, ends = (value.isoformat() for value in limits.values())
    connection.execute(
        text(f"ALTER TABLE {table} ATTACH PARTITION {partition.name} FOR VALUES FROM ('{begins}') TO ('{ends}')")
    )
    return moved


def drop(connection: Connection, partition: Partition) -> None:
    """Delete a week and all its rows."""
    connection.execute(text(f"SET LOCAL lock_timeout = {LOCK_TIMEOUT}"))
    connection.execute(text(f"DROP TABLE {partition.name}"))


def size(connection: Connection, name: str) -> int:
    """Return the bytes of a table or partition, indexes and large values included."""
    return int(connection.execute(select(func.pg_total_relation_size(name))).scalar_one())


def _start(digits: str) -> int:
    day = date.fromisoformat(digits)
    return (day - EPOCH.date()) // timedelta(milliseconds=1)


def _columns(connection: Connection, table: str) -> str:
    """Return a table's columns in its own order: that of a partition may be another than its table's."""
    query = text(
        "SELECT attname FROM pg_attribute WHERE attrelid = CAST(:table AS regclass) AND attnum > 0 "
        "AND NOT attisdropped ORDER BY attnum"
    )
    return ", ".join(f'"{name}"' for name in connection.execute(query, {"table": table}).scalars())
