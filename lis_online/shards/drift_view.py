"""What drift detection shows after each bucket, and the rows of the history that its events become."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from lis_online.drift.event import DriftEvent
from lis_online.drift.reading import Series
from lis_online.history.rows import DriftRow
from lis_online.metrics.layout import ALL
from lis_online.metrics.summary import iso


@dataclass(frozen=True, slots=True)
class DriftView:
    """The state of detection: plain data that never changes.

    events: the newest of each series that had one, in the order of their times. away: of each series that is judged,
    whether its newest event is open; a series that still learns its level is not there. told: how many events each
    series had by cause; one whose cause became known later counts for both.
    """

    events: tuple[DriftEvent, ...]
    away: Mapping[Series, bool]
    told: Mapping[tuple[Series, str], int]

    def to_json(self) -> list[dict[str, Any]]:
        """Return the events, the newest first, as JSON values."""
        return [_to_json(event, self.away.get(event.series, False)) for event in reversed(self.events)]


def drift_rows(events: Iterable[DriftEvent], bucket: int, revision: int) -> list[DriftRow]:
    """Return the rows of events, as they stand. bucket: length of the buckets that were compared, ms."""
    return [
        DriftRow(
            event.time, event.series.kind, event.series.subject, event.series.number, ALL, bucket,
            event.detected_at, event.until,
            event.before.value, event.before.lower, event.before.upper,
            event.after.value, event.after.lower, event.after.upper,
            event.cause, event.sentence, event.detector, revision,
        )
        for event in events
    ]  # fmt: skip


def _to_json(event: DriftEvent, is_open: bool) -> dict[str, Any]:
    return {
        "time": iso(event.time),
        "detected_at": iso(event.detected_at),
        "until": iso(event.until),
        "open": is_open,
        **event.series._asdict(),
        "before": event.before.to_json(),
        "after": event.after.to_json(),
        "cause": event.cause,
        "about": event.about,
        "version": event.version,
        "sentence": event.sentence,
    }
