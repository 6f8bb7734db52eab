"""What answering may cost: ranges at once, and the length of one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import BoundedSemaphore
from typing import TYPE_CHECKING, Final

from lis_online.api.errors import BusyError
from lis_online.errors import UsageError
from lis_online.history.engine import transaction
from lis_online.history.ranges import rows_read
from lis_online.history.stored import Group
from lis_online.history.stored_settings import settings_of

if TYPE_CHECKING:
    from sqlalchemy import Engine

MOST_AT_ONCE: Final = 4
"""Ranges that are added up at once: each keeps a core busy and a connection open, for up to a minute."""
CONNECTIONS: Final = 2 * MOST_AT_ONCE
"""To the history: the short questions have their own beside those of the ranges."""
MOST_ROWS: Final = 4_000
"""Rows of statistics that a range is read from, 6 to 30 ms each: six weeks of quarters of an hour; weeks of minutes are
read from their sums and have a hundred."""


class Slots:
    """The places of those that are answered at once."""

    def __init__(self, most: int = MOST_AT_ONCE) -> None:
        self._most = most
        self._free = BoundedSemaphore(most)

    @contextmanager
    def taken(self) -> Iterator[None]:
        """Hold a place for the body. Raises BusyError where none is free: nobody waits in a line."""
        if not self._free.acquire(blocking=False):
            raise BusyError(f"{self._most} ranges are being added up already, which is the most at once: ask again")
        try:
            yield
        finally:
            self._free.release()


def check_length(engine: Engine, configuration: int, start: int, end: int, most: int = MOST_ROWS) -> None:
    """Refuse a range that is read from too many rows, before any is. Raises UsageError."""
    if not start < end:
        return  # whoever reads the range says so
    with transaction(engine) as connection:
        bucket = settings_of(connection, configuration).metrics.bucket
        found = rows_read(connection, Group(configuration), start, end, bucket)
    if found > most:
        raise UsageError(
            f"a range must be read from at most {most:,} rows of statistics, got {found:,}: ask for a shorter one"
        )
