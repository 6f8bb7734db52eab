"""All series of a feed together: one event per change, however many numbers it moves."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from lis_online.drift import event as events
from lis_online.drift import reading as names
from lis_online.drift.cause import Verdict, decide
from lis_online.drift.detector import MakeDetector, PageHinkley
from lis_online.drift.event import DriftEvent
from lis_online.drift.reading import SOURCE, VARIANT, Reading, Series
from lis_online.drift.tracker import Signal, Tracker
from lis_online.drift.tuning import DAY, Tuning

REMEMBERED: Final = 14 * DAY
"""For how long after its detection an event takes in signals of the same change, ms."""

_ORDER: Final = (names.PAIR_ALIGNMENT, names.COVERAGE, names.ADJUSTED_LIS, names.ADJUSTED_AIS)
"""Which of several signals of one bucket is told first: the nearest to its cause."""


class Monitor:
    """The trackers of all series and the events that are not over.

    update: takes a bucket's readings, of a time later than all before, and returns the events that are new and those
    that changed: they took in another series, or are back. An event's name is (series, time). State is bounded, and a
    function of the readings and rankers alone.
    """

    def __init__(self, tuning: Tuning | None = None, make: MakeDetector = PageHinkley) -> None:
        self._tuning, self._make = tuning or Tuning(), make
        self._trackers: dict[Series, Tracker] = {}
        self._events: list[DriftEvent] = []

    def update(self, readings: Sequence[Reading], rankers: Mapping[str, str] | None = None) -> list[DriftEvent]:
        """Take the readings of one bucket. rankers: those set aside or restarted lately, and why."""
        for reading in readings:
            self._tracker(reading.series).update(reading)
        if not readings:
            return []
        now = max(reading.time for reading in readings)
        before = list(self._events)
        self._close(reading.series for reading in readings)
        signals = [found for reading in readings if (found := self._trackers[reading.series].signal) is not None]
        for signal in sorted(signals, key=_priority):
            self._take(signal, now, rankers or {})
        changed = [event for event in self._events if event not in before]
        self._events = [event for event in self._events if now - event.detected_at < REMEMBERED]
        return changed

    def get(self, series: Series) -> Tracker | None:
        """Return what is known of a series, None where it has not been read."""
        return self._trackers.get(series)

    @property
    def series(self) -> list[Series]:
        """Every series that has been read."""
        return list(self._trackers)

    def snapshot(self) -> list[Any]:
        """Return the state as plain data."""
        trackers = [[list(series), tracker.snapshot()] for series, tracker in self._trackers.items()]
        return [trackers, [events.snapshot(event) for event in self._events]]

    def restore(self, state: list[Any]) -> None:
        """Replace the state by that of `snapshot`."""
        trackers, found = state
        self._trackers = {}
        for series, data in trackers:
            self._tracker(Series(*series)).restore(data)
        self._events = [events.restore(data) for data in found]

    def _tracker(self, series: Series) -> Tracker:
        if series not in self._trackers:
            self._trackers[series] = Tracker(series, self._tuning, self._make)
        return self._trackers[series]

    def _close(self, read: Iterable[Series]) -> None:
        """End the events whose own series is back."""
        for series in read:
            ended = self._trackers[series].ended
            if ended is not None:
                onset, until = ended
                self._events = [
                    replace(e, until=until) if (e.series, e.time) == (series, onset) else e for e in self._events
                ]

    def _take(self, signal: Signal, now: int, rankers: Mapping[str, str]) -> None:
        tracker = self._trackers[signal.series]
        verdict = decide(signal, tracker.source, self._score, rankers)
        for place, event in enumerate(self._events):
            if self._is_of(signal, verdict, event):
                self._events[place] = self._joined(event, signal, verdict)
                return
        earlier, version = signal.versions or ("", tracker.version)
        made = DriftEvent(
            time=signal.onset,
            detected_at=now,
            series=signal.series,
            before=signal.shift.before,
            after=signal.shift.after,
            detector=self._make(self._tuning).name,
            cause=verdict.cause,
            about=verdict.about,
            version=version,
            earlier=earlier,
        )
        self._events.append(made)

    def _joined(self, event: DriftEvent, signal: Signal, verdict: Verdict) -> DriftEvent:
        """Return an event with one more series; a known cause replaces an unknown one, a source's a variant's.

        What is told of the input by several variants is about none of them.
        """
        also = event.also if signal.series == event.series else tuple(dict.fromkeys((*event.also, signal.series)))
        wider = verdict.cause == "source" and event.cause in ("unknown", "representation") and self._on(event, verdict)
        if event.cause == "unknown" or wider:
            return replace(event, also=also, cause=verdict.cause, about=verdict.about)
        if event.cause == verdict.cause == "data" and event.about != verdict.about:
            return replace(event, also=also, about="")
        return replace(event, also=also)

    def _on(self, event: DriftEvent, verdict: Verdict) -> bool:
        """Return whether an event is about a variant of a verdict's source, told by its ratio or gain alone."""
        ratio = event.series.number in (names.EFFICIENCY, names.ADJUSTED_AIS)
        return ratio and self._source_of(event.about) == verdict.about

    def _is_of(self, signal: Signal, verdict: Verdict, event: DriftEvent) -> bool:
        """Return whether a signal is of the change that an event tells."""
        if signal.onset > event.detected_at + self._tuning.same:
            return False
        if event.until is not None and signal.onset >= event.until:
            return False
        if signal.series == event.series:
            return False
        same = verdict.about == event.about if verdict.about else verdict.cause == event.cause
        same = same or verdict.cause == event.cause == "data"
        return same or self._touches(event, signal.series) or self._on(event, verdict)

    def _touches(self, event: DriftEvent, series: Series) -> bool:
        """Return whether what an event is about has a part in a series."""
        if event.cause == "ranker":
            return series.number in names.BY_RANKERS
        if event.cause == "data" and not event.about:
            return True
        return event.about in (series.subject, self._source_of(series.subject)) and series.kind in (SOURCE, VARIANT)

    def _source_of(self, variant: str) -> str | None:
        """Return the source that a variant was aligned on, None for what is no variant."""
        tracker = self._trackers.get(Series(VARIANT, variant, names.ADJUSTED_AIS))
        return None if tracker is None else tracker.source

    def _score(self, series: Series, since: int) -> float:
        tracker = self._trackers.get(series)
        found = None if tracker is None else tracker.shift(since)
        return 0.0 if found is None else found.score


def _priority(signal: Signal) -> int:
    return _ORDER.index(signal.series.number) if signal.series.number in _ORDER else len(_ORDER)
