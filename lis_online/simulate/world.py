"""A feed of topics and tastes: its state, and what happens in one step of its clock."""

from __future__ import annotations

import numpy as np

from lis_online.simulate.audience import Audience
from lis_online.simulate.catalogue import Catalogue, unit
from lis_online.simulate.pairs import Pairs, noise_pairs
from lis_online.simulate.parameters import WorldParameters
from lis_online.simulate.records import Slates
from lis_online.simulate.responses import click_logit, independent_clicks, respond, sigmoid
from lis_online.simulate.searches import true_pairs
from lis_online.simulate.serving import Server, candidates
from lis_online.simulate.simulation import HEAD_START, Items, Served, Simulation, streams
from lis_online.simulate.variants import Variants


class World(Simulation):
    """Users who like topics, items of topics, clicks logistic in the cosine of the two."""

    def __init__(self, parameters: WorldParameters, seed: int, start: int, catalogue: int | None = None) -> None:
        """catalogue: a seed of its own for topics, items and vectors; see `streams`."""
        shape, items, users, variants, server, traffic, searches, travel = streams(seed, catalogue, 8, (0, 1, 3))
        self._p = parameters
        self._traffic, self._serving = traffic, server
        topics = unit(shape.standard_normal((parameters.topics, parameters.content)))
        self._catalogue = Catalogue(parameters, topics, items, start)
        self._audience = Audience(parameters, topics, users, start)
        super().__init__(parameters, self._audience.ids, Variants(parameters, variants, start), searches, travel, start)
        self._server = Server(parameters, self._arms.variants, server)
        self._born(np.arange(parameters.items), start - HEAD_START)

    @property
    def _items(self) -> Items:
        found = self._catalogue
        return Items(found.ids, found.attributes, found.born, found.content)

    def _serve(self, start: int, most: int | None) -> Served | None:
        p, rng = self._p, self._traffic
        ts = np.sort(rng.integers(start, start + p.step, rng.poisson(self._rate(p.slates_per_minute, start))))[:most]
        if not len(ts):
            return None
        user = self._audience.draw(len(ts), rng)
        ads = rng.random(len(ts)) < p.ads_share
        arm, rows = self._arms.of_user[user], np.arange(len(ts))
        popularity = self._catalogue.popularity(start)
        pool = candidates(len(ts), p.pool, popularity, self._serving)
        every = self._server.get(user, pool, popularity, self._variants.directions)
        affinity, chance = self._liking(every, user, ads)
        slates = Slates(
            ts, user, np.where(ads, "ads", "feed").tolist(), arm, every[arm, rows], np.full(len(ts), p.slate)
        )
        actions = respond(p, independent_clicks(chance[arm, rows], rng), affinity[arm, rows], ads, rng)
        clicks = actions[0]
        self._server.update(user[clicks.slate], slates.shown[clicks.slate, clicks.position], self._variants.vectors)
        return Served(slates, actions, chance, np.full(every.shape[:2], p.slate))

    def _liking(self, every: np.ndarray, user: np.ndarray, ads: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return affinities and click probabilities in every arm, both [arms, slates, slate]."""
        taste, content, quality = self._audience.taste[user], self._catalogue.content, self._catalogue.quality
        affinity = np.stack([np.einsum("nkd,nd->nk", content[shown], taste) for shown in every])
        logit = [click_logit(self._p, a, quality[s], ads) for a, s in zip(affinity, every, strict=True)]
        return affinity, sigmoid(np.stack(logit))

    def _true_pairs(self, n: int, start: int) -> Pairs:
        return true_pairs(n, self._p, self._catalogue, self._audience, self._catalogue.wheel(start), self._searches)

    def _noise_pairs(self, n: int) -> Pairs:
        return noise_pairs(n, self._p.items, self._audience, self._searches)

    def _advance(self, end: int) -> np.ndarray:
        self._audience.update(end)
        return self._catalogue.update(end)
