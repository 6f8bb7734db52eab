"""What a shard is: plain state that is fed records and returns records.

No Faust, Kafka, clock, session or file in it. The same shard runs behind Kafka
(`streams/`) and over a recorded log (`lis_online.cli.evaluate`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from lis_online.records import Outgoing, Record
from lis_online.snapshots.contract import Saving, Snapshot


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
