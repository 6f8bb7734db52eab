"""A shop: users assemble projects in sessions, and what goes together is not what is alike."""

from __future__ import annotations

import numpy as np

from lis_online.simulate.examination import click_chance, examined_clicks
from lis_online.simulate.pairs import Pairs, noise_pairs, traffic_draw
from lis_online.simulate.records import Slates
from lis_online.simulate.responses import respond, sigmoid
from lis_online.simulate.serving import Server, repeats
from lis_online.simulate.shop_parameters import ShopParameters
from lis_online.simulate.shoppers import Shoppers
from lis_online.simulate.simulation import HEAD_START, Items, Served, Simulation, streams
from lis_online.simulate.stock import Stock
from lis_online.simulate.variants import Variants


class Shop(Simulation):
    """Co-purchase: two items go together where they fill different roles of one project.

    An item of a role that the user has already is a substitute and no longer wanted, however alike. A
    variant's vectors say which projects an item serves. Popularity is Zipf's with bursts; items live
    long; slates have many lengths and are looked at from the top down.
    """

    def __init__(self, parameters: ShopParameters, seed: int, start: int, catalogue: int | None = None) -> None:
        """catalogue: a seed of its own for items, bursts and vectors; see `streams`."""
        items, users, variants, server, traffic, searches, travel = streams(
            (seed, 1), None if catalogue is None else (catalogue, 1), 7, (0, 2)
        )
        self._p = parameters
        self._traffic, self._serving = traffic, server
        self._stock = Stock(parameters, items, start)
        self._shoppers = Shoppers(parameters, users)
        super().__init__(parameters, self._shoppers.ids, Variants(parameters, variants, start), searches, travel, start)
        self._server = Server(parameters, self._arms.variants, server)
        self._born(np.arange(parameters.items), start - HEAD_START)

    @property
    def _items(self) -> Items:
        found = self._stock
        return Items(found.ids, found.attributes, found.born, found.content)

    def _serve(self, start: int, most: int | None) -> Served | None:
        p, rng = self._p, self._traffic
        sessions = int(rng.poisson(self._rate(p.slates_per_minute / p.session, start)))
        ts, user = (column[:most] for column in self._shoppers.visits(start, sessions))
        if not len(ts):
            return None
        arm, rows = self._arms.of_user[user], np.arange(len(ts))
        pool, popularity = self._candidates(user)
        size = np.minimum(rng.integers(p.shortest, p.slate + 1, len(ts)), (~repeats(pool)).sum(axis=1))
        every = self._server.get(user, pool, popularity, self._variants.directions)
        fit, attraction = self._attraction(every, user, size)
        chance = click_chance(attraction, p.after_skip, p.after_click)
        slates = Slates(ts, user, ["feed"] * len(ts), arm, every[arm, rows], size)
        clicks = examined_clicks(attraction[arm, rows], p.after_skip, p.after_click, rng)
        actions = respond(p, clicks, fit[arm, rows], np.zeros(len(ts), bool), rng)
        bought = slates.shown[clicks]
        self._server.update(user[clicks[0]], bought, self._variants.vectors)
        self._shoppers.buy(user[clicks[0]], bought, self._stock)
        return Served(slates, actions, chance, np.broadcast_to(size, every.shape[:2]))

    def _candidates(self, user: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return pools of popular items and of those of the users' projects, repeats left in, and the popularity."""
        p, rng = self._p, self._serving
        popularity = self._stock.popularity(p.burst_shown)
        pool = traffic_draw(np.cumsum(popularity), len(user) * p.pool, rng).reshape(len(user), p.pool)
        row, column = np.nonzero(rng.random(pool.shape) < p.related)
        project = self._shoppers.project[user[row], rng.integers(0, p.at_once, len(row))]
        pool[row, column] = self._stock.shelves.draw(project, popularity, rng)
        return pool, popularity

    def _attraction(self, every: np.ndarray, user: np.ndarray, size: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return fit and probability of a click where looked at, both [arms, slates, slate]."""
        p, stock = self._p, self._stock
        fit = np.stack([self._shoppers.fit(user, shown, stock) for shown in every])
        taste = self._shoppers.taste[user[:, None], stock.role[every]]
        logit = p.base + p.strength * (fit + taste) + stock.quality[every] + p.burst_logit * stock.bursting[every]
        shown = np.arange(every.shape[2]) < size[:, None]
        return fit, np.where(shown, sigmoid(logit), 0.0)

    def _true_pairs(self, n: int, start: int) -> Pairs:
        """Return up to n pairs that a user bought together for a project, in different roles."""
        p, rng = self._p, self._searches
        popularity = self._stock.popularity(p.burst_bought)
        user = self._shoppers.draw(n, rng)
        project = self._shoppers.project[user, rng.integers(0, p.at_once, n)]
        first, second = (self._stock.shelves.draw(project, popularity, rng) for _ in range(2))
        pairs = Pairs(user, first, second)
        return pairs.take(np.flatnonzero(self._stock.role[first] != self._stock.role[second]))

    def _noise_pairs(self, n: int) -> Pairs:
        return noise_pairs(n, self._p.items, self._shoppers, self._searches)

    def _advance(self, end: int) -> np.ndarray:
        return self._stock.update(end)
