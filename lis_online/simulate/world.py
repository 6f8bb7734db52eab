"""A simulated world: its state, and the events of one step of its clock."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from operator import itemgetter

import msgspec
import numpy as np

from lis_online.events.wire import SCHEMA_VERSION, Feedback, Impression, Preference, Representation
from lis_online.simulate.audience import Audience
from lis_online.simulate.catalogue import Catalogue, unit
from lis_online.simulate.parameters import WorldParameters
from lis_online.simulate.responses import Actions, respond
from lis_online.simulate.searches import Pairs, noise_pairs, true_pairs
from lis_online.simulate.serving import Server
from lis_online.simulate.variants import Variants

Event = tuple[int, str, bytes]
"""(arrival in ms since 1970, topic, JSON value)."""

DAY = 86_400_000
JITTER = 800
"""An event arrives at most so much later than it happened, ms: below FIRST_CLICK."""
HEAD_START = 60_000
"""The first items' vectors are that much older than the first step, ms."""


class World:
    """A world whose clock stands at `now`, ms; the same parameters, seed and start give the same events."""

    def __init__(self, parameters: WorldParameters, seed: int, start: int) -> None:
        shape, items, users, variants, server, traffic, searches, travel = (
            np.random.default_rng(child) for child in np.random.SeedSequence(seed).spawn(8)
        )
        self._p = parameters
        self._traffic, self._searches, self._travel = traffic, searches, travel
        self._encoder = msgspec.json.Encoder()
        topics = unit(shape.standard_normal((parameters.topics, parameters.content)))
        self._catalogue = Catalogue(parameters, topics, items, start)
        self._audience = Audience(parameters, topics, users, start)
        self._variants = Variants(parameters, variants)
        self._server = Server(parameters, server)
        self.impressions = 0
        self._waiting: list[Event] = []
        self.now = start
        self._born(np.arange(parameters.items), start - HEAD_START)

    def step(self, most: int | None = None) -> list[Event]:
        """Move the clock one step on; return what arrives within it, in order of arrival.

        most: no more impressions than that.
        """
        start, end = self.now, self.now + self._p.step
        self._serve(start, most)
        self._search(start)
        self._audience.update(end)
        self._born(self._catalogue.update(end), None)
        self.now = end
        return self._arrived(end)

    def drain(self) -> list[Event]:
        """Return everything that is still on its way."""
        return self._arrived(None)

    def _rate(self, per_minute: float, start: int) -> float:
        wave = 1 + self._p.day_amplitude * np.sin(2 * np.pi * (start % DAY) / DAY)
        return float(per_minute * self._p.step / 60_000 * wave)

    def _serve(self, start: int, most: int | None) -> None:
        p, rng = self._p, self._traffic
        ts = np.sort(rng.integers(start, start + p.step, rng.poisson(self._rate(p.slates_per_minute, start))))[:most]
        if not len(ts):
            return
        user = self._audience.draw(len(ts), rng)
        ads = rng.random(len(ts)) < p.ads_share
        vectors = self._variants.vectors[p.treatment]
        treated = self._audience.treated[user]
        shown = self._server.get(user, treated, self._catalogue.popularity(start), vectors)
        affinity = np.einsum("nkd,nd->nk", self._catalogue.content[shown], self._audience.taste[user])
        actions = respond(p, affinity, self._catalogue.quality[shown], ads, rng)
        clicks = actions[0]
        self._server.update(user[clicks.slate], vectors[shown[clicks.slate, clicks.position]])
        self._send_impressions(ts, user, ads, treated, shown)
        for action in actions:
            self._send_feedback(ts, user, shown, action)
        self.impressions += len(ts)

    def _send_impressions(
        self, ts: np.ndarray, user: np.ndarray, ads: np.ndarray, treated: np.ndarray, shown: np.ndarray
    ) -> None:
        ids, attributes = self._catalogue.ids, self._catalogue.attributes
        arms = [{self._p.experiment: "control"}, {self._p.experiment: "treatment"}]
        rows = zip(ts.tolist(), user.tolist(), ads.tolist(), treated.tolist(), shown.tolist(), strict=True)
        values = [
            Impression(
                SCHEMA_VERSION,
                f"r{self.impressions + k}",
                self._audience.ids[u],
                t,
                "ads" if ad else "feed",
                [ids[slot] for slot in slots],
                arms[treatment],
                item_attributes={ids[slot]: attributes[slot] for slot in slots},
            )
            for k, (t, u, ad, treatment, slots) in enumerate(rows)
        ]
        self._send("impressions", ts, values)

    def _send_feedback(self, ts: np.ndarray, user: np.ndarray, shown: np.ndarray, action: Actions) -> None:
        when = ts[action.slate] + action.delay
        users, ids, first = self._audience.ids, self._catalogue.ids, self.impressions
        rows = zip(
            action.slate.tolist(),
            user[action.slate].tolist(),
            shown[action.slate, action.position].tolist(),
            when.tolist(),
            action.value.tolist(),
            strict=True,
        )
        values = [
            Feedback(SCHEMA_VERSION, f"r{first + k}", users[u], ids[slot], t, action.action, value)
            for k, u, slot, t, value in rows
        ]
        self._send("feedback", when, values)

    def _search(self, start: int) -> None:
        p, rng = self._p, self._searches
        if not p.sources:
            return
        wheel = self._catalogue.wheel(start)
        n = int(rng.poisson(self._rate(p.pairs_per_minute, start)))
        true = true_pairs(n, p, self._catalogue, self._audience, wheel, rng)
        ts = rng.integers(start, start + p.step, len(true.user))
        for source in p.sources:
            rows = np.flatnonzero(rng.random(len(ts)) < source.true_share)
            self._send_pairs(source.name, ts[rows], true.take(rows))
            noise = noise_pairs(int(rng.poisson(n * source.noise_share)), p.items, self._audience, rng)
            self._send_pairs(source.name, rng.integers(start, start + p.step, len(noise.user)), noise)

    def _send_pairs(self, name: str, ts: np.ndarray, pairs: Pairs) -> None:
        ids, users = self._catalogue.ids, self._audience.ids
        rows = zip(ts.tolist(), pairs.user.tolist(), pairs.first.tolist(), pairs.second.tolist(), strict=True)
        values = [Preference(SCHEMA_VERSION, name, ids[a], ids[b], t, users[u]) for t, u, a, b in rows]
        self._send("preferences", ts, values)

    def _born(self, slots: np.ndarray, ts: int | None) -> None:
        """Publish the vectors of new items, before any of them is shown."""
        self._variants.update(slots, self._catalogue.content[slots])
        for slot in slots.tolist():
            when = ts if ts is not None else int(self._catalogue.born[slot])
            for variant in self._p.variants:
                vector = self._variants.packed(variant.name, slot)
                value = Representation(SCHEMA_VERSION, variant.name, "1", self._catalogue.ids[slot], when, vector)
                self._waiting.append((when, "representations", self._encoder.encode(value)))

    def _send(self, topic: str, ts: np.ndarray, values: Sequence[msgspec.Struct]) -> None:
        arrival = ts + self._travel.integers(0, JITTER, len(ts))
        encode = self._encoder.encode
        self._waiting += [(t, topic, encode(v)) for t, v in zip(arrival.tolist(), values, strict=True)]

    def _arrived(self, end: int | None) -> list[Event]:
        self._waiting.sort(key=itemgetter(0))
        cut = len(self._waiting)
        while end is not None and cut and self._waiting[cut - 1][0] >= end:
            cut -= 1
        events, self._waiting = self._waiting[:cut], self._waiting[cut:]
        return events


def endless(parameters: WorldParameters, seed: int, start: int) -> Iterator[Event]:
    """Yield a world's events in order of arrival, for ever; the caller paces them."""
    world = World(parameters, seed, start)
    while True:
        yield from world.step()
