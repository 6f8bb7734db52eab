"""One series over time: its reference, its detector, and what happened since it left its level.

Learning, until a reference spans a week; watching; held, from a detection until the series is back (recovered) or has
been away long enough to learn a reference of its new level (settled). Nothing is detected while it is held, so that one
change is one signal.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np

from lis_online.drift.detector import MakeDetector
from lis_online.drift.reading import Reading, Series
from lis_online.drift.reference import TIME, Reference, fit
from lis_online.drift.rows import Rows
from lis_online.drift.tuning import DAY, Tuning
from lis_online.metrics.estimate import Estimate

BACK: Final = 8.0
"""Recovery is looked for over so many buckets that the change is that many standard errors of their mean."""
FEWEST_BACK: Final = 4
MOST_BACK: Final = 48
"""Buckets that recovery is looked for over, at least and at most."""
LEFT: Final = 1 / 3
"""Share of the change that may be left in a number that is back."""

ONSET: Final = 4 * DAY
"""How far back a change may have begun when it is detected, ms."""

Status = Literal["learning", "watching", "held"]


@dataclass(frozen=True, slots=True)
class Shift:
    """A series since a time, against what was expected of it there. score: standard errors, 0 without data."""

    before: Estimate
    after: Estimate
    score: float


@dataclass(frozen=True, slots=True)
class Signal:
    """A series has left its reference: since about `onset`, ms since 1970.

    versions: the version that the reference is of and that of the vectors now, where the latter began within the time
    that a reference needs; else None.
    """

    series: Series
    onset: int
    shift: Shift
    versions: tuple[str, str] | None


@dataclass(slots=True)
class _Held:
    """From a signal on. step: the change, in the number's unit; back: buckets over which a recovery is looked for."""

    onset: int
    detected: int
    step: float
    back: int


class Tracker:
    """The state of one series: bounded, and a function of its readings alone.

    update: takes the reading of the next bucket, one without a number changes nothing. What it brought: `signal`, the
    series has left its level; `ended`, the change since an onset is over, (onset, since when), ms.
    """

    def __init__(self, series: Series, tuning: Tuning, make: MakeDetector) -> None:
        self.series, self.source, self.version = series, "", ""
        self.signal: Signal | None = None
        self.ended: tuple[int, int] | None = None
        self._tuning, self._detector, self._rows = tuning, make(tuning), Rows(tuning.kept)
        self._reference: Reference | None = None
        self._fitted = self._watched = 0
        self._earlier, self._began = "", -1
        self._held: _Held | None = None

    @property
    def status(self) -> Status:
        """What the series is doing."""
        if self._held is not None:
            return "held"
        return "learning" if self._reference is None else "watching"

    def update(self, reading: Reading) -> None:
        """Take a reading; its time is later than that of all before."""
        self.signal = self.ended = None
        if reading.parts is None:
            return
        self._begin(reading)
        self._refit(reading.time)
        self._rows.update(reading.time, reading.parts)
        if self._held is not None:
            self._hold(self._held, reading.time)
        elif self._reference is not None:
            self._watch(self._reference, reading.time)

    def shift(self, since: int) -> Shift | None:
        """Return how a series differs since a time from its reference; None while it has none, or nothing since."""
        rows = self._rows.since(since)
        if self._reference is None or not len(rows):
            return None
        return _shift(self._reference, rows)

    def snapshot(self) -> list[Any]:
        """Return the state as plain data."""
        held, reference = self._held, self._reference
        return [
            [self.source, self.version, self._earlier, self._began, self._fitted, self._watched],
            self._rows.snapshot(),
            None if reference is None else reference.snapshot(),
            None if held is None else [held.onset, held.detected, held.step, held.back],
            self._detector.snapshot(),
        ]

    def restore(self, state: list[Any]) -> None:
        """Replace the state by that of `snapshot`."""
        plain, rows, reference, held, detector = state
        self.source, self.version, self._earlier, self._began, self._fitted, self._watched = plain
        self._rows.restore(rows)
        self._reference = None if reference is None else Reference.restore(reference)
        self._held = None if held is None else _Held(*held)
        self._detector.restore(detector)
        self.signal = self.ended = None

    def _begin(self, reading: Reading) -> None:
        """Take note of a new version: what it is compared with is the version before."""
        self.source = reading.source or self.source
        if reading.version == self.version:
            return
        if len(self._rows):
            self._earlier, self._began = self.version, reading.time
            if self._held is not None:
                self._recover(self._held, reading.time)
            self._restart(reading.time)
        self.version = reading.version

    def _refit(self, time: int) -> None:
        """Renew the reference at the first reading of a day, from what is older than the gap."""
        first = self._reference is None
        if self._held is not None or (not first and time // DAY == self._fitted // DAY):
            return
        rows = self._rows.since(time - self._tuning.window - self._tuning.gap)
        rows = rows if first else rows[rows[:, TIME] < time - self._tuning.gap]
        if len(rows) < self._tuning.least or time - rows[0, TIME] < self._tuning.learning:
            return
        self._reference, self._fitted = fit(rows, self._tuning.bucket, self._tuning.learning) or self._reference, time
        if first:
            self._restart(time)

    def _watch(self, reference: Reference, time: int) -> None:
        clip = self._tuning.clip
        z = float(reference.standardise(self._rows.get()[-1:])[0])
        self._detector.update(min(max(z, -clip), clip))
        if not self._detector.get():
            return
        rows = self._rows.since(max(self._watched, time - ONSET))
        onset = int(rows[_first_off(np.clip(reference.standardise(rows), -clip, clip)), TIME])
        shift = _shift(reference, self._rows.since(onset))
        recent = self._began >= 0 and time - self._began < self._tuning.learning
        self.signal = Signal(self.series, onset, shift, (self._earlier, self.version) if recent else None)
        assert shift.after.value is not None and shift.before.value is not None
        each = abs(shift.score) / math.sqrt(len(self._rows.since(onset)))
        back = min(math.ceil((BACK / max(each, BACK / MOST_BACK)) ** 2), MOST_BACK)
        step = shift.after.value - shift.before.value
        self._held = _Held(onset, time, step, max(back, FEWEST_BACK))

    def _hold(self, held: _Held, time: int) -> None:
        assert self._reference is not None
        rows = self._rows.since(held.detected + 1)
        if len(rows) >= held.back:
            newest = rows[-held.back :]
            if abs(_step(self._reference, newest)) < abs(held.step) * LEFT:
                self._recover(held, int(newest[0, TIME]))
                self._restart(time)
                return
        if time - held.detected >= self._tuning.learning:
            self._settle(held, time)

    def _recover(self, held: _Held, until: int) -> None:
        self.ended, self._held = (held.onset, until), None
        self._rows.drop(held.onset, until)

    def _settle(self, held: _Held, time: int) -> None:
        """Make the new level the reference: nothing of before the change is in it, cycles neither."""
        self._rows.drop(0, held.detected + 1)
        self._held = self._reference = None
        self._refit(time)
        self._restart(time)

    def _restart(self, time: int) -> None:
        self._detector.reset()
        self._watched = time


def _first_off(z: np.ndarray) -> int:
    """Return where standardised values most likely left 0 for another mean, index of the first of them.

    The most likely point of a change of the mean from 0 (Hinkley 1970): the largest squared sum over its length.
    """
    sums = np.cumsum(z[::-1])[::-1]
    return int(np.argmax(sums * sums / np.arange(len(z), 0, -1)))


def _shift(reference: Reference, rows: np.ndarray) -> Shift:
    value, expected, variance = reference.get(rows)
    weight = 1 / variance
    total = float(weight.sum())
    before, after = float(weight @ expected) / total, float(weight @ value) / total
    doubt = float(reference.doubt.mean())
    own = reference.inflation**2 / total
    return Shift(Estimate.of(before, doubt), Estimate.of(after, own), (after - before) / math.sqrt(own + doubt))


def _step(reference: Reference, rows: np.ndarray) -> float:
    """Return by how much rows differ from what was expected of them."""
    value, expected, variance = reference.get(rows)
    return float(((value - expected) / variance).sum() / (1 / variance).sum())
