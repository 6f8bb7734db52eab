"""What a runner tells of itself. Every hook does nothing here: measuring never edits the path measured."""

from __future__ import annotations

from collections.abc import Mapping


class Watch:
    """Hooks of one role's runner. Called on the event loop; must return at once."""

    def assigned(self, partitions: list[int]) -> None:
        """Partitions were assigned, and their shards restored."""

    def applied(self, partition: int, records: int, seconds: float) -> None:
        """A shard was fed that many records in that time, and what it returned was delivered."""

    def checkpointed(self, partition: int, position: int) -> None:
        """A shard's state up to a position has become durable."""

    def lagging(self, partition: int, behind: Mapping[str, int]) -> None:
        """The end of each topic was compared with the shard: that many offsets are not applied yet."""

    def paused(self, partition: int, reason: str | None) -> None:
        """A shard has come to wait for something, or (None) waits no longer."""
