"""Everything that a running system keeps or says, as bytes, by place."""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path

from kafka import KafkaConsumer
from kafka.consumer.fetcher import ConsumerRecord
from sqlalchemy import Engine, text

from lis_online.settings.model import KafkaSettings

MOST_PACKED = 1 << 20
"""Bytes: what is larger are a rank shard's tables, full of numbers that look like the head of a packed stream."""


def in_files(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Yield the files below a folder."""
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            yield str(path), path.read_bytes()


def in_tables(engine: Engine) -> Iterator[tuple[str, bytes]]:
    """Yield every value of every table."""
    with engine.connect() as connection:
        names = connection.execute(text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")).scalars().all()
        for name in names:
            for row in connection.execute(text(f'SELECT * FROM "{name}"')).mappings():
                for column, value in row.items():
                    raw = (
                        bytes(value)
                        if isinstance(value, bytes | memoryview)
                        else json.dumps(value, default=str).encode()
                    )
                    yield f"{name}.{column}", raw


def records_of(kafka: KafkaSettings, topic: str) -> list[ConsumerRecord]:
    """Return what a topic holds."""
    consumer = KafkaConsumer(
        topic, bootstrap_servers=kafka.bootstrap, auto_offset_reset="earliest", consumer_timeout_ms=1_000
    )
    try:
        return list(consumer)
    finally:
        consumer.close()


def holding(places: Iterable[tuple[str, bytes]], wanted: bytes) -> list[str]:
    """Return the places that hold some bytes; of what is small enough to be text, packed ones included."""
    return [place for place, data in places if any(wanted in piece for piece in _unpacked(data))]


def _unpacked(data: bytes) -> Iterator[bytes]:
    """Yield the bytes, and each zlib stream in them."""
    yield data
    whole = memoryview(data)
    if len(data) > MOST_PACKED:
        return
    for start in re.finditer(rb"\x78[\x01\x9c\xda]", data):
        try:
            yield zlib.decompressobj().decompress(whole[start.start() :])
        except zlib.error:
            continue
