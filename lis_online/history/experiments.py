"""What an experiment's arms were at any time, and what users did over any stretch of it."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, func, select

from lis_online.experiments import stored_moments
from lis_online.experiments.known import Known
from lis_online.experiments.user_totals import TotalsTable, decode
from lis_online.history.annotations import annotations_between as annotations_between
from lis_online.history.counts import counts_between as counts_between
from lis_online.history.drift import drift_events as drift_events
from lis_online.history.experiment_tables import moments
from lis_online.history.experiment_tables import user_totals as totals
from lis_online.history.stored import LONGEST
from lis_online.history.tables import CONFIGURATION, configurations
from lis_online.history.times import LATEST, to_datetime, to_milliseconds

AT_ONCE: Final = 8
"""Rows of users' totals that are fetched together; one may have 700 kB."""


@dataclass(frozen=True, slots=True)
class UserBucket:
    """What users did on the impressions of [start, end), ms: the tables of every shard's parts, in order."""

    start: int
    end: int
    tables: list[TotalsTable]


def moments_at(connection: Connection, configuration: int, experiment: str, until: int | None) -> Known | None:
    """Return the newest moments as of a bucket that ended by `until`, ms; None where there are none."""
    arms = _arms(connection, configuration, experiment)
    if not arms:
        return None
    newest = select(func.max(moments.c.bucket_end)).where(
        *_of_arms(configuration, experiment, arms[:1]), *_within(None, until)
    )
    time = connection.execute(newest).scalar_one()
    return None if time is None else _at(connection, configuration, experiment, arms, [time])[0]


def moments_over_time(
    connection: Connection,
    configuration: int,
    experiment: str,
    start: int | None,
    end: int | None,
    most: int = 96,
) -> list[Known]:
    """Return moments as of at most `most` buckets that ended in (start, end], ms, oldest first.

    Evenly chosen by time: the first and the last, and between them the newest by each of equal steps.
    """
    arms = _arms(connection, configuration, experiment)
    if not arms:
        return []
    time = moments.c.bucket_end
    query = select(time).where(*_of_arms(configuration, experiment, arms[:1]), *_within(start, end)).order_by(time)
    chosen = evenly_in_time(list(connection.execute(query).scalars()), most)
    return _at(connection, configuration, experiment, arms, chosen)


def evenly_in_time(times: Sequence[datetime], most: int) -> list[datetime]:
    """Return at most `most`, at least 2, of some times in order: the first, the last, the newest by each equal step."""
    if len(times) <= most:
        return list(times)
    step = (times[-1] - times[0]) / (most - 1)
    places = {0, len(times) - 1, *(bisect_right(times, times[0] + k * step) - 1 for k in range(1, most - 1))}
    return [times[place] for place in sorted(places)]


def user_totals(
    connection: Connection, configuration: int, experiment: str, start: int, end: int
) -> Iterator[UserBucket]:
    """Yield the buckets that overlap [start, end), ms, in order of time; one at a time is in memory.

    Buckets share no impression, unless `history.rollup` was changed within the range.
    """
    column = totals.c
    query = select(column.bucket_start, column.bucket_end, column.data).where(
        column[CONFIGURATION] == configuration,
        column.experiment == experiment,
        column.bucket_start > to_datetime(max(0, start - 2 * LONGEST)),  # no bucket is longer: for the index
        column.bucket_start < to_datetime(min(end, LATEST)),
        column.bucket_end > to_datetime(start),
    )
    ordered = query.order_by(column.bucket_start, column.shard, column.part)
    rows = connection.execute(ordered, execution_options={"yield_per": AT_ONCE})
    for (begins, ends), parts in groupby(rows, key=lambda row: (row.bucket_start, row.bucket_end)):
        yield UserBucket(to_milliseconds(begins), to_milliseconds(ends), [decode(part.data) for part in parts])


def _arms(connection: Connection, configuration: int, experiment: str) -> list[str]:
    """Return the arms in the settings' order; none where the configuration has no such experiment."""
    stored = connection.execute(
        select(configurations.c.settings).where(configurations.c.id == configuration)
    ).scalar_one_or_none()
    declared = {} if stored is None else {one["name"]: one["arm"] for one in stored["experiment"]}
    return [arm["name"] for arm in declared.get(experiment, [])]


def _at(
    connection: Connection, configuration: int, experiment: str, arms: Sequence[str], times: Sequence[datetime]
) -> list[Known]:
    column = moments.c
    query = select(column.bucket_end, column.arm, column.data).where(
        *_of_arms(configuration, experiment, arms), column.bucket_end.in_(times)
    )
    rows = sorted(connection.execute(query), key=lambda row: (row.bucket_end, arms.index(row.arm)))
    return [_decoded(experiment, time, list(of)) for time, of in groupby(rows, key=lambda row: row.bucket_end)]


def _decoded(experiment: str, time: datetime, rows: Sequence[Any]) -> Known:
    found = {row.arm: stored_moments.decode(row.data, experiment, row.arm) for row in rows}
    columns = next(iter(found.values()))[0]
    return Known(to_milliseconds(time), columns, {arm: one for arm, (_, one) in found.items()})


def _of_arms(configuration: int, experiment: str, arms: Sequence[str]) -> list[ColumnElement[bool]]:
    column = moments.c
    return [column[CONFIGURATION] == configuration, column.experiment == experiment, column.arm.in_(arms)]


def _within(start: int | None, end: int | None) -> list[ColumnElement[bool]]:
    rules: list[ColumnElement[bool]] = []
    if start is not None:
        rules.append(moments.c.bucket_end > to_datetime(start))
    if end is not None:
        rules.append(moments.c.bucket_end <= to_datetime(min(end, LATEST)))
    return rules
