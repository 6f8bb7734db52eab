"""A record as a shard reads it and as it sends it, of whatever log."""

from __future__ import annotations

from typing import NamedTuple

MAX_TIME = 2**62
"""The watermark of a finished partition: later than any event (milliseconds since 1970)."""


class Record(NamedTuple):
    """One record of an input topic.

    topic is the *logical* name ("impressions", "feedback", "representations", "preferences",
    "samples", "windows"); timestamp is Kafka's own, in ms since 1970, or -1 where there is none
    (a recorded log).
    """

    topic: str
    partition: int
    offset: int
    timestamp: int
    value: bytes | None
    key: bytes | None = None


class Outgoing(NamedTuple):
    """One record to send. topic is logical; partition None means the topic's only one."""

    topic: str
    value: bytes
    partition: int | None = None
    key: bytes | None = None
    headers: tuple[tuple[str, bytes], ...] = ()
