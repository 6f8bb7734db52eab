"""Messages in Avro's binary encoding, by the schema that they were written with."""

from __future__ import annotations

import io
from typing import Any, Final

import fastavro
import msgspec

from lis_online.errors import EventRefused
from lis_online.events import reasons
from lis_online.mapping.framing import HEADER
from lis_online.mapping.registry import RegisteredSchema
from lis_online.mapping.schemas import Decode

SIZES: Final = {"null": 0, "float": 4, "double": 8}
"""Bytes that a value of a primitive type takes at least; any other takes one."""


def decoder(schema: RegisteredSchema, references: list[tuple[str, RegisteredSchema]]) -> Decode:
    """Return the function from a message to its structure. references: those that come first in front.

    Times stay the numbers that were written, of whatever unit the schema says. Raises ValueError where the schema
    cannot be used.
    """
    named: dict[str, Any] = {}
    try:
        for _, other in references:
            fastavro.parse_schema(_plain(msgspec.json.decode(other.schema)), named)
        parsed = fastavro.parse_schema(_plain(_source(schema.schema)), named)
    except Exception as exc:  # what the library raises on what is no schema is of many kinds
        raise ValueError(f"must be a schema of Avro: {exc!r}") from exc
    _least_bytes(parsed, named, ())
    return lambda value: _read(value, parsed)


def _source(text: str) -> Any:
    try:
        return msgspec.json.decode(text)
    except ValueError:
        return text  # the name of a primitive type alone


def _read(value: bytes, schema: Any) -> Any:
    stream = io.BytesIO(value)
    stream.seek(HEADER)
    try:
        found = fastavro.schemaless_reader(stream, schema, None)
    except Exception as exc:  # what the library raises on bytes that are not of the schema is of many kinds
        raise EventRefused(reasons.MALFORMED, f"value must be Avro of its schema, got {type(exc).__name__}") from exc
    rest = len(value) - stream.tell()
    if rest:
        raise EventRefused(reasons.MALFORMED, f"value must be Avro of its schema, got {rest} bytes more")
    return found


def _plain(schema: Any) -> Any:
    """Return a schema whose times and dates are the numbers that they are written as; decimals stay decimals."""
    if isinstance(schema, list):
        return [_plain(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    return {key: _plain(one) for key, one in schema.items() if key != "logicalType" or schema[key] == "decimal"}


def _least_bytes(schema: Any, named: dict[str, Any], inside: tuple[str, ...]) -> int:
    """Return how many bytes a value takes at least.

    Raises ValueError on a type that holds itself, which a message could nest until the reader's stack is full, and on a
    list of values of no bytes, of which a message of ten bytes could hold any number.
    """
    if isinstance(schema, list):
        for one in schema:
            _least_bytes(one, named, inside)
        return 1
    if isinstance(schema, str):
        return _least_bytes(named[schema], named, inside) if schema in named else SIZES.get(schema, 1)
    kind = schema["type"]
    if kind in ("record", "error"):
        name = schema["name"]
        if name in inside:
            raise ValueError(f"must not hold itself, got {name[:60]} within {name[:60]}")
        return sum(_least_bytes(field["type"], named, (*inside, name)) for field in schema["fields"])
    if kind == "array":
        if not _least_bytes(schema["items"], named, inside):
            raise ValueError("must have no list of values that take no bytes")
        return 1
    if kind == "map":
        _least_bytes(schema["values"], named, inside)
        return 1
    if kind == "fixed":
        return int(schema["size"])
    return 1 if kind == "enum" else _least_bytes(kind, named, inside)
