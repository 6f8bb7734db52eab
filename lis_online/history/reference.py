"""The reference of all tables, docs/tables.md: `make reference` writes it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any, Final

from sqlalchemy import CheckConstraint, Column, Table
from sqlalchemy.dialects import postgresql

from lis_online.history.column import FINITE
from lis_online.history.tables import metadata

INTRODUCTION = """\
# Tables

The history in PostgreSQL. Read the [views](history.md#analysts): they keep their columns, tables may change with any
version, by a migration. This page is made from the tables by `make reference`; a test holds them together, and
`lis-online db check` a database.

A time is in UTC. A table that grows with time is partitioned by it. Every number is finite; where there is none it is
null, and a reason stands beside it. A *key* column is part of the primary key.
"""

MEANINGS: Final = {
    "alignments": "How well a version's vectors fit a source's pairs, by bucket.",
    "annotations": "What somebody noted at a time or over one.",
    "arms": "An arm's users, impressions and clicks since its first event, by bucket.",
    "buckets": "The statistics themselves, compressed: any range of time is a sum of them.",
    "configurations": "The settings that numbers were made under.",
    "diagnoses": "A variant's diagnosis and the sentence that says what to do, by window.",
    "drift_events": "A number that left its level.",
    "event_counts": "Records by fate, so far.",
    "forgotten_users": "Who is to be taken out of users' totals: by hash, until no older bucket is left.",
    "lifts": "An arm against control in a metric, since the experiment's start.",
    "moments": "What lifts are computed from: whole numbers that add up over join shards.",
    "numbers": "Every number with its interval, by window, slice and bucket.",
    "rollups": "Buckets that were merged into longer ones.",
    "sample_ratios": "Whether users came in the declared shares.",
    "spans": "Sums of buckets that make a long range quick to read.",
    "user_totals": "What users did in a stretch of time, by hash: lifts over any range.",
}


def reference() -> str:
    """Return the page as Markdown."""
    return "\n".join(_lines())


def _lines() -> Iterator[str]:
    yield INTRODUCTION
    for table in sorted(metadata.tables.values(), key=lambda one: one.name):
        yield f"## {table.name}\n"
        yield f"{MEANINGS[table.name]}{_partition(table)}\n"
        yield "| column | type | key | null | meaning |"
        yield "| --- | --- | --- | --- | --- |"
        yield from (_row(column) for column in table.columns)
        rules = sorted({_rule(one) for one in table.constraints if isinstance(one, CheckConstraint)} - {""})
        yield ""
        if rules:
            yield f"Rules: {'; '.join(rules)}.\n"


def _partition(table: Table) -> str:
    how = table.dialect_options["postgresql"]["partition_by"]
    return "" if how is None else f" Partitioned by `{how}`."


def _row(column: Column[Any]) -> str:
    kind = column.type.compile(dialect=postgresql.dialect()).lower()  # type: ignore[no-untyped-call]
    refers = "".join(f"of `{key.column.table.name}`; " for key in column.foreign_keys)
    meaning = f"{refers}{column.comment or ''}".removesuffix("; ").replace("|", "\\|")
    marks = ("yes" if column.primary_key else "", "yes" if column.nullable else "")
    return f"| `{column.name}` | {kind} | {' | '.join(marks)} | {meaning} |"


def _rule(constraint: CheckConstraint) -> str:
    said = " ".join(str(constraint.sqltext).split())
    return "" if said.endswith(FINITE.partition(" ")[2]) else f"`{said}`"


if __name__ == "__main__":
    sys.stdout.write(reference())
