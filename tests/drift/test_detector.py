"""The contract of every detector, and the test that the library uses against its definition."""

from __future__ import annotations

import json

import numpy as np
import pytest

from lis_online.drift.detector import EXPECTED, MakeDetector, PageHinkley
from lis_online.drift.tuning import Tuning
from studies.drift_choice import _with
from studies.drift_detectors import DETECTORS, REPLAYED

THRESHOLD = {"page_hinkley": 14.0, "cusum": 14.0, "adwin": 6.0, "kswin": 4.0}
EVERY = pytest.mark.parametrize("name", DETECTORS)


def tuned(name: str) -> Tuning:
    """Return the tuning of a detector's test."""
    return _with(Tuning(), THRESHOLD[name])


def stepped(seed: int = 0, before: int = 150, after: int = 60) -> list[float]:
    """Return values around 0, then around 3."""
    rng = np.random.default_rng(seed)
    return [*rng.normal(size=before).tolist(), *(3 + rng.normal(size=after)).tolist()]


def found(make: MakeDetector, tuning: Tuning, values: list[float]) -> list[int]:
    """Return at which values a detector detects, reset after each."""
    detector, places = make(tuning), []
    for place, z in enumerate(values):
        detector.update(z)
        if detector.get():
            places.append(place)
            detector.reset()
    return places


@EVERY
def test_empty_detector_has_detected_nothing(name: str) -> None:
    """No data is no drift."""
    assert not DETECTORS[name](tuned(name)).get()


@EVERY
def test_one_value_is_never_a_change(name: str) -> None:
    """However far off: that is what the clip and the threshold are for."""
    assert found(DETECTORS[name], tuned(name), [4.0]) == []


@EVERY
def test_step_is_found_after_it_began_and_only_then(name: str) -> None:
    """A detector that never detects would pass all other tests here."""
    places = found(DETECTORS[name], tuned(name), stepped())
    assert places
    assert 150 < places[0] < 190


@EVERY
def test_same_values_give_the_same_detections(name: str) -> None:
    """A replay of the log must tell the same."""
    first, again = (found(DETECTORS[name], tuned(name), stepped(3)) for _ in range(2))
    assert first == again


@EVERY
def test_a_fall_is_found_as_soon_as_a_rise(name: str) -> None:
    """Drift has two sides."""
    down = [-z for z in stepped(1)]
    assert found(DETECTORS[name], tuned(name), down) == found(DETECTORS[name], tuned(name), stepped(1))


@EVERY
@pytest.mark.parametrize("cut", [0, 1, 100, 152])
def test_restored_detector_goes_on_as_if_nothing_had_been(name: str, cut: int) -> None:
    """Also from its state as JSON: plain numbers, never a pickle."""
    values, tuning = stepped(2), tuned(name)
    one, other = DETECTORS[name](tuning), DETECTORS[name](tuning)
    for z in values[:cut]:
        one.update(z)
    other.restore(json.loads(json.dumps(one.snapshot())))
    for z in values[cut:]:
        one.update(z)
        other.update(z)
        assert one.get() == other.get()
        assert one.snapshot() == other.snapshot()
        if one.get():
            return
    pytest.fail("nothing was detected, so nothing was compared")


@EVERY
def test_state_does_not_grow_without_end(name: str) -> None:
    """A detector runs for years."""
    detector = DETECTORS[name](tuned(name))
    for z in np.random.default_rng(0).normal(size=3 * REPLAYED).tolist():
        detector.update(0.1 * z)
    assert len(detector.snapshot()) <= REPLAYED


def slow_page_hinkley(values: list[float], slack: float, threshold: float) -> list[bool]:
    """Return Page-Hinkley by its definition: sums over everything seen, anew for every value (Page 1954)."""
    told, seen = [], [0.0] * EXPECTED
    for z in values:
        seen.append(z)
        means = np.cumsum(seen) / np.arange(1, len(seen) + 1)
        up = np.cumsum(np.array(seen) - means - slack)
        down = np.cumsum(np.array(seen) - means + slack)
        told.append(bool(up[-1] - up.min() > threshold or down.max() - down[-1] > threshold))
    return told


@pytest.mark.parametrize("seed", range(5))
def test_page_hinkley_detects_where_its_definition_does(seed: int) -> None:
    """River's recursion, its starting values and ours included, is the test that the literature has."""
    tuning = Tuning()
    values = stepped(seed, 80, 40)
    detector, told = PageHinkley(tuning), []
    for z in values:
        detector.update(z)
        told.append(detector.get())
        if detector.get():
            break
    slow = slow_page_hinkley(values[: len(told)], tuning.slack, tuning.threshold)
    assert told == slow
    assert told[-1]


def test_change_at_the_very_beginning_is_found() -> None:
    """A new version is off from its first bucket on: the running mean must not take that for normal."""
    assert found(PageHinkley, Tuning(), [2.0] * 20)
