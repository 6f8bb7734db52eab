"""A shop's users: when they come, what they are assembling, what they already have of it."""

from __future__ import annotations

import numpy as np

from lis_online.simulate.pairs import traffic_draw
from lis_online.simulate.shop_parameters import ShopParameters
from lis_online.simulate.stock import Stock


class Shoppers:
    """Users with projects and sessions.

    project: int [users, at once]. owned: bool [users, at once, roles], the roles filled by a purchase.
    """

    def __init__(self, parameters: ShopParameters, rng: np.random.Generator) -> None:
        p = parameters
        self._p, self._rng = p, rng
        self.ids = [f"u{k}" for k in range(p.users)]
        self._traffic = np.cumsum(np.minimum((1 - rng.random(p.users)) ** (-1 / p.heavy), p.heaviest))
        self.project = rng.integers(0, p.projects, (p.users, p.at_once))
        self.owned = np.zeros((p.users, p.at_once, p.roles), bool)
        self.taste = p.taste * rng.standard_normal((p.users, p.roles))
        self._ts, self._user = np.zeros(0, np.int64), np.zeros(0, np.int64)

    def draw(self, n: int, rng: np.random.Generator) -> np.ndarray:
        """Return n users, the heavy ones more often."""
        return traffic_draw(self._traffic, n, rng)

    def visits(self, start: int, sessions: int) -> tuple[np.ndarray, np.ndarray]:
        """Begin sessions in the step from `start` on; return times and users of the step's slates."""
        p, rng = self._p, self._rng
        users = self.draw(sessions, rng)
        self._begin_projects(users)
        length = rng.geometric(1 / p.session, sessions)
        first = np.repeat(rng.integers(start, start + p.step, sessions), length)
        pause = np.cumsum(p.pause * rng.standard_exponential(len(first)))
        into = pause - np.repeat(pause[np.cumsum(length) - length], length)
        ts = np.concatenate([self._ts, first + into.astype(np.int64)])
        user = np.concatenate([self._user, np.repeat(users, length)])
        now = ts < start + p.step
        self._ts, self._user = ts[~now], user[~now]
        order = np.argsort(ts[now], kind="stable")
        return ts[now][order], user[now][order]

    def fit(self, user: np.ndarray, slots: np.ndarray, stock: Stock) -> np.ndarray:
        """Return how well items go with what users still need, 0 to 1: slots' shape [slates, n], user [slates]."""
        mine = stock.project[slots][..., None] == self.project[user][:, None, None, :]  # [slates, n, 2, at once]
        role = stock.role[slots]
        owned = self.owned[user[:, None], :, role]  # [slates, n, at once]
        needed: np.ndarray = np.minimum(
            (stock.weight[slots][..., None] * (mine & ~owned[:, :, None, :])).sum((2, 3)), 1
        )
        return needed

    def buy(self, user: np.ndarray, slots: np.ndarray, stock: Stock) -> None:
        """Fill the roles of clicked items in the projects that they belong to."""
        mine = (stock.project[slots][:, :, None] == self.project[user][:, None, :]).any(axis=1)
        rows, which = np.nonzero(mine)
        self.owned[user[rows], which, stock.role[slots[rows]]] = True

    def _begin_projects(self, users: np.ndarray) -> None:
        """Give some of those who come a new project in place of an old one."""
        p, rng = self._p, self._rng
        rows, which = np.nonzero(rng.random((len(users), p.at_once)) < 1 / p.project_sessions)
        self.project[users[rows], which] = rng.integers(0, p.projects, len(rows))
        self.owned[users[rows], which] = False
