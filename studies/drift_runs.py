"""Runs of the monitor over simulated feeds: false alarms where nothing changes, else delays and causes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from lis_online.drift.event import DriftEvent
from lis_online.drift.monitor import Monitor
from lis_online.drift.reading import Series
from lis_online.drift.tuning import DAY, HOUR, Tuning
from studies.drift_changes import CASES, Case
from studies.drift_feed import START, Course, Feed

SPAN: Final = 30
"""Days of a span, after the first reference is there."""
MATURE: Final = 21
"""Days before a change."""
WATCHED: Final = 14
"""Days after it."""


def stable(samples: float, seed: int, tuning: Tuning) -> dict[str, Any]:
    """Return the false alarms of one span of a feed of six variants and three sources in which nothing changes."""
    feed = Feed(samples, bucket=tuning.bucket)
    count = (tuning.learning + SPAN * DAY) // tuning.bucket
    course, monitor = Course(feed, count, seed), Monitor(tuning)
    found: dict[tuple[Series, int], DriftEvent] = {}
    for at in range(count):
        found |= {(event.series, event.time): event for event in monitor.update(course.get(at))}
    return {
        "samples": samples,
        "seed": seed,
        "series": len(course.get(0)),
        "alarms": [_told(event, START) for event in found.values()],
    }


def changed(samples: float, seed: int, tuning: Tuning, cases: Sequence[Case] = CASES) -> list[dict[str, Any]]:
    """Return what was told of each case's change in a feed of two variants, and when."""
    day = DAY // tuning.bucket
    course = Course(Feed.small(samples, tuning.bucket), (MATURE + WATCHED) * day, seed)
    before = Monitor(tuning)
    for at in range(MATURE * day):
        before.update(course.get(at))
    state, found = before.snapshot(), []
    for case in cases:
        monitor = Monitor(tuning)
        monitor.restore(state)
        found.append(_one(course, monitor, case, day))
    return [{"samples": samples, "seed": seed, **one} for one in found]


def _one(course: Course, monitor: Monitor, case: Case, day: int) -> dict[str, Any]:
    change, begin = case.change(MATURE * 24.0), START + MATURE * DAY
    events: dict[tuple[Series, int], DriftEvent] = {}
    for at in range(MATURE * day, (MATURE + WATCHED) * day):
        events |= {(event.series, event.time): event for event in monitor.update(course.get(at, change))}
    told = [
        _told(event, begin)
        for event in sorted(events.values(), key=lambda e: e.detected_at)
        if event.detected_at >= begin
    ]
    return {"case": case.name, "told": told}


def _told(event: DriftEvent, begin: int) -> dict[str, Any]:
    """Return an event with its times in hours since `begin`; detected at the end of the bucket that showed it."""
    until = None if event.until is None else (event.until - begin) / HOUR
    return {
        "series": "/".join(event.series),
        "time": (event.time - begin) / HOUR,
        "detected": (event.detected_at - begin) / HOUR,
        "cause": event.cause,
        "about": event.about,
        "also": len(event.also),
        "until": until,
        "sentence": event.sentence,
    }


def share_found(rows: Sequence[dict[str, Any]], case: Case) -> dict[str, Any]:
    """Return how often and how soon a case was told, with which cause, and in how many events.

    delay: median and 9th decile, hours from the change to the end of the bucket that showed it, of those found.
    """
    about = ("",) if not case.about else (case.about,)
    first = [next((t for t in row["told"] if case.cause == "data" or t["about"] in about), None) for row in rows]
    seen = [t for t in first if t is not None]
    delays = [t["detected"] + 1 for t in seen]
    return {
        "found": len(seen) / len(rows),
        "median": float(np.median(delays)) if delays else None,
        "decile_9": float(np.quantile(delays, 0.9)) if delays else None,
        "cause_right": sum(t["cause"] == case.cause for t in seen) / len(seen) if seen else None,
        "events": float(np.mean([len(row["told"]) for row in rows])),
        "back": sum(t["until"] is not None for t in seen) / len(seen) if seen else None,
        "runs": len(rows),
    }
