"""Side records: preferences and vectors, checked, in integers, forwarded at once with their topic's offsets.

They never wait and never hold a watermark: the horizon H is their slack.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeVar

import numpy as np

from lis_online.errors import EventRefused
from lis_online.events import reasons
from lis_online.events.batches import PairBatch, VectorBatch
from lis_online.events.decode import check_not_ahead, decode_preference, decode_representation, vector_of
from lis_online.events.hashing import NO_ID, id_hash
from lis_online.events.rank_log import Side
from lis_online.join.coengagement import click_hash
from lis_online.settings import Settings
from lis_online.shards.contract import Record

PAIRS = -1
"""The variant of a Side that holds preferences."""

PREFERENCES_TOPIC = 1
"""Tells clicks of preference records from those of feedback, whose second number is an item."""

PairRow = tuple[int, int, int, int, int, int, int]
VectorRow = tuple[int, int, int, np.ndarray]
Row = TypeVar("Row")


class SideRecords:
    """Side records of one feed, in the order of their topics' offsets."""

    def __init__(self, settings: Settings, max_bytes: int) -> None:
        self._max_ahead = settings.events.max_ahead
        self._max_bytes = max_bytes
        self._sources = {s.name: index for index, s in enumerate(settings.preference) if s.kind == "topic"}
        self._variants = {v.name: (index, v.dimension) for index, v in enumerate(settings.variant)}
        self._pairs: list[tuple[int, PairRow]] = []
        self._vectors: dict[int, list[tuple[int, VectorRow]]] = {}

    def update(self, record: Record, judged: bool) -> None:
        """Take a record of `preferences` or `representations`; judged: against its Kafka timestamp.

        Raises EventRefused.
        """
        value = record.value or b""
        timestamp = record.timestamp if judged and record.timestamp >= 0 else None
        if record.topic == "preferences":
            self._pairs.append((record.offset, self._pair(value, timestamp, record)))
        else:
            variant, row = self._vector(value, timestamp)
            self._vectors.setdefault(variant, []).append((record.offset, row))

    def take(self) -> Iterator[Side]:
        """Yield what came, in pieces of bounded size, and begin anew."""
        pairs, vectors = self._pairs, self._vectors
        self._pairs, self._vectors = [], {}
        for piece in _pieces(pairs, self._max_bytes // 60):
            yield Side(PAIRS, _offsets([o for o, _ in piece]), _pair_batch([row for _, row in piece]).encode())
        for variant, rows in sorted(vectors.items()):
            for chunk in _pieces(rows, self._max_bytes // (32 + 2 * len(rows[0][1][3]))):
                data = _vector_batch([row for _, row in chunk]).encode()
                yield Side(variant, _offsets([o for o, _ in chunk]), data)

    def _pair(self, value: bytes, timestamp: int | None, record: Record) -> PairRow:
        event = decode_preference(value)
        self._check_time(event.ts, timestamp)
        source = self._sources.get(event.source)
        if source is None:
            raise EventRefused(
                reasons.UNKNOWN_SOURCE, f"source must be one of {list(self._sources)}, got {event.source[:60]}"
            )
        user = NO_ID if event.user_id is None else id_hash(event.user_id)
        click = click_hash(record.partition, PREFERENCES_TOPIC, record.offset, source)
        return event.ts, source, id_hash(event.item_a), id_hash(event.item_b), user, click, event.weight

    def _vector(self, value: bytes, timestamp: int | None) -> tuple[int, VectorRow]:
        event = decode_representation(value)
        self._check_time(event.ts, timestamp)
        if event.variant not in self._variants:
            raise EventRefused(
                reasons.UNKNOWN_VARIANT, f"variant must be one of {list(self._variants)}, got {event.variant[:60]}"
            )
        variant, dimension = self._variants[event.variant]
        return variant, (event.ts, id_hash(event.item_id), id_hash(event.version), vector_of(event, dimension))

    def _check_time(self, ts: int, timestamp: int | None) -> None:
        if timestamp is not None:
            check_not_ahead(ts, timestamp, self._max_ahead)


def _pair_batch(rows: list[PairRow]) -> PairBatch:
    dtypes = (np.int64, np.int16, np.int64, np.int64, np.int64, np.int64, np.int32)
    return PairBatch(*(np.array(c, d) for c, d in zip(zip(*rows, strict=True), dtypes, strict=True)))


def _vector_batch(rows: list[VectorRow]) -> VectorBatch:
    ts, item, version, vectors = zip(*rows, strict=True)
    return VectorBatch(np.array(ts, np.int64), np.array(item, np.int64), np.array(version, np.int64), np.stack(vectors))


def _offsets(offsets: list[int]) -> bytes:
    return np.array(offsets, "<i8").tobytes()


def _pieces(rows: list[Row], size: int) -> Iterator[list[Row]]:
    size = max(1, size)
    for start in range(0, len(rows), size):
        yield rows[start : start + size]
