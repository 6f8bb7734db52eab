"""Drift detection over the buckets of a rank group: one reading of every series per detection bucket."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from lis_online.drift import event as events
from lis_online.drift import reading as names
from lis_online.drift.event import DriftEvent
from lis_online.drift.monitor import Monitor
from lis_online.drift.reading import INPUT, Reading, Series, share
from lis_online.drift.readings import readings
from lis_online.drift.tuning import Tuning
from lis_online.events.reasons import REFUSED
from lis_online.metrics.layout import Layout
from lis_online.metrics.presence import RESTARTED, Presence
from lis_online.metrics.statistics import SLATES, Statistics
from lis_online.metrics.summary import LATE
from lis_online.metrics.whole_run import WholeRun
from lis_online.metrics.windows import Window
from lis_online.settings import Settings
from lis_online.settings.model import DriftSettings
from lis_online.shards.drift_view import DriftView
from lis_online.shards.group_windows import GroupWindows
from lis_online.snapshots.steps import Steps

SHARES: Final = {
    names.LATE_SHARE: LATE,
    names.DEAD_SHARE: REFUSED,
}
"""Number -> the fates of input records that are in it."""


def tuning_of(settings: DriftSettings) -> Tuning:
    """Return how the core is to look."""
    return Tuning(
        bucket=settings.bucket,
        learning=settings.learning,
        window=settings.window,
        gap=settings.gap,
        same=settings.same,
        threshold=settings.threshold,
    )


class DriftWatch:
    """What sums a group's buckets into detection buckets and has each read once, when it is whole.

    Detection buckets are multiples of their length since 1970; a bucket belongs to that of its start. None is read that
    began before the warm-up was over and the rankers had learnt from `metrics.warm_up_samples`: until then LIS and AIS
    rise. State is bounded, and a function of what was given. For each bucket, in this order: `close` with its start,
    `update`, `close` with its end; so a detection bucket is read with the versions that its own last bucket had.
    """

    def __init__(self, settings: Settings, layout: Layout) -> None:
        self._settings, self._layout = settings, layout
        self._tuning = tuning_of(settings.drift)
        self._monitor = Monitor(self._tuning)
        self._ready: int | None = None
        self._counts: dict[str, int] | None = None
        self._latest: dict[Series, DriftEvent] = {}
        self._told: dict[tuple[Series, str], int] = {}
        self._view = DriftView((), {}, {})
        self._start: int | None = None
        self._sum = WholeRun(layout, settings.metrics.bucket)

    @property
    def bucket(self) -> int:
        """Length of a detection bucket, ms."""
        return self._tuning.bucket

    def update(self, start: int, statistics: Statistics, windows: GroupWindows) -> None:
        """Add a bucket. windows: the group's, after that bucket."""
        if self._ready is None and windows.warm and windows.learnt >= self._settings.metrics.warm_up_samples:
            self._ready = start
        begins = start - start % self.bucket
        if self._ready is None or begins < self._ready:
            return
        self._start = begins
        self._sum.update(start, statistics)

    def close(self, now: int, windows: GroupWindows, counts: Mapping[str, int]) -> list[DriftEvent]:
        """Read the detection bucket if it ended at or before `now`, ms; return the events that are new or changed.

        windows: the group's, after the last bucket that was added. counts: of input records by fate, cumulative.
        """
        if self._start is None or now < self._start + self.bucket:
            return []
        rankers = self._rankers(self._start, windows.presence)
        changed = self._monitor.update(self._read(self._start, windows, counts), rankers)
        self._note(changed)
        self._counts = dict(counts)
        self._start, self._sum = None, WholeRun(self._layout, self._settings.metrics.bucket)
        return changed

    def get(self) -> DriftView:
        """Return what is known after the newest detection bucket."""
        return self._view

    def copying(self) -> Steps[dict[str, Any]]:
        """Return the state as msgpack-able data, a sum of statistics at a time."""
        return {
            "bucket": self.bucket,
            "ready": self._ready,
            "start": self._start,
            "sum": (yield from self._sum.copying()),
            "counts": self._counts,
            "monitor": self._monitor.snapshot(),
            "latest": [events.snapshot(event) for event in self._latest.values()],
            "told": [[*series, cause, count] for (series, cause), count in self._told.items()],
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Replace the state by that of `copying`; one of detection buckets of another length is of no use."""
        if state["bucket"] != self.bucket:
            return
        self._ready, self._start, self._counts = state["ready"], state["start"], state["counts"]
        self._sum.restore(state["sum"])
        self._monitor.restore(state["monitor"])
        found = [events.restore(data) for data in state["latest"]]
        self._latest = {event.series: event for event in found}
        self._told = {(Series(*series), cause): count for *series, cause, count in state["told"]}
        self._view = self._seen()

    def _read(self, start: int, windows: GroupWindows, counts: Mapping[str, int]) -> list[Reading]:
        summed, end = self._sum.get(), start + self.bucket
        assert summed is not None
        window = replace(summed, start=start, end=end)
        found = readings(
            window,
            self._layout,
            self._settings.metrics.metric,
            windows.presence.warm(self._settings.warm_up),
            windows.alignment_between(start, end),
            windows.learning(start),
        )
        return [*found, *self._fates(window, counts)]

    def _fates(self, window: Window, counts: Mapping[str, int]) -> list[Reading]:
        """Return the shares of late records and of dead letters since the detection bucket before."""
        if self._counts is None:
            return []
        since = {fate: records - self._counts.get(fate, 0) for fate, records in counts.items()}
        if min(since.values(), default=-1) < 0:  # the join shards began anew
            return []
        records, slates = sum(since.values()), int(window.total.counts[0, :, SLATES].sum())
        cluster = max(records / max(slates, 1), 1.0)  # what comes together: an impression and its feedback
        parts = {number: sum(since.get(fate, 0) for fate in fates) for number, fates in SHARES.items()}
        return [
            share(Series(INPUT, "", number), window.start, part / records if records else None, records, cluster)
            for number, part in parts.items()
        ]

    def _rankers(self, start: int, presence: Presence) -> dict[str, str]:
        """Return the rankers that are set aside, or were restarted within what is told as one event, and why."""
        since = start - self._tuning.same
        lately = {name: RESTARTED for name, began in presence.restarted.items() if began > since}
        return {presence.key(name): reason for name, reason in {**lately, **presence.set_aside}.items()}

    def _note(self, changed: list[DriftEvent]) -> None:
        for event in changed:
            known = self._latest.get(event.series)
            if known is not None and known.time > event.time:
                continue
            if known is None or (known.time, known.cause) != (event.time, event.cause):
                key = event.series, event.cause
                self._told[key] = self._told.get(key, 0) + 1
            self._latest[event.series] = event
        self._view = self._seen()

    def _seen(self) -> DriftView:
        """Return the view of the state as it is."""
        order = sorted(self._latest.values(), key=lambda event: (event.time, event.series))
        away = {series: self._is_away(series) for series in self._monitor.series if self._is_judged(series)}
        return DriftView(tuple(order), away, dict(self._told))

    def _is_judged(self, series: Series) -> bool:
        tracker = self._monitor.get(series)
        return tracker is not None and tracker.status != "learning"

    def _is_away(self, series: Series) -> bool:
        tracker, event = self._monitor.get(series), self._latest.get(series)
        return event is not None and event.until is None and tracker is not None and tracker.status == "held"
