"""Dead letters: what was refused, as it came, with where it came from and why.

The topic has one partition. Beside the letters it holds *marks*: what `lis-online dead-letters replay` has begun to
send back, and what it has sent (`lis_online/replay/resending.py`).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Literal, NamedTuple

import msgspec

from lis_online.errors import EventRefused
from lis_online.events.topics import INPUTS
from lis_online.records import Outgoing, Record

KEPT_BYTES: Final = 1_000_000
"""A longer value is kept in part: with its headers it would exceed Kafka's default record of 1 MiB."""

KEPT_KEY_BYTES: Final = 4096
"""A longer key is kept in part, for the same reason."""

MARK: Final = "mark"
"""The header that tells a mark from a letter."""

Headers = Iterable[tuple[str, bytes | None]]


class Place(NamedTuple):
    """Where a refused record was read: what identifies it, since a worker that starts again refuses it again."""

    topic: str
    partition: int
    offset: int

    def __str__(self) -> str:
        return f"{self.topic}:{self.partition}:{self.offset}"


@dataclass(frozen=True, slots=True)
class Letter:
    """A record of the dead-letter topic.

    offset: its own there; time: when it was written, ms; place: of the refused record, whose bytes are value and key;
    whole: nothing of them was cut off; length: bytes of the value as it came.
    """

    offset: int
    time: int
    place: Place
    reason: str
    detail: str
    value: bytes
    key: bytes | None
    whole: bool
    length: int


class Mark(msgspec.Struct):
    """What a replay says in the topic. run: which replay.

    kind: "begun": these places are being sent back; "sent": Kafka has them; "absent": they were looked for behind
    `ends` and are not there; "ended": nothing of the run is under way any more. places: (topic, partition, offset) of
    refused records. ends: (topic, partition, end offset) before anything was sent: what is sent lies behind them.
    """

    run: str
    kind: Literal["begun", "sent", "absent", "ended"]
    places: list[tuple[str, int, int]] = []
    ends: list[tuple[str, int, int]] = []

    def encode(self) -> bytes:
        """Return the mark as JSON."""
        return msgspec.json.encode(self)


_mark = msgspec.json.Decoder(Mark)


def dead_letter(record: Record, refused: EventRefused) -> Outgoing:
    """Return the record for the dead-letter topic: raw value and key, and what is known in headers.

    >>> letter = dead_letter(Record("feedback", 2, 7, -1, b"{"), EventRefused("malformed", "truncated"))
    >>> letter.value, dict(letter.headers)["offset"], dict(letter.headers)["reason"]
    (b'{', b'7', b'malformed')
    """
    value, key = record.value or b"", record.key
    headers = {
        "topic": record.topic,
        "partition": str(record.partition),
        "offset": str(record.offset),
        "reason": refused.reason,
        "detail": refused.detail,
    }
    if len(value) > KEPT_BYTES:
        headers |= {"truncated": "value", "length": str(len(value))}
    if key is not None and len(key) > KEPT_KEY_BYTES:
        headers["truncated"] = ",".join([*filter(None, [headers.get("truncated")]), "key"])
        headers["key_length"] = str(len(key))
        key = key[:KEPT_KEY_BYTES]
    encoded = tuple((name, text.encode(errors="replace")) for name, text in headers.items())
    return Outgoing("dead_letters", value[:KEPT_BYTES], key=key, headers=encoded)


def read_letter(
    offset: int, time: int, value: bytes | None, key: bytes | None, headers: Headers
) -> Letter | Mark | None:
    """Return what a record of the dead-letter topic is; None where it is neither letter nor mark.

    >>> letter = dead_letter(Record("feedback", 2, 7, -1, b"{"), EventRefused("malformed", "truncated"))
    >>> str(read_letter(0, 0, letter.value, letter.key, letter.headers).place)
    'feedback:2:7'
    """
    named = {name: (raw or b"").decode(errors="replace") for name, raw in headers}
    try:
        if MARK in named:
            mark = _mark.decode(value or b"")
            return mark if all(_is_place(*place) for place in [*mark.places, *mark.ends]) else None
        place = Place(named["topic"], _number(named["partition"]), _number(named["offset"]))
        reason, detail = named["reason"], named["detail"]
        length = _number(named.get("length") or named.get("shortened_from_bytes") or str(len(value or b"")))
    except (KeyError, ValueError, RecursionError):
        return None
    if not _is_place(*place):
        return None
    whole = named.keys().isdisjoint(("truncated", "length", "shortened_from_bytes"))
    return Letter(offset, time, place, reason, detail, value or b"", key, whole, length)


def _is_place(topic: str, partition: int, offset: int) -> bool:
    return topic in INPUTS and 0 <= partition < 2**31 and 0 <= offset < 2**63


def _number(text: str) -> int:
    """Return a whole number from 0 that fits 64 bits. Raises ValueError."""
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise ValueError(f"must be a whole number from 0, got {text[:30]!r}")
    return int(text)
