"""How many input records met which fate between two times."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Connection, Select, select

from lis_online.events.reasons import COUNTED, REFUSED
from lis_online.history import stored
from lis_online.history.experiment_tables import event_counts
from lis_online.history.stored import Group
from lis_online.history.tables import CONFIGURATION
from lis_online.history.times import LATEST, to_datetime

FATES: Final = (*COUNTED, *REFUSED)


def counts_between(
    connection: Connection, configuration: int, start: int | None, end: int | None
) -> dict[str, int] | None:
    """Return the records by fate as of the newest bucket that ended by `end`, less those by `start`, ms.

    start None: from the beginning; end None: until now. A fate that is not there was met by none. None where counts of
    that time are not kept: nothing was written by `end`; nothing is left from before `start`, though the pipeline
    ran; or it began anew in between, so that counts fell.
    """
    until = _as_of(connection, configuration, end)
    since = {} if start is None else _as_of(connection, configuration, start)
    if not until or not (since or start is None or _began_after(connection, configuration, start)):
        return None
    found = {fate: records - since.get(fate, 0) for fate, records in until.items()}
    return found if min(found.values()) >= 0 else None


def _as_of(connection: Connection, configuration: int, time: int | None) -> dict[str, int]:
    """Return the cumulative counts of the newest bucket that ended by a time: one probe of the index for each fate."""
    found = {fate: connection.execute(_newest(configuration, fate, time)).scalar_one_or_none() for fate in FATES}
    return {fate: records for fate, records in found.items() if records is not None}


def _newest(configuration: int, fate: str, time: int | None) -> Select[int]:
    column = event_counts.c
    query = select(column.records).where(column[CONFIGURATION] == configuration, column.fate == fate)
    if time is not None:
        query = query.where(column.bucket_end <= to_datetime(min(time, LATEST)))
    return query.order_by(column.bucket_end.desc()).limit(1)


def _began_after(connection: Connection, configuration: int, time: int) -> bool:
    """Whether the pipeline's first sample ever was at or after a time: counts were 0 then."""
    first = stored.first_sample(connection, Group(configuration))
    return first is not None and first >= time
