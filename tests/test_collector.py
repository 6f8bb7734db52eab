"""Work during which garbage is looked for seldom, or not at all."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from lis_online.collector import THRESHOLDS, collecting_seldom, without_collector


@pytest.fixture(autouse=True)
def as_it_was() -> Iterator[None]:
    """Leave the collector as other tests expect it."""
    was_on = gc.isenabled()
    yield
    (gc.enable if was_on else gc.disable)()


@pytest.mark.parametrize("on", [True, False])
def test_the_collector_is_off_and_then_as_it_was(on: bool) -> None:
    """Whoever turned it off for good does not find it on."""
    (gc.enable if on else gc.disable)()
    with without_collector():
        assert not gc.isenabled()
    assert gc.isenabled() is on


def test_the_collector_is_on_again_after_an_error() -> None:
    """A damaged checkpoint must not leave a worker without it."""
    gc.enable()
    with pytest.raises(ValueError, match="damaged"), without_collector():
        raise ValueError("damaged")
    assert gc.isenabled()


def test_what_is_there_is_passed_over_for_as_long_as_it_lasts() -> None:
    """A process that goes on, a test's, has the collector that it had."""
    before = gc.get_threshold()
    with pytest.raises(ValueError, match="an end"), collecting_seldom():
        assert gc.get_threshold() == THRESHOLDS
        assert gc.get_freeze_count() > 10_000
        raise ValueError("an end")
    assert gc.get_threshold() == before
    assert gc.get_freeze_count() == 0


def test_cycles_that_a_worker_makes_are_collected() -> None:
    """Outages leave tracebacks in cycles: a collector that were off would keep them for ever."""
    with collecting_seldom():
        collected = gc.get_stats()[0]["collected"]
        for _ in range(THRESHOLDS[0]):
            cycle: list[object] = []
            cycle.append(cycle)
        assert gc.get_stats()[0]["collected"] > collected
