"""What `lis-online db prune` does: weeks, roll-ups, thinning, and the end of what is too old.

Each step is a transaction of its own, in an order in which nothing is lost when it stops after any of them, and running
it again goes on. Twice in a row, the second time has nothing to do.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, Engine, Table, text

from lis_online.history import partitions, rollup
from lis_online.history.engine import transaction
from lis_online.history.experiment_tables import (
    event_counts,
    forgotten_users,
    lifts,
    moments,
    sample_ratios,
    user_totals,
)
from lis_online.history.partitions import Partition
from lis_online.history.stored import Group
from lis_online.history.stored_settings import settings_of
from lis_online.history.tables import PARTITIONED, arms, buckets, diagnoses, drift_events, notes, numbers, spans
from lis_online.history.times import iso, to_datetime
from lis_online.settings import Settings
from lis_online.settings.durations import rollup_length
from lis_online.settings.model import HistorySettings

THINNED: Final = (numbers, diagnoses, arms, moments, lifts, sample_ratios, event_counts)
"""Tables of which, after `keep_numbers`, the last row of each roll-up's length stays."""
PRUNE_LOCK: Final = 0x6C697350  # "lisP": two at once take turns, step by step
EVENTS: Final = (drift_events, notes)
"""Tables that are not partitioned, by their column `time`."""
EMPTIED: Final = (buckets, spans)
"""Tables whose rows go one by one, with those that were rolled up: their weeks are dropped once they are empty."""
MERGE, MOVE, THIN, DELETE = "merge", "move", "thin", "delete"


@dataclass(frozen=True, slots=True)
class Step:
    """Something that was done, or is to be: to how many rows of a table, and bytes where they are known.

    what: one of `merge`, `move`, `thin`, `delete`; detail: of which rows, in words. rows: that were merged, moved or
    deleted. freed: bytes that the table is smaller by, before indexes; None where that is only known afterwards.
    """

    what: str
    table: str
    detail: str
    rows: int
    freed: int | None = None

    def __str__(self) -> str:
        """Return a line for a person."""
        freed = "" if self.freed is None else f", {self.freed / 1e6:,.1f} MB"
        return f"{self.what} {self.rows:,} rows of {self.table} ({self.detail}){freed}"


class Pruner:
    """Prunes a history as of a time. dry_run: says what it would do, and does nothing."""

    def __init__(self, engine: Engine, keep: HistorySettings, now: int, *, dry_run: bool = False) -> None:
        """now: ms since 1970."""
        self._engine, self._keep, self._now, self._dry = engine, keep, now, dry_run

    def run(self) -> Iterator[Step]:
        """Do one step after the other and yield each once it is durable. Raises HistoryError."""
        yield from self._expire()
        yield from self._roll_up()
        yield from self._move()
        yield from self._thin()
        yield from self._drop_empty()

    def _expire(self) -> Iterator[Step]:
        """Delete whole weeks that ended too long ago, and older rows of the default partition."""
        if not self._keep.keep_user_totals:
            yield from self._delete(user_totals, "all of them", "true", {})
        for table in PARTITIONED:
            until = self._now - self._kept(table)
            for partition in self._partitions(table):
                if partition.end <= until:
                    with self._transaction() as connection:
                        rows = _count(connection, partition.name)
                        freed = partitions.size(connection, partition.name)
                        if not self._dry:
                            partitions.drop(connection, partition)
                    yield Step(DELETE, table.name, f"week of {_day(partition.start)}", rows, freed)
            week = partitions.week_of(max(0, until))
            rule, limit = f"{PARTITIONED[table]} < :until", {"until": to_datetime(week)}
            yield from self._delete(table, f"before {_day(week)}", rule, limit, partitions.default_of(table.name))
        until = max(0, self._now - self._keep.keep_rollups)
        for table in EVENTS:
            yield from self._delete(table, f"before {iso(until)}", "time < :until", {"until": to_datetime(until)})
        limit = {"until": to_datetime(self._now)}
        yield from self._delete(forgotten_users, "nothing of them can come any more", "until < :until", limit)

    def _kept(self, table: Table) -> int:
        """Return the age, ms, from which a table's rows go."""
        if table is user_totals:
            return min(self._keep.keep_user_totals or self._keep.keep_rollups, self._keep.keep_rollups)
        return self._keep.keep_rollups

    def _delete(
        self, table: Table, detail: str, rule: str, limit: dict[str, datetime], name: str | None = None
    ) -> Iterator[Step]:
        """Delete the rows for which a rule holds. name: of the partition; None for the whole table."""
        of_these = f"FROM {name or table.name} WHERE {rule}"
        with self._transaction() as connection:
            if self._dry:
                found = connection.execute(text(f"SELECT count(*) {of_these}"), limit).scalar_one()
            else:
                found = connection.execute(text(f"DELETE {of_these}"), limit).rowcount
        if found:
            yield Step(DELETE, table.name, detail, found)

    def _roll_up(self) -> Iterator[Step]:
        until = self._now - self._keep.keep_buckets
        with self._transaction() as connection:
            groups = rollup.groups(connection)
        for group in groups:
            yield from self._roll_up_group(group, until)

    def _roll_up_group(self, group: Group, until: int) -> Iterator[Step]:
        """Roll one stretch after the other up, each in a transaction."""
        with self._transaction() as connection:
            settings = settings_of(connection, group.configuration)
            length = rollup_length(self._keep.rollup, settings.metrics.bucket)
            found = rollup.due(connection, group, length, until)
        if not found:
            return
        detail = f"configuration {group.configuration}, group {group.group}, before {iso(max(found) + length)}"
        rows, taken = (sum(one[k] for one in found.values()) for k in (0, 1))
        if self._dry:
            yield Step(MERGE, buckets.name, f"{detail}, {taken / 1e6:,.1f} MB, into {len(found):,}", rows)
            return
        done = [self._roll_up_stretch(group, settings, start, length) for start in found]
        repeated = sum(one.repeated for one in done)
        detail += f", into {len(found):,}" + (f"; {repeated:,} were in them already" if repeated else "")
        freed = sum(one.taken - one.given for one in done)
        yield Step(MERGE, buckets.name, detail, sum(one.rows for one in done), freed)

    def _roll_up_stretch(self, group: Group, settings: Settings, start: int, length: int) -> rollup.Rolled:
        with self._transaction() as connection:
            return rollup.roll_up(connection, group, settings, start, length)

    def _move(self) -> Iterator[Step]:
        """Make the weeks that are missing, a transaction each."""
        for table in PARTITIONED:
            with self._transaction() as connection:
                waiting = partitions.default_rows(connection, table)
                weeks = partitions.missing(connection, table, self._now)
            for partition in weeks:
                rows = waiting.get(partition.start, 0)
                if not self._dry:
                    with self._transaction() as connection:
                        if partition in partitions.missing(connection, table, self._now):
                            rows = partitions.create(connection, partition)
                if rows:
                    yield Step(MOVE, table.name, f"into the week of {_day(partition.start)}", rows)

    def _thin(self) -> Iterator[Step]:
        """Keep the last rows of each roll-up's length, in weeks that ended long enough ago."""
        for table in THINNED:
            for partition in self._partitions(table):
                if partition.end > self._now - self._keep.keep_numbers:
                    continue
                with self._transaction() as connection:
                    before = partitions.size(connection, partition.name)
                    rows = self._thin_week(connection, partition)
                    freed = None if self._dry else before - partitions.size(connection, partition.name)
                if rows:
                    yield Step(THIN, table.name, f"week of {_day(partition.start)}", rows, freed)

    def _thin_week(self, connection: Connection, partition: Partition) -> int:
        """Write a week again without the rows that go: deleting them would leave the file as large as it was."""
        name = partition.name
        length = {"length": self._keep.rollup}
        kept = (
            f"SELECT configuration_id, max(bucket_end) FROM {name} "
            "GROUP BY configuration_id, ceil(extract(epoch FROM bucket_end) * 1000 / :length)"
        )
        of_these = f"(configuration_id, bucket_end) IN ({kept})"
        rows = int(connection.execute(text(f"SELECT count(*) FROM {name} WHERE NOT {of_these}"), length).scalar_one())
        if not rows or self._dry:
            return rows
        _lock(connection, name)
        connection.execute(
            text(f"CREATE TEMPORARY TABLE kept ON COMMIT DROP AS SELECT * FROM {name} WHERE {of_these}"), length
        )
        staying = _count(connection, "kept")
        rows = _count(connection, name) - staying
        connection.execute(text(f"TRUNCATE {name}"))
        connection.execute(text(f"INSERT INTO {name} SELECT * FROM kept"))
        return rows

    def _drop_empty(self) -> Iterator[Step]:
        """Drop the weeks whose buckets were all rolled up: only so does their room come back."""
        for partition in (one for table in EMPTIED for one in self._partitions(table)):
            if self._dry or partition.end > self._now - self._keep.keep_buckets:
                continue
            with self._transaction() as connection:
                _lock(connection, partition.name)
                freed = partitions.size(connection, partition.name)
                empty = not connection.execute(text(f"SELECT EXISTS (SELECT FROM {partition.name})")).scalar_one()
                if empty:
                    partitions.drop(connection, partition)
            if empty:
                yield Step(DELETE, partition.table, f"the empty week of {_day(partition.start)}", 0, freed)

    def _partitions(self, table: Table) -> list[Partition]:
        with self._transaction() as connection:
            return partitions.partitions(connection, table)

    @contextmanager
    def _transaction(self) -> Iterator[Connection]:
        """Run a step: one at a time, whoever else prunes."""
        with transaction(self._engine) as connection:
            connection.execute(text("SET LOCAL statement_timeout = 0"))  # a week may take its time
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": PRUNE_LOCK})
            yield connection


def _lock(connection: Connection, name: str) -> None:
    connection.execute(text(f"SET LOCAL lock_timeout = {partitions.LOCK_TIMEOUT}"))
    connection.execute(text(f"LOCK TABLE {name} IN ACCESS EXCLUSIVE MODE"))


def _count(connection: Connection, name: str) -> int:
    return int(connection.execute(text(f"SELECT count(*) FROM {name}")).scalar_one())


def _day(time: int) -> str:
    return iso(time)[:10]
