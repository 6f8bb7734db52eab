from __future__ import annotations

from dataclasses import replace

import numpy as np

from lis_online.simulate.shop_parameters import ShopParameters
from lis_online.simulate.shoppers import Shoppers
from lis_online.simulate.stock import Stock

PARAMETERS = replace(ShopParameters(), items=300, users=500, projects=10, roles=4)
MINUTE = 60_000


def shoppers() -> tuple[Shoppers, Stock]:
    """Return users and items."""
    return Shoppers(PARAMETERS, np.random.default_rng(1)), Stock(PARAMETERS, np.random.default_rng(2), 0)


def slow_fit(users: Shoppers, stock: Stock, user: int, slot: int) -> float:
    """Return the fit of one item by loops over memberships and projects."""
    fit = 0.0
    for project, weight in zip(stock.project[slot], stock.weight[slot], strict=True):
        for k, mine in enumerate(users.project[user]):
            if project == mine and not users.owned[user, k, stock.role[slot]]:
                fit += weight
    return min(fit, 1.0)


def test_item_fits_what_is_still_needed() -> None:
    """Fit is membership of the user's projects, less the roles that are filled: as loops have it."""
    users, stock = shoppers()
    rng = np.random.default_rng(3)
    users.owned[:] = rng.random(users.owned.shape) < 0.3
    user, slots = rng.integers(0, 500, 40), rng.integers(0, 300, (40, 15))
    fit = users.fit(user, slots, stock)
    expected = [[slow_fit(users, stock, u, s) for s in row] for u, row in zip(user, slots, strict=True)]
    np.testing.assert_allclose(fit, expected)
    assert 0 < fit.mean() < 1


def test_substitute_is_not_wanted_after_a_purchase_and_complement_still_is() -> None:
    """A click fills the item's role in its project: what is alike loses its use, what goes with it keeps it."""
    users, stock = shoppers()
    users.project[7] = [3, 4]
    of_three = np.flatnonzero((stock.project[:, 0] == 3) & (stock.project[:, 1] < 0))
    bought = of_three[0]
    same = stock.role[of_three] == stock.role[bought]
    assert (users.fit(np.array([7]), of_three[None], stock) == 1).all()
    users.buy(np.array([7]), np.array([bought]), stock)
    np.testing.assert_array_equal(users.fit(np.array([7]), of_three[None], stock)[0], np.where(same, 0, 1))


def test_sessions_are_bursts_of_slates_of_users_with_a_heavy_tail() -> None:
    """Slates come in their step, in order of time; a session's are minutes apart; few users make many of them."""
    users, _ = shoppers()
    ts, user = zip(*(users.visits(minute * MINUTE, 20) for minute in range(600)), strict=True)
    for minute, times in enumerate(ts):
        assert (times >= minute * MINUTE).all() and (times < (minute + 1) * MINUTE).all()
        assert (np.diff(times) >= 0).all()
    everyone = np.concatenate(user)
    assert abs(len(everyone) / (600 * 20) - PARAMETERS.session) < 0.15
    counts = np.sort(np.bincount(everyone, minlength=500))[::-1]
    assert counts[:5].sum() > 0.05 * counts.sum() and counts[0] > 8 * np.median(counts)
    times = np.concatenate(ts)
    gaps = np.concatenate([np.diff(np.sort(times[everyone == u])) for u in range(500)])
    assert 0.3 * PARAMETERS.pause < np.median(gaps) < 2 * PARAMETERS.pause


def test_new_project_needs_everything_again() -> None:
    """Projects give way to others as often as set, and nothing of the new one is owned."""
    users, _ = shoppers()
    users.owned[:] = True
    before = users.project.copy()
    users._begin_projects(np.arange(500))
    fresh = ~users.owned.any(axis=2)
    assert abs(fresh.mean() - 1 / PARAMETERS.project_sessions) < 5 * np.sqrt(0.14 / 1_000)
    assert (users.project == before)[~fresh].all()
