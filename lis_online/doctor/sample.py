"""The newest impressions and feedback as events, and what was refused among them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final, Generic, TypeVar

from lis_online.errors import EventRefused
from lis_online.events import forget_request
from lis_online.events.topics import MAIN
from lis_online.events.wire import END_TICK, Feedback, Impression
from lis_online.mapping.codec import Codec
from lis_online.mapping.refusals import count_refusal
from lis_online.records import Record
from lis_online.settings.mapping import MappingSettings

Kind = TypeVar("Kind", Impression, Feedback)


@dataclass(frozen=True, slots=True)
class Seen(Generic[Kind]):
    """An event and the record that it came in."""

    record: Record
    event: Kind

    @property
    def delay(self) -> int | None:
        """How long after it happened it was sent, ms; None of a record without a time of its own."""
        return self.record.timestamp - self.event.ts if self.record.timestamp >= 0 else None


@dataclass(slots=True)
class Sample:
    """Events of a feed, each partition's in order. refused: topic -> sentence -> records; read: topic -> records."""

    impressions: list[Seen[Impression]] = field(default_factory=list)
    feedback: list[Seen[Feedback]] = field(default_factory=list)
    refused: dict[str, Counter[str]] = field(default_factory=lambda: {topic: Counter() for topic in MAIN})
    read: dict[str, int] = field(default_factory=lambda: dict.fromkeys(MAIN, 0))

    def of(self, topic: str) -> list[Seen[Impression]] | list[Seen[Feedback]]:
        """Return the events of a topic."""
        return self.impressions if topic == "impressions" else self.feedback


def sample_of(records: Iterable[Record], mapping: MappingSettings) -> Sample:
    """Return the events of records of impressions and feedback, mapped as a join shard maps them."""
    found, codec = Sample(), Codec(mapping)
    for record in records:
        value = record.value
        if value is None or value == END_TICK or forget_request.is_request(value):
            continue
        found.read[record.topic] += 1
        try:
            events = codec.events(record.topic, value)
        except EventRefused as refused:
            count_refusal(found.refused[record.topic], str(refused))
            continue
        for event in events:
            if isinstance(event, Impression):
                found.impressions.append(Seen(record, event))
            elif isinstance(event, Feedback):
                found.feedback.append(Seen(record, event))
    return found


FEW: Final = 30
"""Fewer of anything show no share and no quantile."""


def quantile(values: list[int], share: float) -> int:
    """Return the value that a share of them are at or below.

    >>> quantile([5, 1, 3], 0.5), quantile([1, 2], 0.99)
    (3, 2)
    """
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
