"""Which records of a log a backfill reads: those from a time on."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator

from lis_online.events.recorded_log import RecordedEvent
from lis_online.records import Record

WHOLE = "representations"
"""The topic that is read from its beginning: a vector holds until the next one of its item."""


class Beginning:
    """The place in one partition from which records are read.

    Of those with an event time the ones from `time` (ms) on, wherever they are; those without one, which are
    only counted, from the first of these on.

    >>> beginning = Beginning(10)
    >>> [beginning.keeps(ts) for ts in (None, 9, 10, None, 9)]
    [False, False, True, True, False]
    """

    def __init__(self, time: int) -> None:
        self._time = time
        self._begun = False

    def keeps(self, ts: int | None) -> bool:
        """Say whether the next record, with this event time, is read."""
        if ts is None:
            return self._begun
        self._begun = self._begun or ts >= self._time
        return ts >= self._time


TimeOf = Callable[[str, bytes | None], int | None]
"""The event time of a record by topic and value (`Codec.time`)."""


def records_from(log: Iterable[RecordedEvent], time: int, time_of: TimeOf) -> Iterator[Record]:
    """Yield the records of a recorded log from a time on, ms, as those of one partition; and every vector."""
    beginnings = defaultdict[str, Beginning](lambda: Beginning(time))
    offsets: dict[str, int] = defaultdict(int)
    for topic, value in log:
        if topic == WHOLE or beginnings[topic].keeps(time_of(topic, value)):
            yield Record(topic, 0, offsets[topic], -1, value)
            offsets[topic] += 1
