"""The watermark of one input partition: how far its event time is known to be complete."""

from __future__ import annotations

from lis_online.records import MAX_TIME

BEFORE_ALL = -1
"""The watermark while nothing is known: earlier than any event."""


class PartitionClock:
    """The event time of one partition.

    Its watermark is the latest time of which everything is there: a record exactly
    `lateness` behind the highest time read is still in time, one ms more is late. (As in Akidau
    et al., "The Dataflow Model", VLDB 2015, and Flink's bounded out-of-orderness.)

    >>> clock = PartitionClock(lateness=10)
    >>> clock.update(100); clock.get()
    89
    >>> clock.is_late(89), clock.is_late(90)
    (True, False)
    """

    __slots__ = ("_watermark", "ended", "highest", "lateness")

    def __init__(self, lateness: int) -> None:
        self.lateness = lateness
        self.highest = BEFORE_ALL
        self.ended = False
        self._watermark = BEFORE_ALL

    def update(self, ts: int) -> None:
        """Note a record's event time, ms."""
        if ts > self.highest:
            self.highest = ts
            self._raise_to(ts - self.lateness - 1)

    def pass_over(self, other: PartitionClock) -> None:
        """Follow another partition's highest time once: this one is idle."""
        self._raise_to(other.highest - self.lateness - 1)

    def pass_to(self, time: int) -> None:
        """Go on to a time, ms, that other partitions have passed: this one is idle."""
        self._raise_to(time)

    def end(self) -> None:
        """Note that nothing follows."""
        self.ended = True
        self._watermark = MAX_TIME

    def get(self) -> int:
        """Return the watermark, ms since 1970; BEFORE_ALL or MAX_TIME at the ends."""
        return self._watermark

    def is_late(self, ts: int) -> bool:
        """Say whether a record with this event time comes too late to be applied in its place."""
        return ts <= self._watermark

    def snapshot(self) -> list[int]:
        """Copy the state."""
        return [self.highest, self._watermark, int(self.ended)]

    def restore(self, state: list[int]) -> None:
        """Replace the state."""
        self.highest, self._watermark, ended = state
        self.ended = bool(ended)

    def _raise_to(self, watermark: int) -> None:
        if watermark > self._watermark:
            self._watermark = watermark
