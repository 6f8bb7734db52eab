"""Which detector, at equal false alarms: each one's threshold is set on stable series, and its delay is measured."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from lis_online.drift.detector import MakeDetector
from lis_online.drift.monitor import Monitor
from lis_online.drift.reading import ADJUSTED_AIS
from lis_online.drift.tuning import DAY, HOUR, Tuning
from studies.drift_detectors import DETECTORS
from studies.drift_feed import Course, Feed

SHIFTS: Final = (1.0, 1.5, 2.0, 3.0, 5.0)
"""Sizes of a change, in standard errors of one bucket."""
ALLOWED: Final = 0.75
"""False alarms of all series together in a span of 30 days."""
THRESHOLDS: Final = {
    "page_hinkley": (8.0, 10.0, 12.0, 14.0, 17.0, 20.0, 24.0),
    "cusum": (8.0, 10.0, 12.0, 14.0, 17.0, 20.0, 24.0),
    "adwin": (5.0, 6.0, 8.0, 10.0, 12.0, 15.0),
    "kswin": (5.0, 5.5, 6.0),
}
"""Tried in order; of ADWIN and KSWIN negative decimal logarithms of their level. Two samples of 12 values cannot be
told apart at a level below 1e-6.1, so KSWIN has no stricter one."""
SPARSE: Final = 10
"""KSWIN is run on every tenth series: a value costs it 100 times as much."""
MISSED: Final = 336
"""Hours after which a change counts as missed."""


class Never:
    """A detector that only records."""

    name = "never"

    def __init__(self, _: Tuning) -> None:
        self.seen: list[float] = []

    def update(self, z: float) -> None:
        """Take the next value."""
        self.seen.append(z)

    def get(self) -> bool:
        """Return False."""
        return False

    def reset(self) -> None:
        """Forget everything."""
        self.seen = []

    def snapshot(self) -> list[Any]:
        """Return what was seen."""
        return list(self.seen)

    def restore(self, state: list[Any]) -> None:
        """Replace the state by that of `snapshot`."""
        self.seen = list(state)


def standard_series(samples: float, seed: int, tuning: Tuning) -> dict[str, list[np.ndarray]]:
    """Return the standardised values of each series of a stable span, by number."""
    made: list[Never] = []

    def make(tuned: Tuning) -> Never:
        made.append(Never(tuned))
        return made[-1]

    feed, monitor = Feed(samples), Monitor(tuning, make)
    count = (tuning.learning + 30 * DAY) // HOUR
    course = Course(feed, count, seed)
    for at in range(count):
        monitor.update(course.get(at))
    found: dict[str, list[np.ndarray]] = {}
    for reading, detector in zip(course.get(0), made, strict=True):
        found.setdefault(reading.series.number, []).append(np.array(detector.seen))
    return found


def compare(spans: Sequence[dict[str, list[np.ndarray]]], tuning: Tuning) -> list[dict[str, Any]]:
    """Return for each detector the first threshold with few enough false alarms, and its delays there."""
    stable = [z for span in spans for series in span.values() for z in series]
    moved = [z[-MISSED:] for span in spans for z in span[ADJUSTED_AIS]]
    return [_one(name, make, stable, moved, len(spans), tuning) for name, make in DETECTORS.items()]


def _one(
    name: str, make: MakeDetector, stable: list[np.ndarray], moved: list[np.ndarray], spans: int, tuning: Tuning
) -> dict[str, Any]:
    every = SPARSE if name == "kswin" else 1
    for threshold in THRESHOLDS[name]:
        tuned = _with(tuning, threshold)
        rate = sum(_alarms(make, tuned, z) for z in stable[::every]) * every / spans
        if rate <= ALLOWED:
            break
    delays = {
        shift: [_delay(make, tuned, np.clip(z + shift, -tuning.clip, tuning.clip)) for z in moved[::every]]
        for shift in SHIFTS
    }
    return {
        "detector": name,
        "threshold": threshold,
        "alarms": rate,
        "delays": {str(shift): _median(found) for shift, found in delays.items()},
    }


def _with(tuning: Tuning, threshold: float) -> Tuning:
    """Return a tuning of any threshold: those of a level are below the clip."""
    tuned = object.__new__(Tuning)
    for name in Tuning.__slots__:
        object.__setattr__(tuned, name, threshold if name == "threshold" else getattr(tuning, name))
    return tuned


def _alarms(make: MakeDetector, tuning: Tuning, series: np.ndarray) -> int:
    detector, found = make(tuning), 0
    for z in series.tolist():
        detector.update(z)
        if detector.get():
            found += 1
            detector.reset()
    return found


def _delay(make: MakeDetector, tuning: Tuning, series: np.ndarray) -> float:
    detector = make(tuning)
    for z in np.random.default_rng(0).normal(size=168).tolist():
        detector.update(z)
    if detector.get():
        detector.reset()
    for at, z in enumerate(series.tolist()):
        detector.update(z)
        if detector.get():
            return at + 1
    return math.inf


def _median(delays: list[float]) -> float | None:
    """Return the median, None where more than half never came."""
    found = float(np.median(delays))
    return found if math.isfinite(found) else None
