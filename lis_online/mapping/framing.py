"""The bytes that serializers of a schema registry put before a message: which schema it is written in.

Source: Confluent's "wire format", which Karapace, Apicurio and Redpanda follow.
"""

from __future__ import annotations

from typing import Final

from lis_online.errors import EventRefused
from lis_online.events import reasons

HEADER: Final = 5
"""A byte 0, and the schema's id in four bytes, the highest first."""

LONGEST_VARINT: Final = 5
MOST_INDEXES: Final = 32


def schema_id(value: bytes) -> int:
    """Return the id of the schema that a message is written in. Raises EventRefused.

    >>> schema_id(bytes([0, 0, 0, 1, 4, 99]))
    260
    """
    if len(value) < HEADER or value[0] != 0:
        got = f"first byte {value[0]}" if len(value) >= HEADER else f"{len(value)} bytes"
        raise EventRefused(reasons.MALFORMED, f"value must begin with a byte 0 and a schema's id, got {got}")
    return int.from_bytes(value[1:HEADER])


def message_indexes(value: bytes) -> tuple[tuple[int, ...], int]:
    """Return which message of a Protobuf schema follows, as indexes from the outermost in, and where it begins.

    Zigzag varints: how many, then each; a single 0 is the first message. Raises EventRefused.

    >>> message_indexes(bytes([0, 0, 0, 0, 7, 0])), message_indexes(bytes([0, 0, 0, 0, 7, 4, 2, 0]))
    (((0,), 6), ((1, 0), 8))
    """
    count, at = _zigzag(value, HEADER)
    if count == 0:
        return (0,), at
    if not 0 < count <= MOST_INDEXES:
        raise EventRefused(reasons.MALFORMED, f"value must have 1 to {MOST_INDEXES} message indexes, got {count}")
    indexes = []
    for _ in range(count):
        index, at = _zigzag(value, at)
        indexes.append(index)
    return tuple(indexes), at


def _zigzag(value: bytes, at: int) -> tuple[int, int]:
    """Return a signed varint and where it ends."""
    found = 0
    for number, byte in enumerate(value[at : at + LONGEST_VARINT]):
        found |= (byte & 0x7F) << (7 * number)
        if not byte & 0x80:
            return (found >> 1) ^ -(found & 1), at + number + 1
    raise EventRefused(reasons.MALFORMED, "value must have message indexes behind the schema's id, got none that end")
