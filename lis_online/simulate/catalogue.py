"""Items: what they are about, how popular they are, when they live."""

from __future__ import annotations

import numpy as np

from lis_online.events.wire import ItemAttributes
from lis_online.simulate.parameters import WorldParameters

WHEEL = 16_384
"""Cells of the wheel that draws items by popularity: 14 for each of 1,200 items."""


def unit(vectors: np.ndarray) -> np.ndarray:
    """Return the vectors scaled to length 1, over the last axis."""
    scaled: np.ndarray = vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)
    return scaled


def gumbel(shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
    """Return Gumbel noise: the largest of logits plus it is a draw by their softmax, the k largest k draws."""
    noise: np.ndarray = -np.log(rng.standard_exponential(shape, np.float32) + np.float32(1e-30))
    return noise


class Catalogue:
    """A fixed number of live items; where one dies, another is born into its slot.

    Arrays are indexed by slot, so memory does not grow with time.
    """

    def __init__(self, parameters: WorldParameters, topics: np.ndarray, rng: np.random.Generator, start: int) -> None:
        n = parameters.items
        self._p, self._topics, self._rng = parameters, topics, rng
        self._born_so_far = 0
        self.born = np.zeros(n, np.int64)
        self.dies = np.zeros(n, np.int64)
        self.content = np.zeros((n, parameters.content), np.float32)
        self.quality = np.zeros(n, np.float32)
        self._appeal = np.zeros(n)
        self.ids = [""] * n
        self.attributes = [ItemAttributes()] * n
        # A life seen at a random moment is a long one: lengths biased by length, ages uniform in it.
        life = self._lifetimes(n, bias=parameters.lifetime_spread**2)
        self._bear(np.arange(n), start - (life * rng.random(n)).astype(np.int64), life)

    def update(self, now: int) -> np.ndarray:
        """Replace the items that died before a time; return their slots."""
        slots = np.flatnonzero(self.dies <= now)
        self._bear(slots, self.dies[slots].copy(), self._lifetimes(len(slots)))
        return slots

    def popularity(self, now: int) -> np.ndarray:
        """Return how likely each item is to be looked at: rising at first, then decaying, never 0."""
        peak = np.maximum(0.15 * (self.dies - self.born), 1.0)
        age = np.maximum(now - self.born, 0) / peak + 0.2
        popularity: np.ndarray = self._appeal * (0.15 + age * np.exp(1 - age))
        return popularity

    def wheel(self, now: int) -> np.ndarray:
        """Return slots, each as often as its item is popular: a uniform draw of a cell draws by popularity."""
        edges = np.cumsum(self.popularity(now))
        slots: np.ndarray = np.searchsorted(edges, edges[-1] * (np.arange(WHEEL) + 0.5) / WHEEL).astype(np.int32)
        return slots

    def _lifetimes(self, n: int, bias: float = 0.0) -> np.ndarray:
        p = self._p
        life: np.ndarray = p.lifetime * np.exp(p.lifetime_spread * self._rng.standard_normal(n) + bias)
        return life

    def _bear(self, slots: np.ndarray, born: np.ndarray, life: np.ndarray) -> None:
        n, p, rng = len(slots), self._p, self._rng
        topic = rng.integers(0, p.topics, n)
        noise = unit(rng.standard_normal((n, p.content)))
        self.content[slots] = unit(self._topics[topic] + p.topic_spread * noise)
        self.quality[slots] = p.quality * rng.standard_normal(n)
        self._appeal[slots] = np.exp(p.appeal * rng.standard_normal(n))
        self.born[slots] = born
        self.dies[slots] = born + life.astype(np.int64)
        author = rng.integers(0, p.authors, n)
        for k, slot in enumerate(slots.tolist()):
            self.ids[slot] = f"i{self._born_so_far + k}"
            self.attributes[slot] = ItemAttributes(
                f"a{author[k]}", f"c{topic[k] // p.topics_per_category}", int(born[k])
            )
        self._born_so_far += n
