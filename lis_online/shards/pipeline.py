"""The three shards in one process, without Kafka: what `evaluate` runs.

The same shards, fed the same records, as behind Kafka. Where nothing is late, the numbers are the same.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from lis_online.events.wire import END_TICK
from lis_online.settings import Settings
from lis_online.shards.contract import Outgoing, Record
from lis_online.shards.join import JoinShard
from lis_online.shards.publish import PublishShard
from lis_online.shards.rank import RankShard

TURN = 2_000
"""Records given to the join shard at a time."""

MAIN_TOPICS = ("impressions", "feedback")


class Pipeline:
    """A join, a rank and a publish shard, each fed what the one before it returns."""

    def __init__(self, settings: Settings) -> None:
        self.join = JoinShard(settings, 0, judge_clock="median")
        self.rank = RankShard(settings)
        self.publish = PublishShard(settings, self.rank.layout, rolling=False)
        self._offsets: dict[str, int] = defaultdict(int)
        self._waiting: list[Record] = []

    def update(self, topic: str, value: bytes | None) -> None:
        """Add a record of an input topic, in order of arrival."""
        self._waiting.append(self._record(topic, value))
        if len(self._waiting) >= TURN:
            self._run()

    def finish(self) -> None:
        """Drain everything: nothing follows."""
        self._waiting += [self._record(topic, END_TICK) for topic in MAIN_TOPICS]
        self._run()

    def summary(self) -> dict[str, Any]:
        """Return the numbers over everything after the warm-up, in the shape of `evaluate --json`."""
        return self.publish.summary()

    def _record(self, topic: str, value: bytes | None) -> Record:
        offset = self._offsets[topic]
        self._offsets[topic] += 1
        return Record(topic, 0, offset, -1, value)

    def _run(self) -> None:
        records, self._waiting = self._waiting, []
        for outgoing in self.join.feed(records):
            self._pass_on(outgoing)

    def _pass_on(self, outgoing: Outgoing) -> None:
        if outgoing.topic == "samples":
            for finished in self.rank.feed([self._record("samples", outgoing.value)]):
                self._pass_on(finished)
        elif outgoing.topic == "windows":
            self.publish.feed([self._record("windows", outgoing.value)])
