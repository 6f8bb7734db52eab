from __future__ import annotations

import gc

import pytest

from streams.collecting import THRESHOLDS, seldom


def test_what_is_there_is_passed_over_for_as_long_as_it_lasts() -> None:
    """A process that goes on, a test's, has the collector that it had."""
    before = gc.get_threshold()
    with pytest.raises(ValueError, match="an end"), seldom():
        assert gc.get_threshold() == THRESHOLDS
        assert gc.get_freeze_count() > 10_000
        raise ValueError("an end")
    assert gc.get_threshold() == before
    assert gc.get_freeze_count() == 0


def test_cycles_that_a_worker_makes_are_collected() -> None:
    """Outages leave tracebacks in cycles: a collector that were off would keep them for ever."""
    with seldom():
        collected = gc.get_stats()[0]["collected"]
        for _ in range(THRESHOLDS[0]):
            cycle: list[object] = []
            cycle.append(cycle)
        assert gc.get_stats()[0]["collected"] > collected
