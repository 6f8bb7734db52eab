"""From a publish shard's view to rows, the database and back: what is read is what was published."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import Engine

from lis_online.history.points import Number
from lis_online.history.queries import Selection, read
from lis_online.history.writer import HistoryWriter
from lis_online.metrics.estimate import Estimate
from lis_online.settings import Settings
from lis_online.shards.publish_rows import view_rows
from tests.exporter.examples import example, two_versions

pytestmark = pytest.mark.postgres

SETTINGS = Settings.of({"variant": [{"name": "title", "preference": "coclick", "dimension": 4}]})


def as_number(estimate: Estimate) -> Number:
    """Return what the history keeps of an estimate."""
    number = Number(estimate.value, estimate.stderr, estimate.lower, estimate.upper, estimate.reason)
    noise = None if estimate.value is None else estimate.learning_noise
    return replace(number, samples_to_resolve=estimate.samples_to_resolve, learning_noise=noise)


def test_a_views_numbers_are_read_back_bit_for_bit(history_engine: Engine) -> None:
    """Numbers, empty ones with their reason, plain shares and the diagnosis; floats lose nothing."""
    view = example()
    view = replace(view, windows={900_000: view.windows[900_000]})
    HistoryWriter(history_engine, SETTINGS).write(view_rows(view))
    with history_engine.connect() as connection:
        [point] = read(connection, Selection("title", window_ms=900_000))
    numbers = view.windows[900_000]["all"]
    source, variant = numbers.sources["coclick"], numbers.variants["title"]
    assert (point.time, point.samples, point.diagnosis, point.sentence) == (view.end, 1_000, "aligned", "Keep it.")
    for name in ("lis", "past", "future", "placebo", "adjusted_lis", "bound"):
        assert point.source_numbers[name] == as_number(getattr(source, name))
    for name in ("ais", "adjusted_ais", "efficiency"):
        assert point.variant_numbers[name] == as_number(getattr(variant, name))
    assert point.variant_numbers["coverage"] == Number(0.9, learning_noise=False)
    assert point.variant_numbers["efficiency"].reason == "LIS interval includes 0"
    level = replace(numbers.unleaked["auc"], samples_to_resolve=None)
    assert point.unleaked["auc"] == as_number(level), "a level is not there to be told from 0"


def test_versions_are_read_back_each_with_its_own_numbers(history_engine: Engine) -> None:
    """Two points of one window, the older version's first; pairs are no samples."""
    view = two_versions()
    HistoryWriter(history_engine, SETTINGS).write(view_rows(view))
    with history_engine.connect() as connection:
        old, new = read(connection, Selection("title", window_ms=-1))
        whole = read(connection, Selection("title", window_ms=0))
    assert [(p.version, p.newest, p.samples, p.pairs) for p in (old, new)] == [
        ("1", False, 200, 500),
        ("2", True, 200, 500),
    ]
    overlap = view.windows[-1]["all"]
    assert old.variant_numbers["adjusted_ais"] == as_number(overlap.variants["title@1"].adjusted_ais)
    assert new.variant_numbers["adjusted_ais"] == as_number(overlap.variants["title"].adjusted_ais)
    assert old.source_numbers == new.source_numbers != {}
    share = replace(view.alignment[-1]["title@1"].share, samples_to_resolve=None)
    assert old.variant_numbers["pair_alignment"] == as_number(share)
    assert [(p.version, p.diagnosis) for p in whole] == [("1", "aligned"), ("2", "insufficient_data")]
    assert whole[1].variant_numbers["ais"] == Number(None, reason="version 2 began within the window")
