"""Hosts of toy shards, and a Kafka that fails when it is told to."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

from lis_online.checkpoints.store import CheckpointStore
from lis_online.records import Outgoing, Record
from streams.host import ShardHost
from streams.storage import Patience
from tests.streams.toy import Chain, ToyJoin


class Kafka:
    """Takes what is sent; `fail` makes the next sends raise, `hold` lets them wait."""

    def __init__(self) -> None:
        self.sent: list[Outgoing] = []
        self.fail = False
        self.hold: asyncio.Event | None = None

    async def send(self, outgoing: Sequence[Outgoing]) -> None:
        """Take all or none."""
        if self.hold is not None:
            await self.hold.wait()
        if self.fail:
            raise OSError("no broker")
        self.sent += outgoing


def records(first: int, count: int, topic: str = "impressions") -> list[Record]:
    """Records of partition 0."""
    return [Record(topic, 0, offset, -1, b"%d" % offset) for offset in range(first, first + count)]


def host(
    folder: Path,
    kafka: Kafka,
    make: Callable[[int], Chain] = ToyJoin,
    keep_rows: Callable[[list[Any]], Awaitable[None]] | None = None,
    patience: Patience | None = None,
) -> ShardHost:
    """A host of a toy shard."""
    store = CheckpointStore(str(folder), "toy", 0, 3, {})
    return ShardHost(lambda: make(0), store, kafka.send, 100, keep_rows, patience=patience)


async def apply(here: ShardHost, wanted: Sequence[Record]) -> None:
    """Feed all of them, turn by turn."""
    done = 0
    while done < len(wanted):
        done += await here.turn(wanted[done:])


def saved(folder: Path) -> tuple[dict[str, Any], int]:
    """The state and the position of the newest checkpoint."""
    found = CheckpointStore(str(folder), "toy", 0, 3, {}).load_latest()
    assert found is not None
    return found[0].meta["shard"], found[1]
