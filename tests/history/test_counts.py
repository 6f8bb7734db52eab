"""Counts between two times are differences of cumulative ones, or nothing."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine

from lis_online.history.configuration import configuration_id
from lis_online.history.counts import counts_between
from lis_online.history.rows import CountRow
from lis_online.history.writer import HistoryWriter
from tests.history.streams import AT, MINUTE, SETTINGS, make_row, plain_state

pytestmark = pytest.mark.postgres


def fill(engine: Engine, *rows: tuple[int, str, int]) -> int:
    """Write cumulative counts at the ends of minutes; return their configuration."""
    HistoryWriter(engine, SETTINGS).write(CountRow(AT + k * MINUTE, fate, count, 1) for k, fate, count in rows)
    with engine.begin() as connection:
        return configuration_id(connection, SETTINGS)


def between(engine: Engine, configuration: int, start: int | None, end: int | None) -> dict[str, int] | None:
    """Return the counts between two minutes."""
    limits = (None if limit is None else AT + limit * MINUTE for limit in (start, end))
    with engine.connect() as connection:
        return counts_between(connection, configuration, *limits)


def test_records_are_those_since_the_bucket_that_ended_by_the_start(history_engine: Engine) -> None:
    """A fate that came later counts from 0; a bucket without records changes nothing."""
    rows = [(1, "accepted", 10), (2, "accepted", 15), (2, "duplicate", 1), (5, "accepted", 40), (5, "duplicate", 1)]
    rows.append((5, "malformed", 3))
    found = fill(history_engine, *rows)
    assert between(history_engine, found, None, None) == {"accepted": 40, "duplicate": 1, "malformed": 3}
    assert between(history_engine, found, None, 4) == {"accepted": 15, "duplicate": 1}
    assert between(history_engine, found, 1, 3) == {"accepted": 5, "duplicate": 1}
    assert between(history_engine, found, 3, 5) == {"accepted": 25, "duplicate": 0, "malformed": 3}


def test_counts_whose_beginning_is_not_kept_are_none(history_engine: Engine) -> None:
    """The first row that is left holds all that came before it too."""
    found = fill(history_engine, (5, "accepted", 40), (6, "accepted", 50))
    assert between(history_engine, found, 2, 6) is None
    assert between(history_engine, found, 5, 6) == {"accepted": 10}
    assert between(history_engine, found, None, 2) is None


def test_a_start_before_the_first_sample_ever_is_the_beginning(history_engine: Engine) -> None:
    """Nothing is missing there: the pipeline was not running."""
    found = fill(history_engine, (5, "accepted", 40))
    HistoryWriter(history_engine, SETTINGS).write(
        [make_row(AT + 4 * MINUTE, 1, state=plain_state(first=AT + 4 * MINUTE))]
    )
    assert between(history_engine, found, 4, 5) == {"accepted": 40}
    assert between(history_engine, found, 0, None) == {"accepted": 40}
    HistoryWriter(history_engine, SETTINGS).write([make_row(AT + 5 * MINUTE, 1, state=plain_state(first=AT))])
    assert between(history_engine, found, 4, 5) is None


def test_counts_that_fell_are_none(history_engine: Engine) -> None:
    """The pipeline began anew in between."""
    found = fill(history_engine, (1, "accepted", 40), (2, "accepted", 3))
    assert between(history_engine, found, 1, 2) is None
