"""Writing into a history that may be away for a while."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

from lis_online.errors import HistoryError
from lis_online.history.rows import HistoryRow

FIRST_WAIT: Final = 1.0
LONGEST_WAIT: Final = 30.0
GIVE_UP_AFTER: Final = 600.0
"""Seconds. A restart of the database takes less; hours of reading are not lost for it."""


class PatientWriter:
    """A writer that tries again while the history is away. sleep: takes seconds."""

    def __init__(
        self, write: Callable[[list[HistoryRow]], None], sleep: Callable[[float], object] = time.sleep
    ) -> None:
        self._write = write
        self._sleep = sleep

    def write(self, rows: list[HistoryRow]) -> None:
        """Return once the rows are durable. Raises HistoryError where waiting cannot help, or no longer."""
        waited, wait = 0.0, FIRST_WAIT
        while True:
            try:
                return self._write(rows)
            except HistoryError as exc:
                if not exc.transient or waited >= GIVE_UP_AFTER:
                    raise
            self._sleep(wait)
            waited, wait = waited + wait, min(2 * wait, LONGEST_WAIT)
