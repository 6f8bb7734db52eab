"""Simulated experiments: users who arrive, come back and differ a lot, as moments after every bucket.

Nothing of a run is kept but what a join shard would have sent: for each arm and bucket the number of users, the sums
and the cross products of their totals so far.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

SLATE = 10
"""Impressions of a visit."""
CLICK_RATE = 0.08
"""Mean over users."""

IMPRESSION, CLICK, DWELL, CLICKED = range(4)
"""Columns of the moments: totals of a user; the last is 1 for who clicked at all."""
BEFORE_IMPRESSION, BEFORE_CLICK = DWELL, CLICKED
"""Columns in a world with a pre-period, in the place of the last two."""


@dataclass(frozen=True)
class World:
    """One kind of experiment.

    users: in all arms together; buckets: peeks. share: of treatment. visits: mean per user over the whole run, for a
    user there from the beginning. activity: sigma of a lognormal over users; rates: a + b of the users' beta
    distributed click rates; dwell: sigma of a click's lognormal dwell. arrivals: share of the run in which users first
    come; after it they only come back. lift: relative, of click rates. before: length of the pre-period in runs, 0
    for none.
    """

    name: str
    users: int = 5_000
    buckets: int = 60
    share: float = 0.5
    visits: float = 4.0
    activity: float = 1.0
    rates: float = 20.0
    dwell: float = 1.0
    arrivals: float = 1.0
    lift: float = 0.0
    before: float = 0.0


@dataclass(frozen=True)
class Moments:
    """Cumulative moments: users [runs, arms, buckets], sums [..., 4], products [..., 4, 4]; arm 0 is control."""

    users: np.ndarray
    sums: np.ndarray
    products: np.ndarray


@dataclass(frozen=True)
class Visits:
    """Visits of some runs, by person and time. treated: bool [people]; gained: float64 [visits, 4].

    first: index of the first visit of each person who is there; bucket: of each visit; fixed: float64 [people, 4], of
    the pre-period.
    """

    treated: np.ndarray
    person: np.ndarray
    first: np.ndarray
    bucket: np.ndarray
    gained: np.ndarray
    fixed: np.ndarray


Made = Callable[[np.ndarray], np.ndarray]


def simulate(world: World, runs: int, rng: np.random.Generator) -> Moments:
    """Return the moments of many runs."""
    return joined([moments(world, size, seen) for size, seen in chunks(world, runs, rng)])


def chunks(world: World, runs: int, rng: np.random.Generator, people: int = 200_000) -> Iterator[tuple[int, Visits]]:
    """Yield the visits of many runs, and of how many, about `people` users at a time."""
    chunk = max(1, people // world.users)
    for start in range(0, runs, chunk):
        size = min(chunk, runs - start)
        yield size, visits(world, size, rng)


def joined(parts: Sequence[Moments], axis: int = 0) -> Moments:
    """Return moments side by side: more runs, or (axis 1) more arms."""
    return Moments(*(np.concatenate(arrays, axis) for arrays in zip(*map(_arrays, parts), strict=True)))


def visits(world: World, runs: int, rng: np.random.Generator) -> Visits:
    """Return the visits of some runs."""
    people = runs * world.users
    treated = rng.random(people) < world.share
    arrival = rng.random(people) * world.arrivals
    activity = np.exp(world.activity * rng.standard_normal(people) - world.activity**2 / 2)
    rate = rng.beta(CLICK_RATE * world.rates, (1 - CLICK_RATE) * world.rates, people)
    # A user is there because of a visit: the first is at the arrival, the others follow.
    count = rng.poisson(world.visits * activity * (1 - arrival)) + 1
    person = np.repeat(np.arange(people), count)
    first = np.r_[0, np.cumsum(count)[:-1]]
    time = arrival[person] + (1 - arrival[person]) * rng.random(len(person))
    time[first] = arrival
    time = np.sort(person + time) - person  # a time is under 1, so nobody changes places
    gained = np.zeros((len(person), 4))
    gained[:, IMPRESSION] = SLATE
    now = np.minimum(np.where(treated, rate * (1 + world.lift), rate), 1)
    gained[:, CLICK] = rng.binomial(SLATE, now[person])
    fixed = np.zeros((people, 4))
    if world.before:
        seen = rng.poisson(world.visits * activity * world.before) * SLATE
        fixed[:, BEFORE_IMPRESSION], fixed[:, BEFORE_CLICK] = seen, rng.binomial(seen, rate)
    else:
        gained[:, DWELL] = gained[:, CLICK] * np.exp(world.dwell * rng.standard_normal(len(person)))
    bucket = np.clip(time * world.buckets, 0, world.buckets - 1).astype(np.int64)
    return Visits(treated, person, first, bucket, gained, fixed)


def within(world: World, seen: Visits, low: int, high: int) -> tuple[World, Visits]:
    """Return the visits in the buckets [low, high) alone, as an experiment of their own that begins at low."""
    kept = (seen.bucket >= low) & (seen.bucket < high)
    person = seen.person[kept]
    first = np.flatnonzero(np.r_[True, person[1:] != person[:-1]])
    part = Visits(seen.treated, person, first, seen.bucket[kept] - low, seen.gained[kept], seen.fixed)
    return replace(world, buckets=high - low), part


def moments(world: World, runs: int, seen: Visits, made: Made | None = None) -> Moments:
    """Add up how each visit changes its arm's moments, as a join shard does.

    made: what becomes of users' totals [visits, 4] before moments are taken, such as a cap.
    """
    after = _totals(world, seen)
    if made is not None:
        after = made(after)
    before = np.zeros_like(after)
    before[1:] = after[:-1]
    before[seen.first] = 0
    shape = (runs, 2, world.buckets)
    place = ((seen.person // world.users) * 2 + seen.treated[seen.person]) * world.buckets + seen.bucket
    add = _adder(shape, place)
    sums = np.stack([add(after[:, i] - before[:, i]) for i in range(4)], axis=-1)
    products = np.zeros((*shape, 4, 4))
    for i, j in _pairs(world):
        products[..., i, j] = products[..., j, i] = add(after[:, i] * after[:, j] - before[:, i] * before[:, j])
    users = _adder(shape, place[seen.first])(np.ones(len(seen.first)))
    return Moments(users, sums, products)


def _totals(world: World, seen: Visits) -> np.ndarray:
    """Return each user's columns after each visit, float64 [visits, 4]."""
    total = np.cumsum(seen.gained, axis=0)
    visits_of = np.diff(np.r_[seen.first, len(seen.person)])
    after: np.ndarray = total - np.repeat(total[seen.first] - seen.gained[seen.first], visits_of, axis=0)
    if not world.before:
        after[:, CLICKED] = after[:, CLICK] > 0
    after += seen.fixed[seen.person]
    return after


def _adder(shape: tuple[int, int, int], place: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    """Return a function that adds changes up at their places, and over time."""

    def add(change: np.ndarray) -> np.ndarray:
        summed = np.bincount(place, change, shape[0] * shape[1] * shape[2]).reshape(shape)
        return np.asarray(np.cumsum(summed, axis=2))

    return add


def _pairs(world: World) -> list[tuple[int, int]]:
    """Return the products that are needed: all with a pre-period, those of each metric without."""
    if world.before:
        return [(i, j) for i in range(4) for j in range(i + 1)]
    return [(i, i) for i in range(4)] + [(IMPRESSION, CLICK)]


def _arrays(one: Moments) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    return one.users, one.sums, one.products
