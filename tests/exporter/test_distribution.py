"""Histograms of durations, against numpy's."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lis_online.exporter.distribution import BOUNDS, NONE
from lis_online.exporter.exemplars import Mark, Origin

SECONDS = st.one_of(st.floats(0, 100), st.sampled_from(BOUNDS[:-1]))


@given(st.lists(SECONDS, max_size=30))
def test_a_bucket_counts_every_duration_at_most_as_long(seconds: list[float]) -> None:
    """Cumulative, the upper end included, as `le` says; counted anew for each bucket."""
    durations = NONE
    for one in seconds:
        durations = durations.plus(one)
    counted = [int(np.sum(np.asarray(seconds) <= bound)) for bound in BOUNDS]
    assert [count for _, count, _ in durations.cumulative()] == counted
    assert durations.count == len(seconds)
    assert durations.total == pytest.approx(math.fsum(seconds))


def test_a_bucket_keeps_its_own_last_mark() -> None:
    """A fast step after a slow one does not hide what was slow; one without a mark hides none."""
    slow, fast, last = (Mark(Origin("samples", 0, offset), 1.0, 0.0) for offset in (1, 2, 3))
    durations = NONE.plus(2.0, slow).plus(0.001, fast).plus(0.002, last).plus(2.1)
    assert {le: mark for le, _, mark in durations.cumulative() if mark} == {"0.005": last, "2.5": slow}


def test_an_exemplars_labels_fit_the_format() -> None:
    """OpenMetrics allows 128 characters of names and values."""
    labels = Mark(Origin("representations", 9_999, 2**63), 1.0, 0.0).labels
    assert sum(len(name) + len(value) for name, value in labels.items()) <= 128
