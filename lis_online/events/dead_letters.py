"""Dead letters: what was refused, as it came, with where it came from and why."""

from __future__ import annotations

from lis_online.errors import EventRefused
from lis_online.shards.contract import Outgoing, Record

KEPT_BYTES = 1_000_000
"""A longer value is kept in part: with its headers it would exceed Kafka's default record of 1 MiB."""


def dead_letter(record: Record, refused: EventRefused) -> Outgoing:
    """Return the record for the dead-letter topic: raw value and key, and what is known in headers.

    >>> letter = dead_letter(Record("feedback", 2, 7, -1, b"{"), EventRefused("malformed", "truncated"))
    >>> letter.value, dict(letter.headers)["offset"], dict(letter.headers)["reason"]
    (b'{', b'7', b'malformed')
    """
    value = record.value or b""
    headers = {
        "topic": record.topic,
        "partition": str(record.partition),
        "offset": str(record.offset),
        "reason": refused.reason,
        "detail": refused.detail,
    }
    if len(value) > KEPT_BYTES:
        headers["length"] = str(len(value))
    encoded = tuple((name, text.encode(errors="replace")) for name, text in headers.items())
    return Outgoing("dead_letters", value[:KEPT_BYTES], key=record.key, headers=encoded)
