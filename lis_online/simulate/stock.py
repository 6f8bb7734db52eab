"""A shop's items: which projects they serve, in which role, how popular they are just now."""

from __future__ import annotations

import numpy as np

from lis_online.events.wire import ItemAttributes
from lis_online.simulate.catalogue import unit
from lis_online.simulate.shop_parameters import ShopParameters

HOUR = 3_600_000


class Stock:
    """A fixed number of items; a withdrawn one gives its slot to a new one.

    project: int [items, 2], the second -1 where there is none. weight: of each, float [items, 2].
    """

    def __init__(self, parameters: ShopParameters, rng: np.random.Generator, start: int) -> None:
        p, n = parameters, parameters.items
        self._p, self._rng = p, rng
        self.projects = p.projects
        self._born_so_far = 0
        self._codes = unit(rng.standard_normal((p.projects, p.content)))
        self.ids = [""] * n
        self.attributes = [ItemAttributes()] * n
        self.born, self.dies = np.zeros(n, np.int64), np.zeros(n, np.int64)
        self.project = np.zeros((n, 2), np.int64)
        self.weight = np.zeros((n, 2))
        self.role = np.zeros(n, np.int64)
        self.quality = np.zeros(n)
        self.content = np.zeros((n, p.content), np.float32)
        self.bursting = np.zeros(n, bool)
        self._burst_ends = np.zeros(n, np.int64)
        self._appeal = rng.permutation(np.arange(1, n + 1) ** -p.zipf)
        age = p.lifetime * rng.standard_exponential(n)  # of what dies at a constant rate: like the time that is left
        self._bear(np.arange(n), start - age.astype(np.int64), start)

    def update(self, now: int) -> np.ndarray:
        """Replace what is withdrawn before a time, begin and end bursts; return the slots of the new items."""
        p, rng = self._p, self._rng
        for slot in rng.integers(0, p.items, rng.poisson(p.bursts_per_hour * p.step / HOUR)).tolist():
            self._burst_ends[slot] = now + int(p.burst_length * rng.standard_exponential())
        self.bursting = self._burst_ends > now
        slots = np.flatnonzero(self.dies <= now)
        if len(slots):
            self._bear(slots, self.dies[slots].copy(), now)
        return slots

    def popularity(self, burst: float) -> np.ndarray:
        """Return how often each item is a candidate (or bought), times `burst` in a burst."""
        popularity: np.ndarray = self._appeal * np.where(self.bursting, burst, 1.0)
        return popularity

    def _bear(self, slots: np.ndarray, born: np.ndarray, now: int) -> None:
        n, p, rng = len(slots), self._p, self._rng
        self.born[slots] = born
        self.dies[slots] = now + 1 + (p.lifetime * rng.standard_exponential(n)).astype(np.int64)
        other = rng.integers(0, p.projects, (n, 2))
        other[(rng.random(n) >= p.second) | (other[:, 0] == other[:, 1]), 1] = -1
        both = (other[:, 1] >= 0)[:, None]
        self.project[slots] = other
        self.weight[slots] = np.where(both, [0.6, 0.4], [1.0, 0.0])
        self.role[slots] = rng.integers(0, p.roles, n)
        self.quality[slots] = p.quality * rng.standard_normal(n)
        self.content[slots] = unit(np.einsum("nk,nkd->nd", self.weight[slots], self._codes[other]))
        brand = rng.integers(0, p.authors, n)
        for k, slot in enumerate(slots.tolist()):
            self.ids[slot] = f"i{self._born_so_far + k}"
            self.attributes[slot] = ItemAttributes(f"a{brand[k]}", f"c{self.role[slot]}", int(born[k]))
        self._born_so_far += n
        self.shelves = Shelves(self)


class Shelves:
    """The items of each project: draws from one project at a time, by popularity."""

    def __init__(self, stock: Stock) -> None:
        project = stock.project.ravel()
        entries = np.argsort(project, kind="stable")
        entries = entries[np.searchsorted(project[entries], 0) :]  # those without a second project come first
        self._slot = entries // stock.project.shape[1]
        self._weight = stock.weight.ravel()[entries]
        # Of project k, and of one after the last: the entries from _first[k] to _first[k + 1].
        self._first = np.searchsorted(project[entries], np.arange(stock.projects + 1))

    def draw(self, project: np.ndarray, popularity: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Return an item of each project, any shape; any item at all of a project without items.

        popularity: of every slot.
        """
        first, last = self._first[project], self._first[project + 1]
        first, last = np.where(first < last, first, 0), np.where(first < last, last, len(self._slot))
        total = np.concatenate([[0.0], np.cumsum(popularity[self._slot] * self._weight)])
        at = total[first] + rng.random(project.shape) * (total[last] - total[first])
        slots: np.ndarray = self._slot[np.clip(np.searchsorted(total[1:], at, side="right"), first, last - 1)]
        return slots
