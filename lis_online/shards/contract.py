"""What a shard is: plain state that is fed records and returns records.

No Faust, Kafka, clock, session or file in it. The same shard runs behind Kafka
(`streams/`) and over a recorded log (`lis_online.cli.evaluate`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol

from lis_online.snapshots.contract import Saving, Snapshot

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


class Shard(Protocol):
    """The state that belongs to one input partition (of each topic of its role)."""

    @property
    def positions(self) -> Mapping[str, int]:
        """The next offset to read of each logical topic; what was applied lies below it."""
        ...

    def feed(self, records: Sequence[Record]) -> list[Outgoing]:
        """Apply records, each topic's in offset order; what lies below `positions` is skipped."""
        ...

    def snapshot(self) -> Snapshot:
        """Copy the state; later `feed` calls do not change the copy."""
        ...

    def begin_snapshot(self) -> Saving:
        """Begin to copy the state as it is now, one at a time; `feed` may be called before it is complete."""
        ...

    def restore(self, snapshot: Snapshot) -> None:
        """Replace the state. The shard takes the arrays over and writes into them: give none that is used again."""
        ...
