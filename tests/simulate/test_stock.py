from __future__ import annotations

from dataclasses import replace

import numpy as np

from lis_online.simulate.shop_parameters import ShopParameters
from lis_online.simulate.stock import Stock

START = 1_761_955_200_000
HOUR = 3_600_000
PARAMETERS = replace(ShopParameters(), items=400, projects=20)


def stock(**changes: float) -> Stock:
    """Return a stock at START."""
    return Stock(replace(PARAMETERS, **changes), np.random.default_rng(1), START)


def test_draws_from_a_project_are_its_items_by_popularity_and_weight() -> None:
    """Each item of a project is drawn as often as popularity times membership says, others never."""
    found = stock()
    popularity = found.popularity(1.0)
    for project in (0, 7, 19):
        drawn = found.shelves.draw(np.full(50_000, project), popularity, np.random.default_rng(2))
        share = (found.weight * (found.project == project)).sum(axis=1) * popularity
        share /= share.sum()
        rate = np.bincount(drawn, minlength=400) / len(drawn)
        assert (np.abs(rate - share) <= 5 * np.sqrt(share / len(drawn))).all()


def test_project_without_items_gives_any_item() -> None:
    """More projects than items is no error."""
    found = Stock(replace(PARAMETERS, items=5, projects=50), np.random.default_rng(1), START)
    drawn = found.shelves.draw(np.repeat(np.arange(50), 100), found.popularity(1.0), np.random.default_rng(2))
    assert drawn.min() >= 0 and drawn.max() < 5


def test_popularity_is_zipfs_and_bursts_multiply_it() -> None:
    """Ranked popularity falls by the set power; an item in a burst is that many times as popular, then not any more."""
    found = stock(bursts_per_hour=600.0, burst_length=10 * 60_000)
    calm = found.popularity(1.0)
    slope = np.polyfit(np.log(np.arange(1, 401)), np.log(np.sort(calm)[::-1]), 1)[0]
    assert abs(slope + PARAMETERS.zipf) < 1e-9
    found.update(START + 60_000)
    hot = np.flatnonzero(found.bursting)
    assert len(hot)
    np.testing.assert_allclose(found.popularity(20.0)[hot], 20 * calm[hot])
    assert not found.bursting.all()
    ended = stock(bursts_per_hour=0.0)
    ended._burst_ends[3] = START + 90_000
    ended.update(START + 60_000)
    assert ended.bursting[3]
    ended.update(START + 120_000)
    assert not ended.bursting.any()


def test_items_live_long_and_new_ones_take_the_slots() -> None:
    """Withdrawals are as frequent as the lifetime says, and a new item has an id of its own."""
    found = stock(lifetime=100 * HOUR)
    seen = set(found.ids)
    born = 0
    for hour in range(1, 41):
        slots = found.update(START + hour * HOUR)
        fresh = {found.ids[slot] for slot in slots}
        assert len(fresh) == len(slots) and not fresh & seen
        seen |= fresh
        born += len(slots)
    assert abs(born - 160) < 5 * np.sqrt(160)
    assert (found.dies > START + 40 * HOUR).all()
