"""A history that is away for a while costs a backfill no more than that while."""

from __future__ import annotations

import pytest

from lis_online.backfill.patience import GIVE_UP_AFTER, LONGEST_WAIT, PatientWriter
from lis_online.errors import HistoryError
from lis_online.history.rows import CountRow, HistoryRow

ROWS: list[HistoryRow] = [CountRow(60_000, "accepted", 5, 0)]


class Flaky:
    """A history that fails so many times, with errors of one kind, and keeps what it then gets."""

    def __init__(self, failures: int, transient: bool = True) -> None:
        self.failures, self.transient = failures, transient
        self.kept: list[HistoryRow] = []
        self.slept: list[float] = []

    def write(self, rows: list[HistoryRow]) -> None:
        """Fail, or keep the rows."""
        if self.failures:
            self.failures -= 1
            raise HistoryError("history is away", transient=self.transient)
        self.kept += rows


def test_rows_are_written_when_the_history_is_back() -> None:
    """Once each; the waits double."""
    history = Flaky(failures=4)
    PatientWriter(history.write, history.slept.append).write(ROWS)
    assert history.kept == ROWS
    assert history.slept == [1, 2, 4, 8]


def test_an_error_that_does_not_pass_is_raised_at_once() -> None:
    """A wrong schema is mended by a person."""
    history = Flaky(failures=1, transient=False)
    with pytest.raises(HistoryError, match="history is away"):
        PatientWriter(history.write, history.slept.append).write(ROWS)
    assert history.slept == history.kept == []


def test_a_history_that_stays_away_is_given_up() -> None:
    """After ten minutes, and no wait is longer than half a minute."""
    history = Flaky(failures=10_000)
    with pytest.raises(HistoryError):
        PatientWriter(history.write, history.slept.append).write(ROWS)
    assert GIVE_UP_AFTER <= sum(history.slept) < GIVE_UP_AFTER + LONGEST_WAIT
    assert max(history.slept) == LONGEST_WAIT
