"""A worker that catches up reads vectors and preferences before the impressions they belong to."""

from __future__ import annotations

from collections.abc import Mapping

from lis_online.records import Record

HELD = 10_000
"""Records held before their partitions are paused."""


class CatchUp:
    """The gate of one partition after an assignment.

    A worker that is new or was away reads four topics from where it stopped, as fast as they come. An
    impression's vectors may lie hours back in `representations`, and a slate that reaches the rank
    log before its vector has none. So the main topics wait until the side topics were read to where
    they ended at the assignment. In the steady state nothing waits: the horizon is their slack.

    ends: end offset of each side topic at the assignment, for those that are not read to there.
    """

    def __init__(self, ends: Mapping[str, int]) -> None:
        self._ends = dict(ends)
        self._held: list[Record] = []
        self._ended: set[str] = set()

    @property
    def waiting_for(self) -> Mapping[str, int]:
        """Side topics that are still read, with the offsets where they ended; none: the gate is open."""
        return self._ends

    @property
    def full(self) -> bool:
        """Whether more is held than should be."""
        return len(self._held) >= HELD

    @property
    def done(self) -> bool:
        """Whether the gate is open, and nothing waits for `take`."""
        return not self._ends and not self._held

    def hold(self, records: list[Record]) -> None:
        """Keep records of main topics, in their order, for `take`."""
        self._held += records

    def take(self) -> list[Record]:
        """Return what was held, once the gate is open."""
        if self._ends:
            return []
        held, self._held = self._held, []
        return held

    def update(self, positions: Mapping[str, int]) -> None:
        """Take in how far the side topics were applied (next offsets)."""
        for topic in [topic for topic, end in self._ends.items() if positions.get(topic, 0) >= end]:
            del self._ends[topic]

    def at_end(self, topic: str) -> None:
        """Take in that the consumer stands at the end of a side topic although its last record lies before.

        The last offsets of a log may hold no record: markers of transactions, or records that retention
        or compaction took. Two times in a row with nothing read in between count: between the
        consumer's position and the shard lie queues.
        """
        if topic in self._ended:
            self._ends.pop(topic, None)
        self._ended.add(topic)

    def read(self, topic: str) -> None:
        """Take in that a record of the side topic came after all."""
        self._ended.discard(topic)
