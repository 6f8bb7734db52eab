"""Spans: sums of the buckets in aligned stretches, by a dictionary's account of them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from lis_online.history.rows import BucketRow, Member, SpanRow, members_digest
from lis_online.metrics.statistics import Statistics
from lis_online.shards.spans import Spans
from lis_online.snapshots.steps import at_once
from tests.history.streams import AT, LAYOUT, MINUTE, make_bucket, make_row

BASE = AT // (256 * MINUTE) * 256 * MINUTE
"""A multiple of both lengths of spans."""


def run(rows: Sequence[BucketRow], spans: Spans) -> list[SpanRow]:
    """Return the spans of rows."""
    return [span for row in rows for span in spans.update(row, Statistics.decode(LAYOUT, row.data))]


def rows_at(minutes: Sequence[int]) -> list[BucketRow]:
    """Return a row for each minute; every fifth in two slots."""
    slots = ((0, 1), (0,), (0,), (0,), (0,))
    return [make_row(BASE + k * MINUTE, k % 3, slots=slots[k % 5], revision=n) for n, k in enumerate(minutes)]


def expected(rows: Sequence[BucketRow], level: int, below: int) -> dict[int, list[BucketRow]]:
    """Return by start the buckets of each stretch with buckets in at least two stretches of the level below."""
    found: dict[int, list[BucketRow]] = {}
    for row in rows:
        length = level * MINUTE
        found.setdefault(row.bucket_start // length * length, []).append(row)
    return {start: of for start, of in found.items() if len({r.bucket_start // (below * MINUTE) for r in of}) > 1}


@settings(max_examples=10)
@given(st.sets(st.integers(0, 600), max_size=60).map(sorted), st.integers(0, 60))
def test_every_stretch_of_several_buckets_is_summed_once(minutes: list[int], cut: int) -> None:
    """Whatever is missing, and wherever the state is saved and restored; the sum and the members are the buckets'."""
    rows = rows_at(minutes)
    first = Spans(LAYOUT, MINUTE)
    made = run(rows[:cut], first)
    second = Spans(LAYOUT, MINUTE)
    second.restore(at_once(first.copying()))
    made += run(rows[cut:], second) + second.finish(0)
    for level, below in ((16, 1), (256, 16)):
        wanted = expected(rows, level, below)
        found = {span.bucket_start: span for span in made if span.level == level}
        assert sorted(found) == sorted(wanted)
        for start, of in wanted.items():
            members = [Member(r.bucket_start, r.bucket_end, r.revision, r.samples, len(r.data)) for r in of]
            assert found[start].members == members_digest(members)
            assert (found[start].bucket_end, found[start].revision) == (of[-1].bucket_end, of[-1].revision)
            total = Statistics.sum_of(LAYOUT, [row.data for row in of])
            assert found[start].samples == total.samples
            for mine, other in zip(
                Statistics.decode(LAYOUT, found[start].data).arrays().values(), total.arrays().values(), strict=True
            ):
                np.testing.assert_array_equal(mine, other)
    assert len(made) == len({(span.level, span.bucket_start) for span in made})


def test_a_span_comes_with_the_first_bucket_after_it() -> None:
    """Not before: a bucket could come yet."""
    spans, rows = Spans(LAYOUT, MINUTE), rows_at(range(34))
    assert [len(run([row], spans)) for row in rows] == [int(k in (16, 32)) for k in range(34)]
    assert [span.level for span in spans.finish(0)] == [16, 256]
    assert spans.finish(0) == []


def test_a_slot_that_holds_nothing_takes_no_room() -> None:
    """Bytes of a variant's second slot are there only where a second version was."""
    rows = [make_row(BASE + k * MINUTE, k) for k in range(2)]
    spans = Spans(LAYOUT, MINUTE)
    run(rows, spans)
    [span] = spans.finish(0)
    plain = make_bucket(0)
    plain.merge(make_bucket(1))
    assert span.data == plain.encode()


def test_the_state_is_two_sums_however_long_the_run() -> None:
    """Bounded: what is saved after a day of minutes is no more than after some hours."""
    spans, row, statistics = Spans(LAYOUT, MINUTE), make_row(BASE, 0), Statistics.decode(LAYOUT, make_row(BASE, 0).data)
    sizes = []
    for minute in range(2 * 256 + 250):
        start = BASE + minute * MINUTE
        spans.update(replace(row, bucket_start=start, bucket_end=start + MINUTE), statistics)
        if minute % 256 == 249:
            state = at_once(spans.copying())
            sizes.append((len(state), sum(len(one[3]) for one in state)))
    assert sizes == [(2, 250)] * 3
