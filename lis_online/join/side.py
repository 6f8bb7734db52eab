"""Side records: preferences and vectors, checked, in integers, forwarded at once with their topic's offsets.

They never wait and never hold a watermark: the horizon H is their slack.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import TypeVar

import numpy as np

from lis_online.errors import EventRefused
from lis_online.events import reasons
from lis_online.events.batches import PairBatch, VectorBatch
from lis_online.events.decode import check_not_ahead, vector_of
from lis_online.events.hashing import NO_ID, id_hash, salt_of
from lis_online.events.person_hashes import PersonHashes
from lis_online.events.rank_log import Side
from lis_online.events.wire import Preference, Representation
from lis_online.join.coengagement import click_hash
from lis_online.mapping.codec import Codec
from lis_online.records import Record
from lis_online.settings import Settings

PAIRS = -1
"""The variant of a Side that holds preferences."""

PAIR_BYTES, VECTOR_BYTES = 54, 32
"""What a pair, and a vector without its numbers, take with their offset."""

PairRow = tuple[int, int, int, int, int, int, int]
VectorRow = tuple[int, int, str, np.ndarray]
Row = TypeVar("Row")


class SideRecords:
    """Side records of one feed, in the order of their topics' offsets."""

    def __init__(self, settings: Settings, max_bytes: int, codec: Codec) -> None:
        self._max_ahead = settings.events.max_ahead
        self._max_bytes = max_bytes
        self._codec = codec
        self._user_hash = PersonHashes(settings.privacy).user
        self._sources = {s.name: index for index, s in enumerate(settings.preference) if s.kind == "topic"}
        self._variants = {v.name: (index, v.dimension) for index, v in enumerate(settings.variant)}
        self._pairs: list[tuple[int, PairRow]] = []
        self._vectors: list[tuple[int, int, VectorRow]] = []

    def update(self, record: Record, judged: bool) -> bool:
        """Take a record of `preferences` or `representations`; judged: against its Kafka timestamp.

        Return whether it was ours: False where the settings' mapping skips it. Raises EventRefused.
        """
        timestamp = record.timestamp if judged and record.timestamp >= 0 else None
        events = self._codec.events(record.topic, record.value or b"")
        for event in events:
            if isinstance(event, Preference):
                self._pairs.append((record.offset, self._pair(event, timestamp)))
            elif isinstance(event, Representation):
                variant, row = self._vector(event, timestamp)
                self._vectors.append((record.offset, variant, row))
        return bool(events)

    def update_again(self, record: Record, variants: Collection[str], judged: bool) -> None:
        """Take a record of `representations` that was read before if it is of one of some variants.

        What is refused now was refused then.
        """
        try:
            events = self._codec.events(record.topic, record.value or b"")
            if any(isinstance(event, Representation) and event.variant in variants for event in events):
                self.update(record, judged)
        except EventRefused:
            return

    def take(self) -> Iterator[list[Side]]:
        """Yield what came, in pieces of bounded size, and begin anew.

        A piece belongs into one block: its topic's offsets are all below those of the next piece, and
        that is what the receiver goes by.
        """
        pairs, vectors = self._pairs, self._vectors
        self._pairs, self._vectors = [], []
        for piece in _pieces(pairs, [PAIR_BYTES] * len(pairs), self._max_bytes):
            yield [Side(PAIRS, _offsets([o for o, _ in piece]), _pair_batch([row for _, row in piece]).encode())]
        sizes = [VECTOR_BYTES + row[3].nbytes + len(row[2].encode()) for _, _, row in vectors]
        for chunk in _pieces(vectors, sizes, self._max_bytes):
            yield [_vector_side(variant, chunk) for variant in sorted({variant for _, variant, _ in chunk})]

    def _pair(self, event: Preference, timestamp: int | None) -> PairRow:
        self._check_time(event.ts, timestamp)
        source = self._sources.get(event.source)
        if source is None:
            raise EventRefused(
                reasons.UNKNOWN_SOURCE, f"source must be one of {list(self._sources)}, got {event.source[:60]}"
            )
        user = NO_ID if event.user_id is None else self._user_hash(event.user_id)
        item_a, item_b = id_hash(event.item_a), id_hash(event.item_b)
        # of the content, not the offset: placebo and thinning go by it, whatever the number of partitions
        if user == NO_ID:
            click = click_hash(user, item_a, item_b, event.ts, salt_of(event.source), event.weight)
        else:  # as built in: what a user did to the second item makes one click, with however many first ones
            click = click_hash(user, item_b, event.ts, salt_of(event.source))
        return event.ts, source, item_a, item_b, user, click, event.weight

    def _vector(self, event: Representation, timestamp: int | None) -> tuple[int, VectorRow]:
        self._check_time(event.ts, timestamp)
        if event.variant not in self._variants:
            raise EventRefused(
                reasons.UNKNOWN_VARIANT, f"variant must be one of {list(self._variants)}, got {event.variant[:60]}"
            )
        variant, dimension = self._variants[event.variant]
        return variant, (event.ts, id_hash(event.item_id), event.version, vector_of(event, dimension))

    def _check_time(self, ts: int, timestamp: int | None) -> None:
        if timestamp is not None:
            check_not_ahead(ts, timestamp, self._max_ahead)


def _pair_batch(rows: list[PairRow]) -> PairBatch:
    dtypes = (np.int64, np.int16, np.int64, np.int64, np.int64, np.int64, np.int32)
    return PairBatch(*(np.array(c, d) for c, d in zip(zip(*rows, strict=True), dtypes, strict=True)))


def _vector_batch(rows: list[VectorRow]) -> VectorBatch:
    ts, item, version, vectors = zip(*rows, strict=True)
    hashes = np.array([id_hash(name) for name in version], np.int64)
    return VectorBatch(np.array(ts, np.int64), np.array(item, np.int64), hashes, np.stack(vectors))


def _offsets(offsets: list[int]) -> bytes:
    return np.array(offsets, "<i8").tobytes()


def _vector_side(variant: int, rows: list[tuple[int, int, VectorRow]]) -> Side:
    mine = [(offset, row) for offset, given, row in rows if given == variant]
    versions = sorted({row[2] for _, row in mine})
    return Side(variant, _offsets([o for o, _ in mine]), _vector_batch([row for _, row in mine]).encode(), versions)


def _pieces(rows: list[Row], sizes: list[int], most: int) -> Iterator[list[Row]]:
    """Cut rows where their sizes, added up, would exceed the most."""
    start = total = 0
    for place, size in enumerate(sizes):
        if total + size > most and place > start:
            yield rows[start:place]
            start, total = place, 0
        total += size
    if start < len(rows):
        yield rows[start:]
