"""What decoding another format costs against the event schema: `python -m bench.mapping`.

Interleaved, the best of several, by this process's own time.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import msgspec

from lis_online.events.decode import decode_feedback, decode_impression
from lis_online.mapping.codec import Codec
from lis_online.settings import Settings
from tests.mapping.encodings import BOOK, DEED, SHELF, avro, proto_file, registered
from tests.mapping.encodings import MAPPING as MAPPED
from tests.mapping.registry_server import RegistryServer
from tests.mapping.test_registry import AVRO as DEED_AVRO
from tests.mapping.test_registry import PROTOBUF as DEED_PROTOBUF

MAPPING: dict[str, Any] = {
    "impressions": {
        "request_id": "$.trace.id",
        "user_id": "$.viewer.uid",
        "ts": {"path": "$.served_at", "unit": "s"},
        "surface": {"value": "feed"},
        "items": "$.cards[*].note_id",
        "positions": "$.cards[*].slot",
        "experiments": "$.ab",
        "skip": {"path": "$.type", "values": ["prefetch"]},
    },
    "feedback": {
        "request_id": "$.trace",
        "user_id": "$.uid",
        "item_id": "$.note",
        "ts": "$.at",
        "action": {"path": "$.evt", "rename": {"tap": "click"}},
    },
}
CARDS = [{"note_id": f"note-{n}", "slot": n, "score": 0.123, "title": "some title of a note"} for n in range(20)]
SERVED = {
    "trace": {"id": "r1-abcdef", "span": 5, "parent": "xyz"},
    "viewer": {"uid": 123456, "device": {"os": "ios", "v": "1.2"}},
    "served_at": 1573516800.5,
    "type": "feed",
    "cards": CARDS,
    "ab": {"mllm-q4": "treatment"},
}
TAPPED = {"trace": "r1-abcdef", "uid": 123456, "note": "note-3", "at": 1573516803000, "evt": "tap", "app": "9.1"}
ROUNDS = 60
CALLS = 500


def cost(decode: Callable[[bytes], object], value: bytes) -> float:
    """Return what a call takes, microseconds."""
    begun = time.process_time()
    for _ in range(CALLS):
        decode(value)
    return (time.process_time() - begun) / CALLS * 1e6


def ratio(decode: Callable[[bytes], object], value: bytes, direct: Callable[[bytes], object], event: object) -> str:
    """Say what decoding a message costs beside the same event in the event schema."""
    ours = msgspec.json.encode(event)
    pairs = [(cost(decode, value), cost(direct, ours)) for _ in range(ROUNDS)]
    mapped, plain = (min(column) for column in zip(*pairs, strict=True))
    theirs = f"{mapped:.1f} us ({len(value)} bytes)"
    return f"{theirs}, event schema {plain:.1f} us ({len(ours)} bytes), ratio {mapped / plain:.1f}"


def encoded(message: Any) -> Iterator[tuple[str, str, bytes, Codec]]:
    """Yield messages behind a registry's schema: format, topic, bytes, the codec that reads them."""
    shelf = {"id": "s1", "reader": 7, "at": 1573516800500000, "books": [{"isbn": n, "rank": n} for n in range(20)]}
    proto = {**MAPPED["feedback"], "ts": {"path": "$.at", "unit": "rfc3339"}, "format": "protobuf"}
    with RegistryServer() as registry:
        registry.schemas = {1: registered(DEED), 2: registered(proto_file(), kind="PROTOBUF")}
        registry.schemas[3] = registered(SHELF, ("shop.Book", "books/all", 4))
        registry.subjects = {("books/all", 4): registered(BOOK)}
        of = {"registry": {"url": registry.url}}
        avro_codec = Codec(Settings.of({"mapping": MAPPED | of}).mapping)
        proto_codec = Codec(Settings.of({"mapping": MAPPED | of | {"feedback": proto}}).mapping)
        yield "avro", "impressions", avro(3, SHELF, shelf | {"tests": [message]}, BOOK), avro_codec
        yield "avro", "feedback", DEED_AVRO, avro_codec
        yield "protobuf", "feedback", DEED_PROTOBUF, proto_codec


def main() -> None:
    """Print one line for each topic and format."""
    codec = Codec(Settings.of({"mapping": MAPPING}).mapping)
    direct: dict[str, Callable[[bytes], object]] = {"impressions": decode_impression, "feedback": decode_feedback}
    for topic, message in (("impressions", SERVED), ("feedback", TAPPED)):
        value = msgspec.json.encode(message)
        (event,) = codec.events(topic, value)
        sys.stdout.write(f"json, {topic}: {ratio(partial(codec.events, topic), value, direct[topic], event)}\n")
    for kind, topic, value, reader in encoded({"name": "cover-q4", "arm": "b"}):
        (event,) = reader.events(topic, value)
        sys.stdout.write(f"{kind}, {topic}: {ratio(partial(reader.events, topic), value, direct[topic], event)}\n")


if __name__ == "__main__":
    main()
