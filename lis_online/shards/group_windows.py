"""One rank group's windows: rolling ones and the whole run, with the warm-up kept out."""

from __future__ import annotations

from typing import Any, Final

from lis_online.metrics.diagnosis import Diagnosis, diagnose
from lis_online.metrics.layout import Layout
from lis_online.metrics.numbers import numbers
from lis_online.metrics.results import SliceNumbers
from lis_online.metrics.statistics import Statistics
from lis_online.metrics.whole_run import WholeRun
from lis_online.metrics.windows import RollingWindow, Window
from lis_online.settings import Settings
from lis_online.shards.view import WHOLE_RUN

NOT_WARM: Final = "no samples after the warm-up"


class GroupWindows:
    """The windows of the settings and the whole run.

    LIS rises until the pair memory is full, so buckets of the warm-up are not in the whole run, and the
    rolling windows are emptied when the first bucket after it comes. Until then they show what there is, under the
    diagnosis that it is too early. rolling: whether to keep rolling windows at all.
    """

    def __init__(self, settings: Settings, layout: Layout, rolling: bool = True) -> None:
        self._settings, self._layout = settings, layout
        self._lengths = list(dict.fromkeys(settings.metrics.windows)) if rolling else []
        self._warm = False
        self._first: int | None = None
        self._whole = WholeRun(layout, settings.metrics.bucket)
        self._rolling = self._empty_windows()

    @property
    def warm(self) -> bool:
        """Whether a bucket after the warm-up has come."""
        return self._warm

    @property
    def warm_from(self) -> int | None:
        """When the warm-up ends, ms: a bucket that starts then or later counts. None before the first sample."""
        if self._first is None:
            return None
        warm_up, leakage = self._settings.metrics.warm_up, self._settings.leakage
        return self._first + (leakage.memory + leakage.horizon if warm_up == "auto" else int(warm_up))

    def update(self, start: int, first: int, statistics: Statistics, data: bytes) -> None:
        """Add a bucket. first: time of the group's first sample ever, ms; data: the statistics' bytes."""
        self._first = first
        warm = self.warm_from is not None and start >= self.warm_from
        if warm and not self._warm:
            self._warm, self._rolling = True, self._empty_windows()
        if warm:
            self._whole.update(start, statistics)
        if warm or not self._warm:
            for window in self._rolling:
                window.update(start, statistics, data)

    def get(self, end: int) -> dict[int, dict[str, SliceNumbers]]:
        """Return the numbers of each window that ends at `end`, by length and slice."""
        found = {window.length: self._numbers(window.get(end)) for window in self._rolling}
        return {**found, WHOLE_RUN: self.whole()}

    def whole(self) -> dict[str, SliceNumbers]:
        """Return the numbers of the whole run by slice."""
        return self._numbers(self.span() or Window(0, 0, Statistics(self._layout), []))

    def span(self) -> Window | None:
        """Return the whole run, None while nothing is in it."""
        return self._whole.get()

    def diagnoses(self, found: dict[str, SliceNumbers]) -> dict[str, dict[str, Diagnosis]]:
        """Return the diagnosis of each slice and variant of a window's numbers."""
        early = None if self._warm else self.warm_from
        return {
            name: {variant: diagnose(one, variant, self._settings.metrics, early) for variant in self._layout.variants}
            for name, one in found.items()
        }

    def snapshot(self) -> dict[str, Any]:
        """Return the state as msgpack-able data."""
        return {
            "warm": self._warm,
            "first": self._first,
            "whole": self._whole.snapshot(),
            "rolling": {str(window.length): window.snapshot() for window in self._rolling},
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Replace the state by that of `snapshot`. A window that was not kept there begins empty."""
        self._warm, self._first = state["warm"], state["first"]
        self._whole.restore(state["whole"])
        for window in self._rolling:
            window.restore(state["rolling"].get(str(window.length), []))

    def _numbers(self, window: Window) -> dict[str, SliceNumbers]:
        return numbers(window, self._layout, self._settings.metrics.metric, NOT_WARM)

    def _empty_windows(self) -> list[RollingWindow]:
        return [RollingWindow(self._layout, length, self._settings.metrics.bucket) for length in self._lengths]
