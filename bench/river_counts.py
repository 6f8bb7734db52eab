"""Decayed counts of items, read once a tick: numpy, a tick's items at a time."""

from __future__ import annotations

import numpy as np

from bench.river_join import Slate
from lis_online.rankers.counts import PRIOR_CLICKS, PRIOR_IMPRESSIONS


class Counts:
    """Impressions and clicks of each item at each half-life; samples see those before their tick.

    half_lives, tick: ms.
    """

    def __init__(self, half_lives: list[int], tick: int) -> None:
        self._half_lives = np.array(half_lives, np.float64)
        self._tick = tick
        self._row: dict[str, int] = {}
        self._values = np.zeros((1024, 2, len(half_lives)))  # decayed to the tick's beginning
        self._begin = 0
        self._slates: list[Slate] = []
        self._shown: list[tuple[int, int]] = []  # row, time
        self._clicked: list[tuple[int, int]] = []

    def show(self, slate: Slate) -> None:
        """Count an impression, and note its slate; in order of time, with `click`."""
        now = slate.event.ts
        self.advance(now)
        self._slates.append(slate)
        row = self._row
        for item in slate.event.items:
            self._shown.append((row.setdefault(item, len(row)), now))

    def click(self, item: str, now: int) -> None:
        """Count a click."""
        self.advance(now)
        self._clicked.append((self._row.setdefault(item, len(self._row)), now))

    def advance(self, now: int) -> None:
        """End the tick if `now` is after it: give its slates their features, then count what was in it."""
        if now < self._begin + self._tick:
            return
        while len(self._values) < len(self._row):
            self._values = np.concatenate([self._values, np.zeros_like(self._values)])
        shown, clicked = np.array(self._shown, np.int64), np.array(self._clicked, np.int64)
        if len(shown):
            features, at = self._read(shown[:, 0]).tolist(), 0
            for slate in self._slates:
                slate.counts = features[at : at + len(slate.labels)]
                at += len(slate.labels)
        begin = now // self._tick * self._tick
        self._values *= np.exp2(-(begin - self._begin) / self._half_lives)
        for kind, events in enumerate((shown, clicked)):
            if len(events):
                weight = np.exp2((events[:, 1:] - begin) / self._half_lives)
                np.add.at(self._values, (events[:, 0], kind), weight)
        self._begin, self._slates, self._shown, self._clicked = begin, [], [], []

    def _read(self, rows: np.ndarray) -> np.ndarray:
        impressions, clicks = self._values[rows].swapaxes(0, 1)
        rate = np.log((clicks + PRIOR_CLICKS) / (impressions + PRIOR_IMPRESSIONS) * (PRIOR_IMPRESSIONS / PRIOR_CLICKS))
        return np.concatenate([np.log1p(impressions) / 4, np.log1p(clicks) / 2, rate], axis=1)
