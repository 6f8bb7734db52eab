"""A review from the history: what is known is read, then composed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from lis_online.history import experiments as stored
from lis_online.history.engine import transaction
from lis_online.history.times import LATEST
from lis_online.metrics.layout import ALL
from lis_online.review.against import against
from lis_online.review.alignment import alignment, alignment_over_time, served
from lis_online.review.compose import compose
from lis_online.review.document import Annotation, DriftEvent, Review
from lis_online.review.facts import Facts, Times, Traffic
from lis_online.review.request import ReviewRequest
from lis_online.review.subject import Subject, find_subject
from lis_online.review.whole import known_at, whole
from lis_online.review.within import within
from lis_online.settings import Settings

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

__all__ = ["ReviewRequest", "review"]

DRIFT_OFF = "it is not looked for (drift.enabled)"
"""Why a review knows of no drift: other than that there was none."""


def review(engine: Engine, settings: Settings, request: ReviewRequest) -> Review:
    """Return the review of an experiment.

    Raises UsageError on a name that is not known, naming those that are, and HistoryError. What the history has no
    number for is in the review with a reason.
    """
    snapshot = engine.execution_options(isolation_level="REPEATABLE READ")
    with transaction(snapshot) as connection:
        subject = find_subject(connection, settings, request)
        asked = _asked(connection, subject, request)
        traffic = _traffic(connection, subject, request, asked)
        times = asked or traffic.covered
        points = tuple(alignment_over_time(connection, subject, request, times))
        events = tuple(_drift(connection, subject, request, times))
        noted = tuple(_annotations(connection, request, times))
        counts = stored.counts_between(connection, subject.configuration, *_counted(subject, request, times))
    return compose(
        Facts(
            request=request,
            configuration=subject.configuration,
            settings=subject.settings,
            experiment=subject.experiment,
            asked=asked,
            traffic=traffic,
            alignment=alignment(engine, subject, request, times),
            alignment_over_time=points,
            counts=counts,
            drift=events,
            drift_reason=None if events or settings.drift.enabled else DRIFT_OFF,
            annotations=noted,
            against=against(engine, subject, request, times),
        )
    )


def _asked(connection: Connection, subject: Subject, request: ReviewRequest) -> Times | None:
    """Return the range that was asked for, its open end filled in; None for the whole experiment."""
    if request.start is None:
        return None
    if request.end is not None:
        return request.start, request.end
    newest = known_at(connection, subject, None)
    return request.start, max(request.start + 1, request.made_at if newest is None else newest.time)


def _traffic(connection: Connection, subject: Subject, request: ReviewRequest, asked: Times | None) -> Traffic:
    if asked is None:
        return whole(connection, subject, request)
    return within(connection, subject, request, *asked)


def _counted(subject: Subject, request: ReviewRequest, times: Times | None) -> tuple[int | None, int | None]:
    """Return the time that records are counted in: an experiment that begins with the log has no begin of its own."""
    if times is None:
        return None, None
    is_bounded = request.start is not None or subject.experiment.start is not None
    return (times[0] if is_bounded else None), times[1]


def _drift(
    connection: Connection, subject: Subject, request: ReviewRequest, times: Times | None
) -> Iterator[DriftEvent]:
    """Yield the events of the variants that arms serve and of their sources."""
    variants = served(subject)
    sources = {variant.preference for variant in subject.settings.variant if variant.name in variants}
    for row in stored.drift_events(connection, subject.configuration, *(times or (0, LATEST))):
        if row.variant in (sources if row.kind == "source" else variants) and row.slice in (ALL, request.slice):
            yield DriftEvent(
                time=request.time(row.time),
                variant=row.variant,
                number=row.number,
                before=row.before,
                after=row.after,
                cause=row.cause or None,
                sentence=row.sentence,
            )


def _annotations(connection: Connection, request: ReviewRequest, times: Times | None) -> Iterator[Annotation]:
    for one in stored.annotations_between(connection, *(times or (0, LATEST))):
        yield Annotation(
            time=request.time(one.time),
            end=None if one.end is None else request.time(one.end),
            text=one.text,
            tags=tuple(one.tags),
        )
