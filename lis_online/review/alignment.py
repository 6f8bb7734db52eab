"""LIS, AIS and diagnosis of the variants that an experiment's arms serve: over its time, and along it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from lis_online.history.engine import transaction
from lis_online.history.queries import Selection, read
from lis_online.history.ranges import RangeNumbers, range_numbers, rows_read
from lis_online.history.stored import Group
from lis_online.history.thinned import Headline, Series, headlines
from lis_online.history.times import iso
from lis_online.history.windows import window_name
from lis_online.metrics.version_keys import ranker_key
from lis_online.review import representation
from lis_online.review.document import AlignmentPoint
from lis_online.review.facts import Alignment, Times
from lis_online.review.subject import Subject
from lis_online.review.words import share
from lis_online.settings import Settings

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

    from lis_online.review.request import ReviewRequest

MOST_ROWS: Final = 4_000
"""Rows that are added up for a review, 6 to 30 ms each. Beyond, the published window `run` is read."""
MOST_POINTS: Final = 200
"""Of a variant along the time."""
RUN: Final = 0
"""The window that is everything after warm-up."""


def alignment(engine: Engine, subject: Subject, request: ReviewRequest, times: Times | None) -> Alignment:
    """Return the numbers over [start, end), ms: exact ones, or of a whole experiment too long for that, the run's."""
    if times is None:
        return Alignment(reason="there is no bucket of that time")
    group = Group(subject.configuration)
    if request.start is None:  # a range is exact whatever it costs
        with transaction(engine) as connection:
            if rows_read(connection, group, *times, subject.settings.metrics.bucket) > MOST_ROWS:
                return _of_run(connection, subject, request, times[1])
    return _of_range(range_numbers(engine, group, *times, [request.slice]), subject, request)


def alignment_over_time(
    connection: Connection, subject: Subject, request: ReviewRequest, times: Times | None
) -> Iterator[AlignmentPoint]:
    """Yield the numbers of each variant, window by window, of the longest window that fits the time."""
    if times is None:
        return
    windows = sorted(subject.settings.metrics.windows)
    fitting = [window for window in windows if window <= times[1] - times[0]] or windows[:1]
    sources = {variant.name: variant.preference for variant in subject.settings.variant}
    for variant in served(subject):
        series = Series(subject.configuration, variant, sources[variant], fitting[-1], request.slice, *times)
        for headline in headlines(connection, series, MOST_POINTS):
            yield _point(headline, series, request)


def served(subject: Subject) -> list[str]:
    """Return the variants that arms serve, in the arms' order, each once."""
    return list(dict.fromkeys(arm.variant for arm in subject.experiment.arm if arm.variant is not None))


def _of_range(found: RangeNumbers, subject: Subject, request: ReviewRequest) -> Alignment:
    known = {name: representation.of_range(found, request.slice, name) for name in served(subject)}
    state = found.state
    return Alignment(
        covered=found.covered,
        variants={name: one for name, one in known.items() if one is not None},
        gaps=found.gaps,
        left_out=found.left_out,
        set_aside={} if state is None else {ranker_key(k, state.versions): v for k, v in state.set_aside.items()},
        notes=(*_notes(found, request), *shed(subject.settings)),
    )


def _notes(found: RangeNumbers, request: ReviewRequest) -> Iterator[str]:
    if found.warm_up_buckets and found.warm_from is not None:
        until = iso(found.warm_from, request.zone)
        yield f"LIS and AIS are without {found.warm_up_buckets:,} buckets of the warm-up, which ended {until}."


def shed(settings: Settings) -> Iterator[str]:
    """Yield what a reader must know where load was shed."""
    kept = settings.events.user_sample
    if kept < 1:
        yield (
            f"LIS and AIS are of the slates of {share(kept)} of the users, chosen by a hash; the rankers learnt from "
            "those alone: events.user_sample. Pairs, arms and lifts are of all users."
        )


def _of_run(connection: Connection, subject: Subject, request: ReviewRequest, end: int) -> Alignment:
    """Return the newest numbers, by a time, of everything after the warm-up."""
    bucket, known, reached = subject.settings.metrics.bucket, {}, 0
    for variant in served(subject):
        near = Selection(variant, max(0, end - 2 * MOST_ROWS * bucket), end, RUN, request.slice)
        points = [one for one in read(connection, near) if one.configuration == subject.configuration and one.newest]
        if points:
            known[variant] = representation.of_point(points[-1], variant)
            reached = max(reached, points[-1].time)
    note = (
        f"LIS and AIS are those of the whole run after warm-up, as published at {iso(reached, request.zone)}: the "
        f"experiment's time has more than {MOST_ROWS:,} rows of statistics. Give --from for exact numbers of a range."
    )
    return Alignment(
        variants=known, reason="no window was published", notes=(note, *shed(subject.settings)) if known else ()
    )


def _point(found: Headline, series: Series, request: ReviewRequest) -> AlignmentPoint:
    return AlignmentPoint(
        time=request.time(found.time),
        variant=series.variant,
        adjusted_lis=representation.stored(found.adjusted_lis),
        adjusted_ais=representation.stored(found.adjusted_ais),
        diagnosis=found.diagnosis,
        window=window_name(series.window_ms),
    )
