"""What earlier replays of dead letters said of themselves."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from lis_online.events.dead_letters import Mark, Place

LEASE: Final = 300_000
"""Milliseconds after its last mark in which a replay that has not ended may still be sending."""

Partition = tuple[str, int]
"""A logical topic and a partition."""


@dataclass(slots=True)
class Marks:
    """The marks of the dead-letter topic, in their order.

    sent: places that were sent back. unsettled: places that a replay had begun to send and, as far as is known, may or
    may not have; with the end that their partition had before. last: time of each unended run's last mark, ms.

    >>> marks = Marks()
    >>> marks.update(Mark("a", "begun", [("feedback", 0, 7)], [("feedback", 0, 90)]), 5)
    >>> marks.unsettled, marks.under_way(5), marks.under_way(5 + LEASE)
    ({Place(topic='feedback', partition=0, offset=7): 90}, 5, None)
    """

    sent: set[Place] = field(default_factory=set)
    unsettled: dict[Place, int] = field(default_factory=dict)
    last: dict[str, int] = field(default_factory=dict)

    def update(self, mark: Mark, time: int) -> None:
        """Take in a mark that was written at a time, ms."""
        places = _places(mark.places)
        self.last[mark.run] = time
        if mark.kind == "begun":
            ends = {(topic, partition): end for topic, partition, end in mark.ends}
            self.unsettled |= {place: ends.get(place[:2], 0) for place in places}
            return
        for place in places:
            self.unsettled.pop(place, None)
        if mark.kind == "sent":
            self.sent.update(places)
        elif mark.kind == "ended":
            del self.last[mark.run]

    def under_way(self, now: int, but: str = "") -> int | None:
        """Return when the last mark of a replay came that may still be sending, ms; None where there is none.

        but: the run that asks.
        """
        return max((time for run, time in self.last.items() if run != but and time > now - LEASE), default=None)

    def to_look_for(self) -> dict[Partition, int]:
        """Return the partitions that may hold unsettled letters, and the first offset where they may be."""
        found: dict[Partition, int] = {}
        for place, end in self.unsettled.items():
            found[place[:2]] = min(end, found.get(place[:2], end))
        return found


def _places(raw: Iterable[tuple[str, int, int]]) -> list[Place]:
    return [Place(*place) for place in raw]
