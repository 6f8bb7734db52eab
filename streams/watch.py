"""What a runner tells of itself. Every hook does nothing here: measuring never edits the path measured."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Final

from lis_online.shards.contract import Shard

CATCHING_UP: Final = "catching_up"
HISTORY_UNREACHABLE: Final = "history_unreachable"
BROKER_UNREACHABLE: Final = "broker_unreachable"
"""Why a shard waits: words of `lis_online.exporter.health.PAUSES`."""


class Watch:
    """Hooks of one role's runner. Called on the event loop; must return at once."""

    def assigned(self, partitions: Collection[int]) -> None:
        """These partitions, and no others, are this worker's now, and their shards are restored."""

    def applied(self, partition: int, shard: Shard, records: int, seconds: float) -> None:
        """A shard was fed that many records in that time, and what it returned was delivered."""

    def checkpointed(self, partition: int, position: int) -> None:
        """A shard's state up to a position has become durable."""

    def lagging(self, partition: int, behind: Mapping[str, int]) -> None:
        """The end of each topic was compared with the shard: that many offsets are not applied yet."""

    def paused(self, partition: int, reason: str) -> None:
        """A shard has come to wait for something; may be told again."""

    def resumed(self, partition: int, reason: str) -> None:
        """A shard waits for it no longer; may be told where it never did."""
