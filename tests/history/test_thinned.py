"""A variant's headline numbers along a long time: the stored ones, thinned evenly."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from sqlalchemy import Connection, Engine

from lis_online.history.configuration import configuration_id
from lis_online.history.queries import Selection, read
from lis_online.history.thinned import Series, headlines
from lis_online.history.writer import HistoryWriter
from lis_online.settings import Settings
from tests.history.test_queries import AT, MINUTE, TABLE, rows_of_bucket

pytestmark = pytest.mark.postgres

BUCKETS = 9
WINDOW = 900_000


@pytest.fixture
def connection(history_engine: Engine) -> Iterator[Connection]:
    """Return a connection to a history of nine buckets, two windows and two slices."""
    writer = HistoryWriter(history_engine, Settings.of(TABLE))
    for bucket in range(BUCKETS):
        for window in (WINDOW, 0):
            for of in ("all", "surface:feed"):
                writer.write(rows_of_bucket(AT + bucket * MINUTE, window, of))
    with history_engine.connect() as connection:
        yield connection


def series(connection: Connection) -> Series:
    """Return the series of title, over everything."""
    known = configuration_id(connection, Settings.of(TABLE))
    return Series(known, "title", "coclick", WINDOW, "surface:feed", AT - 1, AT + BUCKETS * MINUTE)


def test_they_are_the_stored_ones(connection: Connection) -> None:
    """Those that the reader of all numbers gives; what was not stored is None."""
    found = headlines(connection, series(connection), 100)
    points = read(connection, Selection("title", window_ms=WINDOW, slice="surface:feed"))
    assert [(one.time, one.adjusted_lis, one.adjusted_ais, one.diagnosis) for one in found] == [
        (p.time, p.source_numbers["adjusted_lis"], p.variant_numbers["adjusted_ais"], p.diagnosis) for p in points
    ]
    assert len(found) == BUCKETS
    other = replace(series(connection), variant="picture", source="cosave")
    assert {(one.adjusted_lis, one.diagnosis) for one in headlines(connection, other, 100)} == {(None, None)}


def test_few_of_many_are_evenly_chosen_with_the_ends(connection: Connection) -> None:
    """A year has more windows than a chart has places."""
    found = headlines(connection, series(connection), 3)
    assert [(one.time - AT) // MINUTE for one in found] == [0, 4, 8]


def test_the_range_leaves_its_begin_out_and_holds_its_end(connection: Connection) -> None:
    """Windows that end in (start, end], as everywhere; none where there is none."""
    within = replace(series(connection), start=AT, end=AT + 2 * MINUTE)
    assert [(one.time - AT) // MINUTE for one in headlines(connection, within, 100)] == [1, 2]
    assert headlines(connection, replace(within, variant="nobody"), 100) == []
