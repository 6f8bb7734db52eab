"""Decoding of what arrives from outside: typed, then checked; refused with a reason and a sentence.

Every function takes a record's value and returns the event of `wire.py`, or raises EventRefused
with a reason of `reasons.py`.
"""

from __future__ import annotations

import binascii
from collections.abc import Iterable
from math import isfinite
from typing import TypeVar

import msgspec
import numpy as np

from lis_online.errors import EventRefused
from lis_online.events import reasons
from lis_online.events.wire import (
    SCHEMA_VERSION,
    Feedback,
    Impression,
    PackedVector,
    Preference,
    Representation,
)

MAX_BYTES = 1 << 20
"""The longest value that is read; Kafka's own default bound on a record."""

MAX_ITEMS = 1000
"""The longest slate."""

MAX_ID = 256
"""Characters of the longest id: ids are kept by the hundred thousand, so one of a mebibyte must not be."""

MAX_DEPTH = 100
"""The deepest nesting. How deep Python itself can follow depends on who calls, and a replay must decide the same."""

MAX_TS = 2**53
"""Times are below it: whole numbers that JSON readers of every language keep exact."""

MAX_VERSION = 100
"""The longest name of a version: it becomes a label value."""

MAX_WEIGHT = 2**31
MAX_POSITION = 2**15
DTYPES = {"float16": "<f2", "float32": "<f4"}

Event = TypeVar("Event", Impression, Feedback, Representation, Preference)


_STEPS = np.zeros(256, np.int8)
"""What a byte does to the depth of nesting."""
_STEPS[list(b"[{")], _STEPS[list(b"]}")] = 1, -1


class _Version(msgspec.Struct):
    schema_version: int


_version = msgspec.json.Decoder(_Version)
_impression = msgspec.json.Decoder(Impression)
_feedback = msgspec.json.Decoder(Feedback)
_representation = msgspec.json.Decoder(Representation)
_preference = msgspec.json.Decoder(Preference)


def decode_impression(value: bytes) -> Impression:
    """Return an impression that obeys every rule of the schema.

    >>> decode_impression(
    ...     b'{"schema_version":1,"request_id":"r","user_id":"u","ts":5,"surface":"feed","items":["a","b"]}'
    ... ).items
    ['a', 'b']
    >>> decode_impression(
    ...     b'{"schema_version":1,"request_id":"r","user_id":"u","ts":5,"surface":"feed","items":[]}'
    ... )
    Traceback (most recent call last):
    lis_online.errors.EventRefused: invalid: items must be 1 to 1000, got 0
    """
    event = _typed(_impression, value)
    check_impression(event)
    return event


def check_impression(event: Impression) -> None:
    """Refuse an impression that breaks a rule of the schema."""
    _check_ts(event.ts)
    if not (0 < len(event.request_id) <= MAX_ID and 0 < len(event.user_id) <= MAX_ID):
        _check_ids(request_id=event.request_id, user_id=event.user_id)
    items = event.items
    if not 1 <= len(items) <= MAX_ITEMS:
        raise _invalid(f"items must be 1 to {MAX_ITEMS}, got {len(items)}")
    _check_listed("items", items)
    _check_listed("history", event.history)
    if len(set(items)) < len(items):
        raise _invalid(f"items must differ within a slate, got {len(items) - len(set(items))} again")
    if event.positions is not None:
        _check_positions(event.positions, len(items))
    for known in event.item_attributes.values():
        author, category = known.author, known.category
        if author is not None and len(author) > MAX_ID:
            _check_length("author", author)
        if category is not None and len(category) > MAX_ID:
            _check_length("category", category)


def decode_feedback(value: bytes) -> Feedback:
    """Return feedback that obeys every rule of the schema; its action may still be unknown."""
    event = _typed(_feedback, value)
    check_feedback(event)
    return event


def check_feedback(event: Feedback) -> None:
    """Refuse feedback that breaks a rule of the schema."""
    _check_ts(event.ts)
    ids = event.request_id, event.user_id, event.item_id
    if not (0 < len(ids[0]) <= MAX_ID and 0 < len(ids[1]) <= MAX_ID and 0 < len(ids[2]) <= MAX_ID):
        _check_ids(request_id=event.request_id, user_id=event.user_id, item_id=event.item_id)
    if not isfinite(event.value):
        raise _invalid(f"value must be finite, got {event.value}")


def decode_preference(value: bytes) -> Preference:
    """Return a pair that obeys every rule of the schema; its source may still be unknown."""
    event = _typed(_preference, value)
    check_preference(event)
    return event


def check_preference(event: Preference) -> None:
    """Refuse a pair that breaks a rule of the schema."""
    _check_ts(event.ts)
    _check_ids(source=event.source, item_a=event.item_a, item_b=event.item_b)
    if event.user_id is not None:
        _check_ids(user_id=event.user_id)
    if event.item_a == event.item_b:
        raise _invalid(f"item_b must differ from item_a, got {_short(event.item_b)} twice")
    if not 1 <= event.weight < MAX_WEIGHT:
        raise _invalid(f"weight must be >= 1 and < 2**31, got {event.weight}")


def decode_representation(value: bytes) -> Representation:
    """Return a representation that obeys every rule but those of its vector: see `vector_of`."""
    event = _typed(_representation, value)
    check_representation(event)
    return event


def check_representation(event: Representation) -> None:
    """Refuse a representation that breaks a rule of the schema, those of its vector aside."""
    _check_ts(event.ts)
    _check_ids(variant=event.variant, version=event.version, item_id=event.item_id)
    if len(event.version) > MAX_VERSION or not event.version.isprintable():
        raise _invalid(f"version must be at most {MAX_VERSION} printable characters, got {_short(repr(event.version))}")


def vector_of(event: Representation, dimension: int) -> np.ndarray:
    """Return the vector: float16 [dimension], finite.

    Raises EventRefused: WRONG_DIMENSION, or INVALID where a number is not finite as float16.
    """
    raw = _unpacked(event.vector) if isinstance(event.vector, PackedVector) else np.array(event.vector, np.float64)
    if len(raw) != dimension:
        raise EventRefused(
            reasons.WRONG_DIMENSION,
            f"vector of variant {event.variant} must have dimension {dimension}, got {len(raw)}",
        )
    with np.errstate(over="ignore", invalid="ignore"):
        vector: np.ndarray = raw.astype(np.float16)
    if not np.isfinite(vector).all():
        worst = raw[~np.isfinite(vector)][0]
        raise _invalid(f"vector must be finite as float16 (at most 65504 in size), got {worst:g}")
    return vector


def check_not_ahead(ts: int, timestamp: int, max_ahead: int) -> None:
    """Refuse an event time more than max_ahead ms after its record's own time."""
    if ts > timestamp + max_ahead:
        raise EventRefused(
            reasons.TOO_FAR_AHEAD,
            f"ts must be at most {max_ahead} ms after the record's timestamp {timestamp}, got {ts}",
        )


def _unpacked(packed: PackedVector) -> np.ndarray:
    if packed.dtype not in DTYPES:
        raise _invalid(f"vector.dtype must be one of {list(DTYPES)}, got {_short(packed.dtype)}")
    try:
        data = binascii.a2b_base64(packed.data, strict_mode=True)
        return np.frombuffer(data, DTYPES[packed.dtype])
    except ValueError as exc:
        raise _invalid(f"vector.data must be base64 of {packed.dtype} numbers: {exc}") from exc


def check_length(value: bytes) -> None:
    """Refuse a value that is too long to be read."""
    if len(value) > MAX_BYTES:
        raise EventRefused(reasons.TOO_LARGE, f"value must be at most {MAX_BYTES} bytes, got {len(value)}")


def check_size(value: bytes) -> None:
    """Refuse JSON that is too long, or nested too deeply, to be read."""
    check_length(value)
    if value.count(b"[") + value.count(b"{") > MAX_DEPTH:
        _check_depth(value)


def _typed(decoder: msgspec.json.Decoder[Event], value: bytes) -> Event:
    check_size(value)
    try:
        event = decoder.decode(value)
    except ValueError as exc:  # msgspec's own, and text that is not UTF-8
        raise _of_another_version(value) or EventRefused(reasons.MALFORMED, _short(str(exc), 200)) from exc
    if event.schema_version != SCHEMA_VERSION:
        raise _wrong_version(event.schema_version)
    return event


def _check_ts(ts: int) -> None:
    if not 0 <= ts < MAX_TS:
        raise _invalid(f"ts must be >= 0 and < 2**53 ms, got {_short(str(ts))}")


def _of_another_version(value: bytes) -> EventRefused | None:
    """Say the version of a record whose other fields are not ours to understand."""
    try:
        version = _version.decode(value).schema_version
    except ValueError:
        return None
    return None if version == SCHEMA_VERSION else _wrong_version(version)


def _wrong_version(version: int) -> EventRefused:
    return EventRefused(reasons.SCHEMA_VERSION, f"schema_version must be {SCHEMA_VERSION}, got {_short(str(version))}")


def _check_depth(value: bytes) -> None:
    """Refuse deep nesting. Brackets in text count too: nobody has a hundred more of them open than closed."""
    steps = _STEPS[np.frombuffer(value, np.uint8)]
    depth = int(np.cumsum(steps, dtype=np.int64).max())
    if depth > MAX_DEPTH:
        raise EventRefused(reasons.MALFORMED, f"nesting must be at most {MAX_DEPTH} deep, got {depth}")


def _check_ids(**ids: str) -> None:
    for name, value in ids.items():
        if not value:
            raise _invalid(f"{name} must not be empty, got ''")
        _check_length(name, value)


def _check_listed(name: str, ids: list[str]) -> None:
    if "" in ids:
        raise _invalid(f"{name} must not hold an empty id, got ''")
    if ids and max(map(len, ids)) > MAX_ID:
        _check_length(f"each of {name}", max(ids, key=len))


def _check_length(name: str, text: str) -> None:
    if len(text) > MAX_ID:
        raise _invalid(f"{name} must be at most {MAX_ID} characters, got {len(text)}")


def _check_positions(positions: Iterable[int], expected: int) -> None:
    given = list(positions)
    if len(given) != expected:
        raise _invalid(f"positions must be as many as items, {expected}, got {len(given)}")
    if not all(0 <= p < MAX_POSITION for p in given):
        raise _invalid(f"positions must be >= 0 and < {MAX_POSITION}, got {_short(str(given))}")


def _invalid(detail: str) -> EventRefused:
    return EventRefused(reasons.INVALID, detail)


def _short(text: str, length: int = 60) -> str:
    return text if len(text) <= length else text[: length - 3] + "..."
