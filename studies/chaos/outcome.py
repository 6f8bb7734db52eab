"""What a run left behind, row by row, and how two runs differ."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import blake2b
from pathlib import Path
from typing import Any, Final

from kafka import KafkaConsumer, TopicPartition
from sqlalchemy import select

from lis_online.events.topics import topic_names
from lis_online.history.engine import build_engine
from lis_online.history.tables import metadata
from lis_online.replay.connection import client_arguments
from lis_online.settings.model import KafkaSettings

WRITE_TIMES: Final = {"created_at"}
"""Columns that say when a row was written, and nothing of the feed."""

EXAMPLES: Final = 12
"""Differences that are told in words."""

Rows = dict[str, dict[str, dict[str, Any]]]
"""By table and natural key, every column's value; of binary ones a digest."""


@dataclass
class Outcome:
    """The history and the dead letters of a run. letters: what was refused, each once; repeated: came again."""

    rows: Rows
    letters: list[list[str]]
    repeated: int = 0

    def save(self, path: Path) -> None:
        """Write it as JSON."""
        path.write_text(json.dumps(vars(self)))

    @classmethod
    def load(cls, path: Path) -> Outcome:
        """Read what `save` wrote."""
        return cls(**json.loads(path.read_text()))

    @property
    def count(self) -> int:
        """The number of rows."""
        return sum(len(table) for table in self.rows.values())


@dataclass
class Difference:
    """How a run differs from the calm one.

    rows: missing, added and other ones; places: how many by table and column; examples: some of them in words.
    """

    rows: int = 0
    letters: int = 0
    compared: int = 0
    places: Counter[str] = field(default_factory=Counter)
    examples: list[str] = field(default_factory=list)

    @property
    def none(self) -> bool:
        """Whether there is nothing."""
        return not self.rows and not self.letters


Normal = Callable[[Outcome], Outcome]
"""Takes away what a fault is meant to change, from both outcomes."""


def as_it_is(outcome: Outcome) -> Outcome:
    """Return the outcome: nothing may differ."""
    return outcome


def compare(calm: Outcome, found: Outcome, normal: Normal = as_it_is) -> Difference:
    """Compare every column of every row, write times aside, and every dead letter."""
    calm, found = normal(calm), normal(found)
    difference = Difference(compared=calm.count)
    for table in sorted(calm.rows.keys() | found.rows.keys()):
        wanted, got = calm.rows.get(table, {}), found.rows.get(table, {})
        for key in sorted(wanted.keys() | got.keys()):
            if wanted.get(key) != got.get(key):
                difference.rows += 1
                difference.places.update(_places(table, wanted.get(key), got.get(key)))
                if difference.places.total() <= EXAMPLES:
                    difference.examples.append(_told(table, key, wanted.get(key), got.get(key)))
    letters = {*map(tuple, calm.letters)} ^ {*map(tuple, found.letters)}
    difference.letters = len(letters) + abs(len(calm.letters) - len(found.letters)) * (not letters)
    difference.examples += [f"dead letter {letter}" for letter in sorted(letters)[:EXAMPLES]]
    difference.examples += [f"{place}: {count} rows" for place, count in sorted(difference.places.items())]
    return difference


def read(kafka: KafkaSettings, database: str) -> Outcome:
    """Read everything of a run."""
    letters, repeated = _letters(kafka)
    return Outcome(_rows(database), letters, repeated)


def published(rows: Rows) -> str:
    """Return the end of the newest bucket, as ISO 8601."""
    return max(str(row["bucket_end"]) for row in rows["buckets"].values())


def _places(table: str, wanted: dict[str, Any] | None, got: dict[str, Any] | None) -> list[str]:
    if wanted is None or got is None:
        return [f"{table} {'missing' if got is None else 'added'}"]
    return [f"{table}.{name}" for name in wanted if wanted[name] != got.get(name)]


def _told(table: str, key: str, wanted: dict[str, Any] | None, got: dict[str, Any] | None) -> str:
    if wanted is None or got is None:
        return f"{table} {key}: {'missing' if got is None else 'added'}"
    columns = [f"{name} {wanted[name]!r} -> {got.get(name)!r}" for name in wanted if wanted[name] != got.get(name)]
    return f"{table} {key}: {', '.join(columns)}"


def _rows(database: str) -> Rows:
    engine = build_engine(database)
    found: Rows = {}
    try:
        with engine.connect() as connection:
            for table in metadata.sorted_tables:
                keys = [column.name for column in table.primary_key.columns]
                rows = found[table.name] = {}
                for row in connection.execute(select(table)).mappings():
                    values = {name: _plain(value) for name, value in row.items() if name not in WRITE_TIMES}
                    rows[" ".join(str(values[key]) for key in keys)] = values
    finally:
        engine.dispose()
    return found


def _plain(value: Any) -> Any:
    """Return a value as JSON has it and as it comes back from there."""
    if isinstance(value, bytes | memoryview):
        return blake2b(bytes(value), digest_size=16).hexdigest()
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, list):
        return [_plain(one) for one in value]
    return value


def _letters(kafka: KafkaSettings) -> tuple[list[list[str]], int]:
    place = TopicPartition(topic_names(kafka)["dead_letters"], 0)
    consumer = KafkaConsumer(**client_arguments(kafka), enable_auto_commit=False, auto_offset_reset="earliest")
    try:
        consumer.assign([place])
        end, found, read = consumer.end_offsets([place])[place], set(), 0
        consumer.seek_to_beginning(place)
        while consumer.position(place) < end:
            for records in consumer.poll(timeout_ms=1000).values():
                for record in records:
                    headers = {name: value.decode() for name, value in record.headers}
                    found.add((*(headers[name] for name in sorted(headers)), record.value.hex()))
                    read += 1
    finally:
        consumer.close(autocommit=False)
    return [list(letter) for letter in sorted(found)], read - len(found)
