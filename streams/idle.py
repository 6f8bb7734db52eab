"""When a partition that brings nothing is passed over."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping


class IdleWatch:
    """The idleness of one join shard's main partitions, by the wall clock.

    after: seconds a partition's end must have stood still, read to its end, while another of the
    shard's main partitions moved. Time inside a shard is event time alone; this is the one place
    where the wall clock decides, and what it decides becomes a tick that a restart keeps
    (`ShardHost.pass_over`). clock: monotonic seconds.

    >>> now = [0.0]
    >>> watch = IdleWatch(after=30, clock=lambda: now[0])
    >>> watch.update({"impressions": 5, "feedback": 2}, {"impressions": 5, "feedback": 2})
    >>> now[0] = 31.0
    >>> watch.update({"impressions": 9, "feedback": 2}, {"impressions": 8, "feedback": 2})
    'feedback'
    """

    def __init__(self, after: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._after = after
        self._clock = clock
        self._ends: dict[str, int] = {}
        self._still_since: dict[str, float] = {}
        self._others_then: dict[str, int] = {}
        self._silent_since = 0.0
        self._passed = 0

    @property
    def silent(self) -> bool:
        """Whether every partition has stood still, read to its end, for as long as is set: as of the last `update`."""
        return bool(self._ends) and self._clock() - self._silent_since >= self._after

    @property
    def passed(self) -> int:
        """How many times the silence that lasts now was passed over."""
        return self._passed

    def wait(self, passed: bool) -> None:
        """Be silent again only after as long. passed: this silence was passed over."""
        self._silent_since = self._clock()
        self._passed += passed

    def restart(self) -> None:
        """Begin every wait anew: for a while nobody could send anything."""
        self._ends = {}

    def update(self, ends: Mapping[str, int], positions: Mapping[str, int]) -> str | None:
        """Take in each main partition's end offset and the shard's position; return the one to pass over.

        One that was passed over comes again after as long, if the other has moved on by then: a pass
        reaches only as far as the other was.
        """
        now = self._clock()
        for topic, end in ends.items():
            if self._ends.get(topic) != end or positions.get(topic, 0) < end:
                self._restart(topic, now, positions)
                self._silent_since, self._passed = now, 0
        self._ends = dict(ends)
        for topic in ends:
            waited = now - self._still_since[topic] >= self._after
            if waited and _others(topic, positions) > self._others_then[topic]:
                self._restart(topic, now, positions)
                return topic
        return None

    def _restart(self, topic: str, now: float, positions: Mapping[str, int]) -> None:
        self._still_since[topic] = now
        self._others_then[topic] = _others(topic, positions)


def _others(topic: str, positions: Mapping[str, int]) -> int:
    return sum(position for other, position in positions.items() if other != topic)
