"""What a runner tells of itself. Every hook does nothing here: measuring never edits the path measured."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Final

from lis_online.records import Outgoing, Record
from lis_online.shards.contract import Shard
from streams.making import Saved

CATCHING_UP: Final = "catching_up"
HISTORY_UNREACHABLE: Final = "history_unreachable"
BROKER_UNREACHABLE: Final = "broker_unreachable"
REGISTRY_UNREACHABLE: Final = "registry_unreachable"
"""Why a shard waits: words of `lis_online.exporter.health.PAUSES`."""


class Watch:
    """Hooks of one role's runner. Called on the event loop; must return at once."""

    def assigned(self, partitions: Collection[int]) -> None:
        """The group was rebalanced: these partitions, and no others, are this worker's now, their shards restored."""

    def applied(self, partition: int, shard: Shard, records: Sequence[Record], seconds: float) -> None:
        """A shard was fed these records in that time, and what it returned was delivered."""

    def sent(self, partition: int, outgoing: Sequence[Outgoing]) -> None:
        """What a shard returned was delivered."""

    def checkpointed(self, partition: int, saved: Saved) -> None:
        """A shard's state has become durable."""

    def checkpoint_failed(self, partition: int) -> None:
        """A checkpoint could not be read or written; it is tried again."""

    def committed(self, partition: int, taken: bool) -> None:
        """A partition's offsets were committed, or the group has moved on and did not take them."""

    def device_failed(self) -> None:
        """The device of the role's shards has failed."""

    def paused(self, partition: int, reason: str) -> None:
        """A shard has come to wait for something; may be told again."""

    def resumed(self, partition: int, reason: str) -> None:
        """A shard waits for it no longer; may be told where it never did."""
