"""What every kind of simulated world does: a clock, slates, feedback, pairs, vectors, arms."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from lis_online.events.wire import SCHEMA_VERSION, ItemAttributes, Representation
from lis_online.simulate.arms import Arms, ArmTruth
from lis_online.simulate.outbox import Event, Outbox
from lis_online.simulate.pairs import Pairs
from lis_online.simulate.parameters import CommonParameters
from lis_online.simulate.records import Slates, feedback, impressions, preferences
from lis_online.simulate.responses import Actions
from lis_online.simulate.variants import Edition, Variants, packed

DAY = 86_400_000
HEAD_START = 60_000
"""The first items' vectors are that much older than the first step, ms."""


def streams(
    seed: int | tuple[int, ...], catalogue: int | tuple[int, ...] | None, count: int, fixed: tuple[int, ...]
) -> list[np.random.Generator]:
    """Return independent streams of random numbers. catalogue: a seed of its own for the streams `fixed`, or None.

    Two worlds of one catalogue have the same items and vectors, and differ in users, traffic, clicks and searches.
    """
    children = np.random.SeedSequence(seed).spawn(count)
    if catalogue is not None:
        others = np.random.SeedSequence(catalogue).spawn(count)
        children = [others[k] if k in fixed else child for k, child in enumerate(children)]
    return [np.random.default_rng(child) for child in children]


class Served(NamedTuple):
    """A step's slates and what was done with them.

    chance: of a click in each arm, [arms, slates, slate], 0 where nothing is shown. shown: items, [arms, slates].
    """

    slates: Slates
    actions: list[Actions]
    chance: np.ndarray
    shown: np.ndarray


class Items(NamedTuple):
    """The live items by slot: ids, attributes, contents [items, content]."""

    ids: Sequence[str]
    attributes: Sequence[ItemAttributes]
    born: np.ndarray
    content: np.ndarray


class Simulation(ABC):
    """A world whose clock stands at `now`, ms; the same parameters, seed and start give the same events."""

    def __init__(
        self,
        parameters: CommonParameters,
        users: Sequence[str],
        variants: Variants,
        searches: np.random.Generator,
        travel: np.random.Generator,
        start: int,
    ) -> None:
        self._c = parameters
        self._users = users
        self._variants = variants
        self._searches = searches
        self._outbox = Outbox(travel)
        self._arms = Arms(parameters, users, start)
        self._experiments = [{parameters.experiment: name} for name in self._arms.names]
        self.impressions = 0
        self.now = start

    def step(self, most: int | None = None) -> list[Event]:
        """Move the clock one step on; return what arrives within it, in order of arrival.

        most: no more impressions than that.
        """
        start, end = self.now, self.now + self._c.step
        served = self._serve(start, most)
        if served is not None:
            self._send(served)
        if self._c.sources:
            self._send_pairs(start)
        self._born(self._advance(end), None)
        self._publish_versions(end)
        self.now = end
        return self._outbox.arrived(end)

    def drain(self) -> list[Event]:
        """Return everything that is still on its way."""
        return self._outbox.arrived(None)

    def arm_truth(self, *, paired: bool = False) -> dict[str, ArmTruth]:
        """Return each arm's expected clicks and items shown since `truth_from`, without the clicks' noise.

        Own slates: what the arm's users were shown. paired: every slate as each arm would have ranked it.
        """
        return self._arms.get(paired=paired)

    @property
    def waiting(self) -> int:
        """The number of events that are on their way."""
        return len(self._outbox)

    @property
    @abstractmethod
    def _items(self) -> Items:
        """Return the live items."""

    @abstractmethod
    def _serve(self, start: int, most: int | None) -> Served | None:
        """Return a step's slates; None where there is none."""

    @abstractmethod
    def _true_pairs(self, n: int, start: int) -> Pairs:
        """Return about n preferred pairs of a step."""

    @abstractmethod
    def _noise_pairs(self, n: int) -> Pairs:
        """Return about n pairs of users and items that have nothing to do with each other."""

    @abstractmethod
    def _advance(self, end: int) -> np.ndarray:
        """Let users and items change up to a time; return the slots of the items that were born."""

    def _rate(self, per_minute: float, start: int) -> float:
        wave = 1 + self._c.day_amplitude * np.sin(2 * np.pi * (start % DAY) / DAY)
        return float(per_minute * self._c.step / 60_000 * wave)

    def _send(self, served: Served) -> None:
        slates, items = served.slates, self._items
        values = impressions(slates, self.impressions, self._users, items.ids, items.attributes, self._experiments)
        self._outbox.send("impressions", slates.ts, values)
        for action in served.actions:
            self._outbox.send("feedback", *feedback(slates, action, self.impressions, self._users, items.ids))
        self._arms.update(slates.ts, slates.arm, served.chance, served.shown)
        self.impressions += len(slates.ts)

    def _send_pairs(self, start: int) -> None:
        rng, step = self._searches, self._c.step
        n = int(rng.poisson(self._rate(self._c.pairs_per_minute, start)))
        true = self._true_pairs(n, start)
        ts = rng.integers(start, start + step, len(true.user))
        for source in self._c.sources:
            rows = np.flatnonzero(rng.random(len(ts)) < source.true_share)
            self._send_source(source.name, ts[rows], true.take(rows))
            noise = self._noise_pairs(int(rng.poisson(n * source.noise_share)))
            self._send_source(source.name, rng.integers(start, start + step, len(noise.user)), noise)

    def _send_source(self, name: str, ts: np.ndarray, pairs: Pairs) -> None:
        self._outbox.send("preferences", ts, preferences(name, ts, pairs, self._users, self._items.ids))

    def _born(self, slots: np.ndarray, ts: int | None) -> None:
        """Publish the vectors of new items, before any of them is shown."""
        items = self._items
        self._variants.update(slots, items.content[slots])
        when = items.born[slots].tolist() if ts is None else [ts] * len(slots)
        self._publish(self._variants.live, slots, when)

    def _publish_versions(self, end: int) -> None:
        """Publish all live items in the versions that begin by a time."""
        for edition in self._variants.advance(end, self._items.content):
            self._publish([edition], np.arange(self._c.items), [edition.since] * self._c.items)

    def _publish(self, editions: Sequence[Edition], slots: np.ndarray, when: Sequence[int]) -> None:
        """Send the vectors of items, all of one item before those of the next."""
        ids, put = self._items.ids, self._outbox.put
        columns = [(edition.name, edition.version, packed(edition.vectors[slots])) for edition in editions]
        for k, (slot, ts) in enumerate(zip(slots.tolist(), when, strict=True)):
            for name, version, vectors in columns:
                put("representations", ts, Representation(SCHEMA_VERSION, name, version, ids[slot], ts, vectors[k]))
