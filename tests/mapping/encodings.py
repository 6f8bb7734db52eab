"""The bookshop's deeds and shelves in Avro and in Protobuf, as the serializers of a registry write them."""

from __future__ import annotations

import base64
import io
import json
from datetime import datetime
from typing import Any, Final

import fastavro
from google.protobuf.descriptor_pb2 import FieldDescriptorProto as Field
from google.protobuf.descriptor_pb2 import FileDescriptorProto

DEED: Final[dict[str, Any]] = {
    "type": "record",
    "name": "Act",
    "namespace": "shop",
    "fields": [
        {"name": "shelf", "type": "string"},
        {"name": "reader", "type": "long"},
        {"name": "isbn", "type": "long"},
        {"name": "did", "type": {"type": "enum", "name": "Deed", "symbols": ["open", "read"]}},
        {"name": "at", "type": {"type": "long", "logicalType": "timestamp-micros"}},
        {
            "name": "paid",
            "type": ["null", {"type": "bytes", "logicalType": "decimal", "precision": 8, "scale": 2}],
            "default": None,
        },
    ],
}
BOOK: Final[dict[str, Any]] = {
    "type": "record",
    "name": "Book",
    "namespace": "shop",
    "fields": [{"name": "isbn", "type": "long"}, {"name": "rank", "type": "int"}],
}
SHELF: Final[dict[str, Any]] = {
    "type": "record",
    "name": "Shelf",
    "namespace": "shop",
    "fields": [
        {"name": "id", "type": "string"},
        {"name": "reader", "type": "long"},
        {"name": "at", "type": {"type": "long", "logicalType": "timestamp-micros"}},
        {"name": "books", "type": {"type": "array", "items": "shop.Book"}},
        {
            "name": "tests",
            "type": {
                "type": "array",
                "items": {
                    "type": "record",
                    "name": "Test",
                    "fields": [{"name": "name", "type": "string"}, {"name": "arm", "type": ["null", "string"]}],
                },
            },
        },
    ],
}
"""Of BOOK, which is a schema of its own: a reference."""

MAPPING: Final[dict[str, Any]] = {
    "impressions": {
        "request_id": "$.id",
        "user_id": "$.reader",
        "ts": {"path": "$.at", "unit": "us"},
        "surface": {"value": "feed"},
        "items": "$.books[*].isbn",
        "positions": "$.books[*].rank",
        "experiments": {"list": "$.tests", "name": "$.name", "arm": "$.arm"},
        "format": "avro",
    },
    "feedback": {
        "request_id": "$.shelf",
        "user_id": "$.reader",
        "item_id": "$.isbn",
        "ts": {"path": "$.at", "unit": "us"},
        "action": {"path": "$.did", "rename": {"open": "click"}},
        "value": {"path": "$.paid", "default": 1},
        "format": "avro",
    },
}


def registered(schema: Any, *references: tuple[str, str, int], kind: str = "AVRO") -> dict[str, Any]:
    """Return a schema as the registry answers."""
    listed = [{"name": name, "subject": subject, "version": version} for name, subject, version in references]
    return {
        "schemaType": kind,
        "schema": schema if isinstance(schema, str) else json.dumps(schema),
        "references": listed,
    }


def avro(number: int, schema: Any, message: Any, *named: Any) -> bytes:
    """Return a message behind its schema's id."""
    known: dict[str, Any] = {}
    for other in named:
        fastavro.parse_schema(other, known)
    stream = io.BytesIO()
    fastavro.schemaless_writer(stream, fastavro.parse_schema(schema, known), message)
    return bytes([0]) + number.to_bytes(4, "big") + stream.getvalue()


def avro_of(topic: str, message: dict[str, Any]) -> bytes:
    """Return a message of the shop (`bookshop.messages`) in Avro: shelves are of schema 2, deeds of 1."""
    if topic == "feedback":
        return avro(1, DEED, {**message, "at": message["ms"] * 1000, "paid": None})
    at = round(datetime.fromisoformat(message["shelf"]["at"]).timestamp() * 1_000_000)
    shelf = {"id": message["shelf"]["id"], "reader": message["reader"]["no"], "at": at, "books": message["books"]}
    return avro(2, SHELF, {**shelf, "tests": [{"name": "cover-q4", "arm": "b"}]}, BOOK)


def proto_file() -> str:
    """Return the deeds' schema in Protobuf, serialized as the registry gives it."""
    file = FileDescriptorProto(
        name="shop.proto", package="shop", syntax="proto3", dependency=["google/protobuf/timestamp.proto"]
    )
    file.message_type.add(name="Other").field.add(name="x", number=1, type=Field.TYPE_INT32, label=1)
    act = file.message_type.add(name="Act")
    kinds = [
        ("shelf", Field.TYPE_STRING, None),
        ("reader", Field.TYPE_INT64, None),
        ("isbn", Field.TYPE_INT64, None),
        ("did", Field.TYPE_ENUM, ".shop.Act.Deed"),
        ("at", Field.TYPE_MESSAGE, ".google.protobuf.Timestamp"),
    ]
    for number, (name, kind, of) in enumerate(kinds, 1):
        act.field.add(name=name, number=number, type=kind, type_name=of, label=1)
    deed = act.enum_type.add(name="Deed")
    deed.value.add(name="open", number=0)
    deed.value.add(name="read", number=1)
    return base64.b64encode(file.SerializeToString()).decode()
