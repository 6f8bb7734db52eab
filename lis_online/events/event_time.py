"""The event time of a record that nothing has decoded yet."""

from __future__ import annotations

import msgspec


class _Timed(msgspec.Struct):
    ts: int | None = None


_decoder = msgspec.json.Decoder(_Timed)


def event_time(value: bytes | None) -> int | None:
    """Return a record's `ts`, ms since 1970; None of a tombstone, a tick and what cannot be read.

    >>> event_time(b'{"ts": 5, "items": []}'), event_time(b'{"ts": "now"}'), event_time(None)
    (5, None, None)
    """
    try:
        return _decoder.decode(value or b"").ts
    except (ValueError, RecursionError):
        return None
