"""Reading a variant's numbers back: the right ones, in order, or a sentence that says why there are none."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from sqlalchemy import Connection, Engine

from lis_online.errors import UsageError
from lis_online.history.points import Number
from lis_online.history.queries import Selection, read, why_empty
from lis_online.history.rows import NUMBERS, DiagnosisRow, HistoryRow, NumberRow
from lis_online.history.writer import HistoryWriter
from lis_online.metrics.numbers import numbers
from lis_online.metrics.statistics import Statistics
from lis_online.metrics.windows import Window
from lis_online.settings import Settings
from lis_online.shards.publish_rows import view_rows
from tests.exporter.examples import two_versions
from tests.history.streams import LAYOUT

pytestmark = pytest.mark.postgres

AT = 1_573_516_800_000
MINUTE = 60_000
TABLE = {
    "preference": [{"name": "coclick"}, {"name": "cobuy"}],
    "variant": [
        {"name": "title", "preference": "coclick", "dimension": 4},
        {"name": "picture", "preference": "cobuy", "dimension": 4},
    ],
}


def rows_of_bucket(end: int, window: int = 900_000, of: str = "all") -> list[HistoryRow]:
    """Return rows of two sources and two variants whose values tell which they are."""
    subjects = [("unleaked", "", "auc", 0.7), ("source", "coclick", "adjusted_lis", 0.01)]
    subjects += [("source", "cobuy", "adjusted_lis", 0.02), ("variant", "title", "adjusted_ais", 0.005)]
    subjects += [("variant", "picture", "adjusted_ais", 0.006)]
    rows: list[HistoryRow] = [
        NumberRow(end, window, of, kind, subject, number, value, 0.001, value - 0.002, value + 0.002, None, 100, 1)
        for kind, subject, number, value in subjects
    ]
    missing = "LIS interval includes 0"
    rows.append(NumberRow(end, window, of, "variant", "title", "efficiency", None, None, None, None, missing, 100, 1))
    rows.append(NumberRow(end, window, of, "variant", "title", "coverage", 0.9, None, None, None, None, 120, 1))
    rows.append(DiagnosisRow(end, window, of, "title", "aligned", "Keep it.", 1))
    return rows


@pytest.fixture
def connection(history_engine: Engine) -> Iterator[Connection]:
    """Return a connection to a history of three buckets, two windows and two slices."""
    writer = HistoryWriter(history_engine, Settings.of(TABLE))
    for bucket in range(3):
        for window in (900_000, 0):
            for of in ("all", "surface:feed"):
                writer.write(rows_of_bucket(AT + bucket * MINUTE, window, of))
    with history_engine.connect() as connection:
        yield connection


def test_a_point_holds_the_variant_its_source_and_the_unleaked_ranker(connection: Connection) -> None:
    """Of other sources and variants there is nothing in it."""
    point = read(connection, Selection("title", window_ms=900_000))[0]
    assert (point.source, point.samples, point.diagnosis, point.sentence) == ("coclick", 120, "aligned", "Keep it.")
    assert point.source_numbers == {"adjusted_lis": Number(0.01, 0.001, 0.008, 0.012)}
    assert point.unleaked["auc"].value == 0.7
    assert point.variant_numbers["adjusted_ais"].value == 0.005
    assert point.variant_numbers["efficiency"] == Number(None, reason="LIS interval includes 0")
    assert read(connection, Selection("picture"))[0].source_numbers["adjusted_lis"].value == 0.02


def test_windows_that_end_after_from_and_at_or_before_to_are_read(connection: Connection) -> None:
    """Two ranges that meet share no window and miss none."""
    first = read(connection, Selection("title", AT - 1, AT + MINUTE))
    second = read(connection, Selection("title", AT + MINUTE, AT + 5 * MINUTE))
    assert [(p.time, p.window_ms) for p in first] == [(AT + b * MINUTE, w) for b in (0, 1) for w in (0, 900_000)]
    assert [(p.time, p.window_ms) for p in second] == [(AT + 2 * MINUTE, w) for w in (0, 900_000)]


def test_one_window_and_slice_are_read_where_asked_for(connection: Connection) -> None:
    """Slices never mix: their numbers do not add up."""
    points = read(connection, Selection("title", window_ms=0, slice="surface:feed"))
    assert {(p.window_ms, p.slice) for p in points} == {(0, "surface:feed")}
    assert len(points) == 3


def test_points_of_two_configurations_say_so(history_engine: Engine, connection: Connection) -> None:
    """Numbers that were made under other settings stay apart, and a variant may have changed its source."""
    changed = {**TABLE, "variant": [{"name": "title", "preference": "cobuy", "dimension": 4}]}
    HistoryWriter(history_engine, Settings.of(changed)).write(rows_of_bucket(AT))
    points = read(connection, Selection("title", end=AT, window_ms=900_000))
    assert [point.source for point in points] == ["coclick", "cobuy"]
    assert points[0].configuration < points[1].configuration


def test_versions_of_other_variants_whose_names_begin_alike_stay_apart(
    history_engine: Engine, connection: Connection
) -> None:
    """Rows of title@1 belong to title; of title.x and titles@1 they do not. A version's name may hold an @ too."""
    of_all = {**TABLE, "variant": [{**TABLE["variant"][0], "name": n} for n in ("title", "titles", "title.x")]}
    rows = [
        NumberRow(AT, 60_000, "all", "variant", subject, "ais", value, 0.1, 0, 1, None, 9, 1, version)
        for value, (subject, version) in enumerate(
            [("title", "2"), ("title@1", "1"), ("title@a@b%", "a@b%"), ("titles@1", "1"), ("title.x", "")]
        )
    ]
    HistoryWriter(history_engine, Settings.of(of_all)).write(rows)
    points = read(connection, Selection("title", window_ms=60_000))
    assert [(p.version, p.newest, p.variant_numbers["ais"].value) for p in points] == [
        ("1", False, 1), ("a@b%", False, 2), ("2", True, 0),
    ]  # fmt: skip


def test_no_window_in_the_range_says_what_there_is(connection: Connection) -> None:
    """An empty answer without a reason sends its reader to the logs."""
    selection = Selection("title", AT + 10 * MINUTE, slice="all")
    assert read(connection, selection) == []
    assert why_empty(connection, selection) == (
        "no number of variant 'title' in that range, window and slice; the history has "
        "2019-11-12T00:00:00Z to 2019-11-12T00:02:00Z, windows run, 15m, slices all, surface:feed"
    )


def test_an_unknown_variant_names_the_known(connection: Connection) -> None:
    """A misspelt name is not an empty range."""
    with pytest.raises(UsageError, match=r"--variant must be one of \['picture', 'title'\], got 'tilte'"):
        read(connection, Selection("tilte"))


def test_an_empty_history_is_no_error(history_engine: Engine) -> None:
    """The first numbers come after warm-up; until then a reader is told so."""
    with history_engine.connect() as connection:
        assert read(connection, Selection("title")) == []
        assert why_empty(connection, Selection("title")) == "the history has no number of variant 'title' yet"


def test_a_range_that_ends_before_it_begins_is_refused() -> None:
    """An empty answer would hide the mistake."""
    with pytest.raises(
        UsageError, match="--from must be before --to, got 2019-11-12T00:01:00Z and 2019-11-12T00:00:00Z"
    ):
        Selection("title", AT + MINUTE, AT)


def test_a_reader_names_every_number_that_is_published() -> None:
    """A number that is missing from the list would be in the table and in no answer."""
    found = numbers(Window(0, 0, Statistics(LAYOUT), []), LAYOUT)
    view = replace(two_versions(), windows={0: {"all": found["all"]}}, diagnoses={0: {"all": {}}})
    written: dict[str, set[str]] = {}
    for row in view_rows(view):
        if isinstance(row, NumberRow):
            written.setdefault(row.kind, set()).add(row.number)
    assert {kind: set(names) for kind, names in NUMBERS.items()} == written
