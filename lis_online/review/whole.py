"""The arms' moments of the whole experiment, from its first user on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lis_online.experiments.known import Known
from lis_online.history.experiments import moments_at, moments_over_time
from lis_online.history.times import iso, to_milliseconds
from lis_online.review.facts import Traffic
from lis_online.review.subject import Subject

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from lis_online.review.request import ReviewRequest

MOST_POINTS: Final = 96
"""Of a lift over time."""


def whole(connection: Connection, subject: Subject, request: ReviewRequest) -> Traffic:
    """Return what is known at a request's end, or by now."""
    name, end = subject.experiment.name, request.end
    found = known_at(connection, subject, end)
    if found is None:
        when = "yet" if end is None else f"by {iso(end, request.zone)}"
        return Traffic(None, None, f"the history knows no user of {name} {when}")
    over_time = tuple(moments_over_time(connection, subject.configuration, name, None, end, MOST_POINTS))
    return Traffic(found, (_start(subject, over_time[0].time, found.time), found.time), over_time=over_time)


def known_at(connection: Connection, subject: Subject, until: int | None) -> Known | None:
    """Return the newest moments by a time, ms."""
    return moments_at(connection, subject.configuration, subject.experiment.name, until)


def _start(subject: Subject, first: int, last: int) -> int:
    """Return where the experiment starts, ms: as declared, or with the first bucket that it is known of."""
    declared, bucket = subject.experiment.start, subject.settings.metrics.bucket
    start = first - bucket if declared is None else max(first - bucket, to_milliseconds(declared))
    return min(start, last - bucket)
