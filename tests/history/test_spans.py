"""Spans stand for the buckets in them exactly, or are not used."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from sqlalchemy import Engine, text

from lis_online.events.windows_log import SlotVersion
from lis_online.history import ranges, spans, stored
from lis_online.history.ranges import range_numbers
from lis_online.history.retention import Pruner
from lis_online.history.rows import BucketRow, SpanRow
from lis_online.history.stored import Group
from lis_online.metrics.statistics import Statistics
from lis_online.settings import Settings
from lis_online.shards.spans import Spans
from tests.history.streams import AT, FIRST, LAYOUT, MINUTE, TABLE, make_row, plain_state
from tests.history.test_ranges import uninterrupted, write

pytestmark = pytest.mark.postgres

BASE = AT // (256 * MINUTE) * 256 * MINUTE
BOTH = [SlotVersion("v", "1", 0, 0, newest=False), SlotVersion("v#2", "2", BASE, BASE, newest=True)]
UNDER = Settings.of({**TABLE, "metrics": {**TABLE["metrics"], "warm_up": "40m"}})  # type: ignore[dict-item]
"""Settings of which the 40 minutes from BASE on are the warm-up."""
MADE = {
    (seed, slots): make_row(BASE, seed, slots=slots, state=plain_state(BOTH if len(slots) > 1 else FIRST, first=BASE))
    for seed in range(3)
    for slots in ((0,), (0, 1))
}

DECODED = {row.data: Statistics.decode(LAYOUT, row.data) for row in MADE.values()}


def row_at(minute: int, *, revision: int | None = None, seed: int | None = None) -> BucketRow:
    """Return the row of a minute; from the 100th on two versions are measured."""
    made = MADE[minute % 3 if seed is None else seed, (0, 1) if minute >= 100 else (0,)]
    start = BASE + minute * MINUTE
    changes = {"bucket_start": start, "bucket_end": start + MINUTE}
    return replace(made, **changes, revision=minute if revision is None else revision)


def spans_of(rows: Iterable[BucketRow]) -> list[SpanRow]:
    """Return the spans that a publish shard makes of rows."""
    of_group = Spans(LAYOUT, MINUTE)
    made = [span for row in rows for span in of_group.update(row, DECODED[row.data])]
    return made + of_group.finish(0)


def at(engine: Engine, group: Group, first: int, last: int, *, blocks: bool = False) -> tuple[int, int]:
    """Return how many spans, and how many buckets, are read of the minutes [first, last), as of one block of time."""
    limits = BASE + first * MINUTE, BASE + last * MINUTE
    with engine.connect() as connection:
        pieces = stored.pieces(connection, group, *limits, MINUTE)
        whole = [spans.cover(pieces, spans.within(connection, group, *limits, MINUTE))]
        found = list(ranges.reads(connection, group, pieces, MINUTE)) if blocks else whole
    return sum(len(chosen) for chosen, _ in found), sum(len(rest) for _, rest in found)


@settings(max_examples=5, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(
    gaps=st.sets(st.tuples(st.integers(0, 560), st.integers(1, 40)), max_size=3),
    late=st.sets(st.integers(0, 560), max_size=5),
    again=st.sets(st.integers(0, 560), max_size=3),
    gone=st.sets(st.integers(0, 560), max_size=9),
    limits=st.lists(st.tuples(st.integers(-20, 580), st.integers(1, 600)), min_size=1, max_size=3),
)
def test_any_range_is_that_of_the_minutes_alone(
    history_engine: Engine,
    gaps: set[tuple[int, int]],
    late: set[int],
    again: set[int],
    gone: set[int],
    limits: Sequence[tuple[int, int]],
) -> None:
    """To the last bit: with gaps, a warm-up, two versions, buckets that came later, were rewritten, are not there."""
    with history_engine.begin() as connection:
        connection.execute(text("TRUNCATE configurations CASCADE"))
    missing = {minute for start, length in gaps for minute in range(start, start + length)}
    present = [minute for minute in range(561) if minute % 16 in (1, 6, 13) and minute not in missing]
    rows = [row_at(minute) for minute in present]
    group = write(history_engine, *rows, *spans_of(rows), under=UNDER)
    changed = [row_at(m) for m in late.difference(present)]
    changed += [row_at(present[k % len(present)], revision=999, seed=k % 3) for k in again if present]
    if changed:
        write(history_engine, *changed, under=UNDER)
    with history_engine.begin() as connection:
        starts = ", ".join(f"'{(BASE // 1000 + m * 60)}'" for m in gone) or "'-1'"
        connection.execute(text(f"DELETE FROM buckets WHERE extract(epoch FROM bucket_start)::text IN ({starts})"))
    asked = [(BASE + start * MINUTE + 7, BASE + (start + length) * MINUTE) for start, length in limits]
    with_spans = [range_numbers(history_engine, group, *one) for one in asked]
    with history_engine.begin() as connection:
        connection.execute(text("TRUNCATE spans"))
    assert with_spans == [range_numbers(history_engine, group, *one) for one in asked]


@pytest.fixture
def filled(history_engine: Engine) -> tuple[Engine, Group, list[BucketRow]]:
    """Return nine hours of minutes and their spans."""
    rows = [row_at(minute, seed=0) for minute in range(40, 580)]
    return history_engine, write(history_engine, *rows, *spans_of(rows), under=UNDER), rows


def test_a_long_range_reads_few_rows_and_is_an_uninterrupted_run(filled: tuple[Engine, Group, list[BucketRow]]) -> None:
    """Blocks of nine hours have 32 minutes: two spans of 16 each; at the edges one is of what there is."""
    engine, group, rows = filled
    assert at(engine, group, 40, 580, blocks=True) == (35, 0)
    assert at(engine, group, 41, 579, blocks=True) == (33, 7 + 3)
    found = range_numbers(engine, group, BASE, BASE + 580 * MINUTE)
    assert found.buckets == len(rows)
    assert found.slices == uninterrupted(rows, BOTH)


def test_a_block_of_256_buckets_is_one_row(history_engine: Engine) -> None:
    """Of ranges of four days and more; what is read then does not grow with the minutes."""
    rows = [row_at(minute, seed=0) for minute in range(100, 100 + 32 * 256)]
    group = write(history_engine, *rows[:: 8 * 16], *spans_of(rows[:: 8 * 16]), under=UNDER)
    assert at(history_engine, group, 0, 100 + 32 * 256, blocks=True) == (32, 0)


@pytest.mark.parametrize(
    ("statement", "read"),
    [
        ("", (2, 0)),
        ("DELETE FROM buckets WHERE bucket_start = {0}", (1, 15)),
        ("UPDATE buckets SET revision = revision + 1 WHERE bucket_start = {0}", (1, 16)),
        ("UPDATE buckets SET samples = samples + 1 WHERE bucket_start = {0}", (1, 16)),
        ("UPDATE buckets SET data = data || data WHERE bucket_start = {0}", (1, 16)),
        ("DELETE FROM spans WHERE bucket_start = {1}", (1, 16)),
    ],
)
def test_a_span_whose_buckets_are_not_those_there_now_is_not_used(
    filled: tuple[Engine, Group, list[BucketRow]], statement: str, read: tuple[int, int]
) -> None:
    """Missing, or written again: by its revision, its samples, its size."""
    engine, group, _ = filled
    times = [f"to_timestamp({BASE // 1000 + minute * 60})" for minute in (70, 64)]
    with engine.begin() as connection:
        connection.execute(text(statement.format(*times) or "SELECT 1"))
    assert at(engine, group, 64, 96) == read


def test_a_span_across_the_ranges_edge_or_the_warm_ups_end_is_not_used(
    filled: tuple[Engine, Group, list[BucketRow]],
) -> None:
    """Its other buckets are not asked for."""
    engine, group, _ = filled
    assert at(engine, group, 65, 96) == (1, 15)
    assert at(engine, group, 64, 95) == (1, 15)
    rows = [row_at(minute) for minute in range(32, 48)]
    write(engine, *rows, *spans_of(rows), under=UNDER)
    found = range_numbers(engine, group, BASE + 32 * MINUTE, BASE + 48 * MINUTE)
    assert (found.warm_up_buckets, found.slices) == (8, uninterrupted(rows[8:], FIRST))


def test_spans_go_with_the_buckets_that_are_rolled_up(filled: tuple[Engine, Group, list[BucketRow]]) -> None:
    """One that reaches into newer time goes too; the rest stay, and a range over both is as without them."""
    engine, group, _ = filled
    edge = BASE + 300 * MINUTE
    list(Pruner(engine, UNDER.history, edge + UNDER.history.keep_buckets).run())
    with engine.begin() as connection:
        query = "SELECT min(extract(epoch FROM bucket_start)), count(*) FROM spans"
        first, count = connection.execute(text(query)).one()
        assert (int(first) * 1000 - BASE, count) == (304 * MINUTE, 19)
    found = range_numbers(engine, group, BASE, BASE + 580 * MINUTE)
    with engine.begin() as connection:
        connection.execute(text("TRUNCATE spans"))
    assert range_numbers(engine, group, BASE, BASE + 580 * MINUTE) == found
