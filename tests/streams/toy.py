"""Toy shards of the three roles: a hash chain over what was applied, so that anything lost, repeated or
reordered changes the state. They keep the contract, sequence numbers included, and nothing else.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

import msgspec

from lis_online.records import Outgoing, Record
from lis_online.snapshots.contract import Copied, Saving, Snapshot


class Chain:
    """State of each input topic's partition: a chain over (offset, value); and what was sent."""

    def __init__(self, partition: int) -> None:
        self.partition = partition
        self.next: dict[str, int] = {}
        self.chains: dict[str, str] = {}
        self.sent = 0

    @property
    def positions(self) -> Mapping[str, int]:
        """See the contract."""
        return self.next

    def feed(self, records: Sequence[Record]) -> list[Outgoing]:
        """Apply each record once."""
        outgoing: list[Outgoing] = []
        for record in records:
            if record.offset < self.next.get(record.topic, 0):
                continue
            self.next[record.topic] = record.offset + 1
            outgoing += self.apply(record)
        return outgoing

    def link(self, name: str, data: bytes) -> str:
        """Lengthen a chain."""
        digest = hashlib.md5(self.chains.get(name, "").encode() + data).hexdigest()
        self.chains[name] = digest
        return digest

    def apply(self, record: Record) -> list[Outgoing]:
        """Apply a record that is new."""
        raise NotImplementedError

    def message(self, topic: str, content: object) -> Outgoing:
        """Return a record to send, with its sequence number."""
        self.sent += 1
        return Outgoing(topic, msgspec.json.encode([self.partition, self.sent, content]))

    def snapshot(self) -> Snapshot:
        """See the contract."""
        return Snapshot({"next": dict(self.next), "chains": dict(self.chains), "sent": self.sent})

    def begin_snapshot(self) -> Saving:
        """Begin to copy the state."""
        return Copied(self.snapshot())

    def restore(self, snapshot: Snapshot) -> None:
        """See the contract."""
        self.next, self.chains, self.sent = (snapshot.meta[name] for name in ("next", "chains", "sent"))


class ToyJoin(Chain):
    """Chains each topic on its own (their interleaving is anybody's), and sends every fifth link on.

    A record that says "poison" cannot be read.
    """

    def apply(self, record: Record) -> list[Outgoing]:
        """Send every fifth link of each topic: to the rank log, and every tenth to the windows before it."""
        if record.value == b"poison":
            raise ValueError("poison")
        digest = self.link(record.topic, b"%d" % record.offset + (record.value or b""))
        if record.offset % 5:
            return []
        content = [record.topic, record.offset, digest]
        return [Outgoing("samples", msgspec.json.encode([self.partition, *content]))]

    def ahead(self) -> str | None:
        """Say that no topic is too far ahead: nothing waits here."""
        return None

    def idle(self, topic: str) -> list[Outgoing]:
        """Chain the tick."""
        return [Outgoing("samples", msgspec.json.encode([self.partition, f"idle {topic}", 0, self.link("idle", b"i")]))]


class ToyRank(Chain):
    """Takes each link of each join shard once, whatever came twice, and sends every third on."""

    def apply(self, record: Record) -> list[Outgoing]:
        """Skip what was taken before, by topic and offset of its origin."""
        partition, topic, offset, digest = msgspec.json.decode(record.value or b"")
        name = f"{partition} {topic}"
        seen = f"seen {name}"
        if offset <= int(self.chains.get(seen, "-1")):
            return []
        self.chains[seen] = str(offset)
        link = self.link(name, digest.encode())
        if offset % 3:
            return []
        return [Outgoing("windows", msgspec.json.encode([partition, topic, offset, link]))]


class ToyPublish(ToyRank):
    """Takes each link of the rank once and hands over a row for each."""

    def __init__(self, partition: int) -> None:
        super().__init__(partition)
        self.rows: list[list[object]] = []

    def apply(self, record: Record) -> list[Outgoing]:
        """Make a row of what is new."""
        before = dict(self.chains)
        super().apply(record)
        if self.chains != before:
            self.rows.append(msgspec.json.decode(record.value or b""))
        return []

    def take_rows(self) -> list[list[object]]:
        """See `streams.host.RowsShard`."""
        rows, self.rows = self.rows, []
        return rows


FACTORIES = {"join": ToyJoin, "rank": ToyRank, "publish": ToyPublish}
