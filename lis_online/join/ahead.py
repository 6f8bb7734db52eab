"""Which records of a recorded log have a clock that runs ahead: judged by their neighbours.

Records without a time of their own (Kafka's timestamp) are judged by the times around them in the same
partition, so the verdict is a function of that partition's order alone. A record is accepted at once when it is
at most `max_ahead` after the median of the last 1,000 accepted. That alone would refuse most of a
sparse log (where 1,000 records span a day) and everything after a gap, so any other record is
held until 20 more have come: what is still `max_ahead` after *their* median is ahead of its
time. The first 20 are held as well, so a first record that is a year ahead moves nothing.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import deque
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Generic, TypeVar

PAST = 1000
"""How many accepted times the median of the past is taken over."""

NEXT = 20
"""How many following records confirm or refute one; also how many accepted times make a past."""

FEW = 3
"""At the end of a partition: fewer followers than this refute nothing."""

Held = TypeVar("Held")


class AheadJudge(Generic[Held]):
    """The judge of one partition: takes records in order, gives them back in order with a verdict.

    >>> judge = AheadJudge(max_ahead=100)
    >>> list(judge.update(10**9, "a year ahead")), list(judge.update(5, "first"))
    ([], [])
    >>> [(name, ahead) for ts in range(6, 25) for name, ahead in judge.update(ts, str(ts))]
    [('a year ahead', True)]
    """

    def __init__(self, max_ahead: int) -> None:
        self._max_ahead = max_ahead
        self._accepted: deque[int] = deque()
        self._sorted: list[int] = []
        self._held: deque[tuple[int, Held]] = deque()

    def update(self, ts: int, record: Held) -> Iterator[tuple[Held, bool]]:
        """Take a record; yield (record, ahead) of those that this decides, in order."""
        self._held.append((ts, record))
        while self._held and (self._follows_the_past(self._held[0][0]) or len(self._held) > NEXT):
            yield self._settle(self._held.popleft())

    def flush(self) -> Iterator[tuple[Held, bool]]:
        """Yield (record, ahead) of all that are held: the partition has ended or is idle."""
        while self._held:
            yield self._settle(self._held.popleft())

    def held(self) -> list[Held]:
        """Return the records that wait for a verdict, in order."""
        return [record for _, record in self._held]

    def snapshot(self) -> list[int]:
        """Copy the accepted times; the caller keeps `held`."""
        return list(self._accepted)

    def restore(self, accepted: Sequence[int], held: Sequence[tuple[int, Held]]) -> None:
        """Replace the state; held are (ts, record)."""
        self._accepted = deque(accepted)
        self._sorted = sorted(accepted)
        self._held = deque(held)

    def _settle(self, entry: tuple[int, Held]) -> tuple[Held, bool]:
        ts, record = entry
        ahead = not (self._follows_the_past(ts) or self._is_confirmed(ts))
        if not ahead:
            self._accept(ts)
        return record, ahead

    def _follows_the_past(self, ts: int) -> bool:
        count = len(self._sorted)
        return count >= NEXT and ts <= self._sorted[count // 2] + self._max_ahead

    def _is_confirmed(self, ts: int) -> bool:
        following = sorted(t for t, _ in islice(self._held, NEXT))
        if len(following) >= FEW:
            return ts <= following[len(following) // 2] + self._max_ahead
        return self._is_a_usual_step(ts)

    def _is_a_usual_step(self, ts: int) -> bool:
        """Judge the last records of a log: no step larger than all that was remembered took together."""
        known = self._sorted
        return len(known) < NEXT or ts <= known[-1] + max(self._max_ahead, known[-1] - known[0])

    def _accept(self, ts: int) -> None:
        self._accepted.append(ts)
        insort(self._sorted, ts)
        if len(self._accepted) > PAST:
            del self._sorted[bisect_left(self._sorted, self._accepted.popleft())]
