"""Which key and partition a record of a recorded log gets in Kafka."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple
from zlib import crc32

import msgspec
from kafka.partitioner.default import murmur2

from lis_online.events.topics import MAIN
from lis_online.mapping.codec import Codec


class Route(NamedTuple):
    """Where a record goes and when it happened. key: never empty; ts: event time, ms, None where it has none."""

    key: bytes
    partition: int
    ts: int | None


class _Named(msgspec.Struct):
    """The fields that any of the four topics is routed by. Ill-typed ones make the record a malformed one."""

    user_id: str | None = None
    variant: str | None = None
    item_id: str | None = None
    item_a: str | None = None
    ts: int | None = None


_decoder = msgspec.json.Decoder(_Named)


def route(topic: str, value: bytes | None, partitions: int, codec: Codec | None = None) -> Route:
    """Return a record's key and partition.

    Impressions and feedback go by user: all of a user in one partition, the same in both topics.
    Representations go by `variant|item_id`, preferences by their first item. A malformed record
    goes by its bytes: it must reach the join, which says what is wrong with it, and a compacted topic
    takes no record without a key. codec: how topics are read that are not of the event schema.

    >>> one = route("impressions", b'{"user_id": "u7", "ts": 5}', 4)
    >>> two = route("feedback", b'{"user_id": "u7", "item_id": "i1"}', 4)
    >>> one.key, one.ts, one.partition == two.partition
    (b'u7', 5, True)
    >>> route("representations", b'{"variant": "title", "item_id": "i1"}', 4).key
    b'title|i1'
    """
    named = _mapped(topic, value, codec) if codec is not None and codec.is_mapped(topic) else _decode(value)
    key = _key(topic, named).encode() or b"malformed-%08x" % crc32(value or b"")
    return Route(key, partition_of(key, partitions), named.ts)


@lru_cache(maxsize=1 << 16)
def partition_of(key: bytes, partitions: int) -> int:
    """Return where Kafka's own clients put a key, so that a replay and a live feed agree on a user's partition.

    >>> partition_of(b"u7", 1)
    0
    """
    return int(murmur2(key) & 0x7FFFFFFF) % partitions


def _decode(value: bytes | None) -> _Named:
    try:
        return _decoder.decode(value or b"")
    except (ValueError, RecursionError):
        return _Named()


def _mapped(topic: str, value: bytes | None, codec: Codec) -> _Named:
    found = codec.part(topic, value, tuple(name for name in _Named.__struct_fields__ if name != "ts"))
    one = {name: text for name, text in found.items() if not isinstance(text, list)}
    return _Named(**one, ts=codec.time(topic, value))


def _key(topic: str, named: _Named) -> str:
    if topic in MAIN:
        return named.user_id or ""
    if topic == "preferences":
        return named.item_a or ""
    return f"{named.variant}|{named.item_id}" if named.variant and named.item_id else ""
