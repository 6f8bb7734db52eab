"""The series of drift detection."""

from __future__ import annotations

from lis_online.drift.event import CAUSES
from lis_online.exporter import names
from lis_online.exporter.families import Families
from lis_online.shards.drift_view import DriftView


def add_drift(families: Families, drift: DriftView) -> None:
    """Add what is judged, what is away, and the newest event of each number.

    Counts are there from 0 on for every cause: an increase from nothing is none to a query.
    """
    for series, is_away in drift.away.items():
        families.add(names.DRIFT_ACTIVE, float(is_away), **series._asdict())
    for series in dict.fromkeys((*drift.away, *(event.series for event in drift.events))):
        for cause in CAUSES:
            told = drift.told.get((series, cause), 0)
            families.add(names.DRIFT_EVENTS, told, cause=cause, **series._asdict())
    for event in drift.events:
        at = event.series._asdict()
        families.add_interval(names.DRIFT_BEFORE, event.before, **at)
        families.add_interval(names.DRIFT_AFTER, event.after, **at)
        families.add(names.DRIFT_LAST, event.time / 1000, **at)
