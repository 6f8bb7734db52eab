"""The three shards in one process, without Kafka: what `evaluate` and `backfill` run.

The same shards, fed the same records, as behind Kafka. Where nothing is late, the numbers are the same.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from typing import Any, Literal, NamedTuple

from lis_online.events.topics import MAIN
from lis_online.events.wire import END_TICK
from lis_online.history.rows import HistoryRow
from lis_online.records import Outgoing, Record
from lis_online.settings import Settings
from lis_online.shards.join import JoinShard
from lis_online.shards.publish import PublishShard
from lis_online.shards.rank import RankShard

TURN = 2_000
"""Records given to the join shards at a time."""


class Refused(NamedTuple):
    """How many records of one topic were refused for one reason. detail: of the first of them."""

    topic: str
    reason: str
    records: int
    detail: str


class Pipeline:
    """Join shards, a rank and a publish shard, each fed what the one before it returns.

    rows: takes the history's rows, bucket by bucket as they come; without it there are none, and no rolling windows.
    shards: partitions of the input topics, each with a join shard of its own. judge_clock: as `JoinShard` takes it.
    """

    def __init__(
        self,
        settings: Settings,
        rows: Callable[[list[HistoryRow]], None] | None = None,
        shards: int = 1,
        judge_clock: Literal["record", "median"] = "median",
    ) -> None:
        self.joins = [JoinShard(settings, shard, judge_clock) for shard in range(shards)]
        self.rank = RankShard(settings, shards=shards)
        self.publish = PublishShard(settings, self.rank.layout, rolling=rows is not None)
        self._rows = rows
        self._refused: dict[tuple[str, str], Refused] = {}
        self._offsets: dict[tuple[str, int], int] = defaultdict(int)
        self._waiting: list[list[Record]] = [[] for _ in self.joins]
        self._count = 0

    @property
    def join(self) -> JoinShard:
        """The join shard of partition 0: the only one of a recorded log."""
        return self.joins[0]

    def update(self, topic: str, value: bytes | None) -> None:
        """Add a record of an input topic, in order of arrival."""
        self.feed(self._record(topic, value))

    def feed(self, record: Record) -> None:
        """Add a record of an input topic at its own partition and offset, each partition's in order."""
        self._offsets[record.topic, record.partition] = record.offset + 1
        self._waiting[record.partition].append(record)
        self._count += 1
        if self._count >= TURN:
            self._run()

    def finish(self) -> None:
        """Drain everything: nothing follows."""
        for shard, waiting in enumerate(self._waiting):
            waiting += [self._record(topic, END_TICK, shard) for topic in MAIN]
        self._run()

    def summary(self) -> dict[str, Any]:
        """Return the numbers over everything after the warm-up, in the shape of `evaluate --json`."""
        return self.publish.summary()

    @property
    def refused(self) -> list[Refused]:
        """What would be dead letters, the most frequent first."""
        return sorted(self._refused.values(), key=lambda refused: -refused.records)

    def _record(self, topic: str, value: bytes | None, partition: int = 0) -> Record:
        offset = self._offsets[topic, partition]
        self._offsets[topic, partition] += 1
        return Record(topic, partition, offset, -1, value)

    def _run(self) -> None:
        waiting, self._waiting = self._waiting, [[] for _ in self.joins]
        self._count = 0
        for join, records in zip(self.joins, waiting, strict=True):
            for outgoing in join.feed(records) if records else ():
                self._pass_on(outgoing)

    def _pass_on(self, outgoing: Outgoing) -> None:
        if outgoing.topic == "samples":
            for finished in self.rank.feed([self._record("samples", outgoing.value)]):
                self._pass_on(finished)
        elif outgoing.topic == "windows":
            self.publish.feed([self._record("windows", outgoing.value)])
            if self._rows is not None and (rows := self.publish.take_rows()):
                self._rows(rows)
        elif outgoing.topic == "dead_letters":
            self._count_refused({name: value.decode() for name, value in outgoing.headers})

    def _count_refused(self, headers: dict[str, str]) -> None:
        topic, reason = headers["topic"], headers["reason"]
        first = self._refused.get((topic, reason)) or Refused(topic, reason, 0, headers["detail"])
        self._refused[topic, reason] = first._replace(records=first.records + 1)
