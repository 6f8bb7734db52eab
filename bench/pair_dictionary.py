"""The pair sketches' question answered by Python's dictionaries: exact, and as one would write it by hand."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from math import log1p, sqrt

from lis_online.preference.leak import Leak
from lis_online.preference.lookup import SCALE, SMOOTHING

Event = tuple[int, int, int, int]
"""Time (ms), one item, the other, fold."""


class Counter:
    """Weights of keys: what all folds see, what of that is withheld from the key's own fold, the past alone."""

    def __init__(self) -> None:
        self.seen: dict[int, int] = defaultdict(int)
        self.own: dict[tuple[int, int], int] = defaultdict(int)
        self.past: dict[int, int] = defaultdict(int)

    def enter(self, key: int, fold: int) -> None:
        """A pair is within the horizon."""
        self.seen[key] += 1
        self.own[key, fold] += 1

    def move(self, key: int, fold: int) -> None:
        """A pair is past."""
        self.past[key] += 1
        self.own[key, fold] -= 1

    def forget(self, key: int) -> None:
        """A pair is older than the memory."""
        self.seen[key] -= 1
        self.past[key] -= 1


class PairDictionary:
    """One set of pairs of one source: events in time order, moved to a sample's time, and read there."""

    def __init__(self, leak: Leak) -> None:
        self.leak = leak
        self.pairs, self.items = Counter(), Counter()
        self._events: list[Event] = []
        self._entered = self._moved = self._forgotten = 0

    def update(self, events: Iterable[Event]) -> None:
        """Add pairs, in time order, none with a time already within the horizon."""
        self._events += events

    def advance(self, t: int) -> None:
        """Move to sample time t, ms."""
        events, leak = self._events, self.leak
        until = leak.future_end(t), leak.past_end(t), leak.past_start(t)
        while self._entered < len(events) and events[self._entered][0] < until[0]:
            _, a, b, fold = events[self._entered]
            self.pairs.enter(a + b, fold)
            self.items.enter(a, fold)
            self.items.enter(b, fold)
            self._entered += 1
        while self._moved < len(events) and events[self._moved][0] < until[1]:
            _, a, b, fold = events[self._moved]
            self.pairs.move(a + b, fold)
            self.items.move(a, fold)
            self.items.move(b, fold)
            self._moved += 1
        while self._forgotten < len(events) and events[self._forgotten][0] < until[2]:
            _, a, b, _ = events[self._forgotten]
            self.pairs.forget(a + b)
            self.items.forget(a)
            self.items.forget(b)
            self._forgotten += 1

    def leaked(self, items: list[int], history: list[int], fold: int) -> list[tuple[float, float, float]]:
        """Return the leaked features of a slate's candidates."""
        seen, own = self.items.seen, self.items.own
        totals = [seen.get(h, 0) - own.get((h, fold), 0) + SMOOTHING for h in history]
        seen, own, found = self.pairs.seen, self.pairs.own, []
        for item in items:
            of_item = self.items.seen.get(item, 0) - self.items.own.get((item, fold), 0) + SMOOTHING
            total, scaled, most = 0, 0.0, 0.0
            for h, of_history in zip(history, totals, strict=True):
                weight = seen.get(item + h)
                if weight and h != item and (weight := weight - own.get((item + h, fold), 0)):
                    total += weight
                    share = SCALE * weight / sqrt(of_history * of_item)
                    scaled += share
                    most = max(most, share)
            found.append((log1p(total), scaled, most))
        return found

    def preceding(self, items: list[int], history: list[int]) -> list[tuple[float, float, float]]:
        """Return the past features of a slate's candidates."""
        totals = [self.items.past.get(h, 0) + SMOOTHING for h in history]
        past, found = self.pairs.past, []
        for item in items:
            of_item = self.items.past.get(item, 0) + SMOOTHING
            total, scaled, most = 0, 0.0, 0.0
            for h, of_history in zip(history, totals, strict=True):
                weight = past.get(item + h)
                if weight and h != item:
                    total += weight
                    share = SCALE * weight / sqrt(of_history * of_item)
                    scaled += share
                    most = max(most, share)
            found.append((log1p(total), scaled, most))
        return found
