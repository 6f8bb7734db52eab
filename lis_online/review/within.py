"""The arms' moments of the impressions in a range alone: those of a run over nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from lis_online.experiments.known import Known
from lis_online.experiments.range_moments import RangeMoments
from lis_online.history.experiments import moments_over_time, user_totals
from lis_online.history.times import iso
from lis_online.review.facts import Times, Traffic
from lis_online.review.subject import Subject
from lis_online.review.whole import known_at
from lis_online.review.words import share
from lis_online.settings.durations import format_duration, rollup_length

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from lis_online.review.request import ReviewRequest

MOST_POINTS: Final = 96
"""Of a lift over time."""


def within(connection: Connection, subject: Subject, request: ReviewRequest, start: int, end: int) -> Traffic:
    """Return the moments of [start, end), ms, rounded outward to whole buckets of users' totals."""
    newest, length = known_at(connection, subject, None), totals_length(subject)
    asked = start // length * length, -(-end // length) * length
    found = list(_along(connection, subject, asked))
    complete = min(asked[1], _complete(subject, newest))
    if not found:
        return Traffic(None, None, _why_none(connection, subject, asked, complete))
    first, over_time = found[0][0], tuple(one for _, one in found)
    if _had_impressions(connection, subject, asked[0], first):
        return Traffic(None, None, f"users' totals of that time are kept from {iso(first, request.zone)} on")
    covered = asked[0], max(over_time[-1].time, complete)
    return Traffic(
        known=over_time[-1],
        covered=covered,
        over_time=over_time,
        whole=known_at(connection, subject, covered[1]),
        notes=tuple(_notes(subject, request, asked, covered)),
    )


def totals_length(subject: Subject) -> int:
    """Return the length of a bucket of users' totals, ms."""
    settings = subject.settings
    return rollup_length(settings.history.rollup, settings.metrics.bucket)


def _along(connection: Connection, subject: Subject, asked: Times) -> Iterator[tuple[int, Known]]:
    """Yield the moments as of some buckets of a range, the last one always, with the start of the first bucket."""
    moments = RangeMoments(subject.experiment, subject.settings.events)
    step = max(1, (asked[1] - asked[0]) // MOST_POINTS)
    first, shown, seen = 0, asked[0], None
    for bucket in user_totals(connection, subject.configuration, subject.experiment.name, *asked):
        if seen is None:
            first = bucket.start
        moments.update(bucket.tables)
        seen = bucket.end
        if seen >= shown + step:
            yield first, _known(moments, seen)
            shown = seen
    if seen is not None and seen != shown:
        yield first, _known(moments, seen)


def _known(moments: RangeMoments, time: int) -> Known:
    return Known(time, tuple(moments.columns), {one.arm: one for one in moments.get()})


def _complete(subject: Subject, newest: Known | None) -> int:
    """Return until when users' totals have been sent, ms: the attribution window must have passed after a bucket."""
    if newest is None:
        return 0
    length = totals_length(subject)
    return (newest.time - subject.settings.events.attribution_window) // length * length


def _why_none(connection: Connection, subject: Subject, asked: Times, complete: int) -> str:
    history, name = subject.settings.history, subject.experiment.name
    if not history.user_totals_share or not history.keep_user_totals:
        return "users' totals are not kept: see history.user_totals_share and history.keep_user_totals"
    if complete <= asked[0]:
        window, length = (
            format_duration(ms) for ms in (subject.settings.events.attribution_window, totals_length(subject))
        )
        return f"users' totals of that time are not there yet: {length} of them come {window} after their end"
    if _had_impressions(connection, subject, *asked):
        return "users' totals of that time are not kept"
    return f"no user of {name} in that range"


def _had_impressions(connection: Connection, subject: Subject, start: int, end: int) -> bool:
    """Whether the experiment's impressions grew between two times, ms, by the cumulative moments."""
    if start >= end:
        return False
    found = moments_over_time(connection, subject.configuration, subject.experiment.name, start - 1, end, 2)
    return len({_impressions(one) for one in found}) > 1


def _impressions(found: Known) -> int:
    at = found.columns.index("impression")
    return sum(int(one.sums[at]) for one in found.arms.values())


def _notes(subject: Subject, request: ReviewRequest, asked: Times, covered: Times) -> Iterator[str]:
    kept = subject.settings.history.user_totals_share
    if kept < 1:
        yield f"The lifts are of {share(kept)} of the users, chosen by a hash: history.user_totals_share."
    if covered[1] < asked[1]:
        yield f"Users' totals are complete until {iso(covered[1], request.zone)}: the lifts end there."
