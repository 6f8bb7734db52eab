"""The stretch of time that a backfill writes, and how far before it reading begins."""

from __future__ import annotations

from dataclasses import dataclass

from lis_online.errors import UsageError
from lis_online.history.rows import DriftRow, HistoryRow
from lis_online.history.times import iso
from lis_online.settings import Settings
from lis_online.settings.durations import rollup_length


def reach(settings: Settings) -> int:
    """Return how long before a stretch reading begins, ms: the warm-up, and what comes before its first pair.

    A pair of the warm-up's beginning has a click up to a source's gap before it, on an impression up to an
    attribution window before that; so histories and sketches are as full as the settings let them be.

    >>> reach(Settings.of({"metrics": {"warm_up": "1h"}, "events": {"attribution_window": "10m"}})) // 60_000
    430
    """
    gaps = [source.gap for source in settings.preference if source.kind == "co_engagement"]
    return settings.warm_up + max(gaps, default=0) + settings.events.attribution_window


def grid(settings: Settings) -> int:
    """Return what a stretch is a whole number of, ms: a bucket; with experiments, a bucket of users' totals.

    >>> grid(Settings.of({}))
    60000
    """
    bucket = settings.metrics.bucket
    return rollup_length(settings.history.rollup, bucket) if settings.experiment else bucket


@dataclass(frozen=True, slots=True)
class Stretch:
    """[start, end) in ms since 1970, in buckets of `bucket` ms; events are read from reads_from on.

    >>> str(Stretch.of(Settings.of({}), 1_750_000_030_000, 1_750_000_100_000))
    '2025-06-15T15:07:00Z to 2025-06-15T15:09:00Z'
    """

    start: int
    end: int
    reads_from: int
    bucket: int

    @classmethod
    def of(cls, settings: Settings, start: int, end: int) -> Stretch:
        """Return the stretch of a range, which is rounded outward to the grid. Raises UsageError."""
        if not start < end:
            raise UsageError(f"--from must be before --to, got {iso(start)} and {iso(end)}")
        unit = grid(settings)
        first, last = start // unit * unit, -(-end // unit) * unit
        return cls(first, last, max(0, first - reach(settings)), settings.metrics.bucket)

    def closes(self, settings: Settings) -> int:
        """Return the event time, ms, that nothing has to be read after: every label and pair is known by then."""
        events = settings.events
        return self.end + settings.leakage.horizon + events.attribution_window + events.allowed_lateness

    def holds(self, row: HistoryRow) -> bool:
        """Say whether a row is of a bucket, or of several, within the stretch."""
        if isinstance(row, DriftRow):
            return self.start <= row.time < self.end
        start = getattr(row, "bucket_start", row.bucket_end - self.bucket)
        return self.start <= int(start) and row.bucket_end <= self.end

    def __str__(self) -> str:
        """Return it in words."""
        return f"{iso(self.start)} to {iso(self.end)}"
