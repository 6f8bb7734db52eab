"""What a review is asked for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from zoneinfo import ZoneInfo

from lis_online.errors import UsageError
from lis_online.history.times import iso, to_datetime
from lis_online.review.document import Span


@dataclass(frozen=True, slots=True)
class ReviewRequest:
    """One question. start, end, made_at: ms since 1970.

    start None: the whole experiment, up to end or as far as is known. With a start: the impressions of [start, end)
    alone. slice: what LIS and AIS are read of. zone: of the times in the answer, None for UTC. configuration: an id of
    the history, None for that of the settings; against: another one, whose LIS and AIS are shown beside it.
    """

    experiment: str
    start: int | None
    end: int | None
    slice: str
    zone: ZoneInfo | None
    configuration: int | None
    against: int | None
    made_at: int

    def __post_init__(self) -> None:
        """Refuse a range that holds nothing."""
        if self.start is not None and self.end is not None and self.start >= self.end:
            raise UsageError(f"--from must be before --to, got {iso(self.start)} and {iso(self.end)}")

    @property
    def place(self) -> tzinfo:
        """The zone that times are shown in."""
        return UTC if self.zone is None else self.zone

    def time(self, milliseconds: int) -> datetime:
        """Return a time in the request's zone."""
        return to_datetime(milliseconds).astimezone(self.place)

    def span(self, start: int, end: int) -> Span:
        """Return a stretch of time in the request's zone."""
        return Span(start=self.time(start), end=self.time(end))
