"""Moments over the users of an arm, of their columns: what every comparison of arms is computed from.

Columns (`experiments/columns.py`) are fixed point (millionths) and moments are exact whole numbers of any size, so
they are updated in place, lose nothing, and merge across shards by addition in any order.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import sqrt
from statistics import NormalDist
from typing import Any, Final

from lis_online.events.windows_log import ArmMoments
from lis_online.metrics.estimate import Estimate

UNIT: Final = 1_000_000
"""What 1 (an impression, a click, a second, a unit of currency) adds to a total."""


CROSSED: Final = -1
"""The arm of a user who was seen in several."""


class UserTotals:
    """One user in one experiment: the arm, CROSSED when seen in several, all arms seen, and the columns.

    values: `Columns.values` of what the user did since entering and, with a pre-period, before; [] once crossed.
    """

    __slots__ = ("arm", "seen", "values")

    def __init__(self, arm: int, values: list[int]) -> None:
        self.arm = arm
        self.seen = {arm}
        self.values = values

    def snapshot(self) -> list[Any]:
        """Copy the state."""
        return [self.arm, sorted(self.seen), [str(value) for value in self.values]]

    @classmethod
    def restored(cls, state: list[Any]) -> UserTotals:
        """Return the totals of `snapshot`."""
        user = cls(state[0], [int(value) for value in state[2]])
        user.seen = set(state[1])
        return user


class Moments:
    """Sums and cross products, over users, of their columns; updated as these change.

    crossed: users seen here and in another arm, who are not among the users. assigned: users who were seen here first.

    >>> moments, values = Moments(2), [0, 0]
    >>> moments.add(values); moments.update(values, 0, 3); moments.update(values, 1, 2)
    >>> moments.users, moments.sums, moments.products
    (1, [3, 2], [9, 6, 6, 4])
    """

    __slots__ = ("assigned", "crossed", "positive", "products", "sums", "users")

    def __init__(self, columns: int) -> None:
        self.users = 0
        self.crossed = 0
        self.assigned = 0
        self.sums = [0] * columns
        self.products = [0] * columns**2
        self.positive = [0] * columns

    def add(self, values: Sequence[int], times: int = 1) -> None:
        """Add a user with these columns; times -1 removes one."""
        count = len(values)
        held = [(q, x) for q, x in enumerate(values) if x]
        self.users += times
        for q, x in held:
            self.sums[q] += times * x
            self.positive[q] += times * (x > 0)
            for p, y in held:
                self.products[q * count + p] += times * x * y

    def update(self, values: list[int], column: int, amount: int) -> None:
        """Add an amount to one column of a user who is among the users here: values is changed as well."""
        count, products = len(values), self.products
        before = values[column]
        after = values[column] = before + amount
        self.sums[column] += amount
        self.positive[column] += (after > 0) - (before > 0)
        row = column * count
        for p, other in enumerate(values):
            if other and p != column:
                products[row + p] += amount * other
                products[p * count + column] += amount * other
        products[row + column] += after * after - before * before

    def get(self, experiment: str, arm: str) -> ArmMoments:
        """Return the moments for the windows log."""
        return ArmMoments(
            experiment,
            arm,
            self.users,
            self.crossed,
            [str(x) for x in self.sums],
            [str(x) for x in self.products],
            list(self.positive),
            self.assigned,
        )

    def snapshot(self) -> list[Any]:
        """Copy the state."""
        return [
            self.users,
            self.crossed,
            self.assigned,
            [str(x) for x in self.sums],
            [str(x) for x in self.products],
            [*self.positive],
        ]

    def restore(self, state: list[Any]) -> None:
        """Replace the state."""
        self.users, self.crossed, self.assigned, sums, products, self.positive = state
        self.sums, self.products = [int(x) for x in sums], [int(x) for x in products]


def merge_arms(parts: Sequence[ArmMoments]) -> ArmMoments:
    """Return the moments of an arm over several join shards, at least one.

    A user's events are all in one shard, so users add up.
    """
    first = parts[0]
    return ArmMoments(
        first.experiment,
        first.arm,
        sum(part.users for part in parts),
        sum(part.crossed for part in parts),
        _added([part.sums for part in parts]),
        _added([part.products for part in parts]),
        [sum(column) for column in zip(*(part.positive for part in parts), strict=True)],
        sum(part.assigned for part in parts),
    )


def total(moments: ArmMoments, quantities: Sequence[str], quantity: str) -> float:
    """Return an arm's total of a quantity, in units: impressions, clicks, seconds."""
    return int(moments.sums[quantities.index(quantity)]) / UNIT


def ratio(
    moments: ArmMoments, quantities: Sequence[str], numerator: str, denominator: str, level: float = 0.95
) -> Estimate:
    """Return an arm's ratio of totals, such as CTR = click / impression, with a user-level interval.

    The variance is the delta method's over users, V = (s_xx - 2 R s_xy + R^2 s_yy) / (n mean_y^2), because a
    user's impressions are not independent (Deng, Knoblich and Lu, "Applying the Delta Method in Metric Analytics",
    KDD 2018, equation 3). quantities: the names of the first columns. None with a reason where there are fewer than
    two users or the denominator is 0.

    >>> arm = Moments(2)
    >>> for totals in ([4 * UNIT, UNIT], [2 * UNIT, 0], [4 * UNIT, 3 * UNIT]): arm.add(totals)
    >>> ctr = ratio(arm.get("e", "a"), ["impression", "click"], "click", "impression")
    >>> ctr.value, round(ctr.stderr, 4)
    (0.4, 0.2107)
    """
    n = moments.users
    y, x = quantities.index(denominator), quantities.index(numerator)
    sum_x, sum_y = int(moments.sums[x]), int(moments.sums[y])
    if n == 0:
        return Estimate.none("no users")
    if sum_y == 0:
        return Estimate.none(f"no {denominator}")
    if n == 1:
        return Estimate.none("1 user: an interval needs 2")
    value = Fraction(sum_x, sum_y)
    variance = _delta_variance(moments, x, y)
    stderr = sqrt(max(0.0, float(variance)))
    half = NormalDist().inv_cdf(0.5 + level / 2) * stderr
    return Estimate(float(value), stderr, float(value) - half, float(value) + half)


def _delta_variance(moments: ArmMoments, x: int, y: int) -> Fraction:
    """Return V in exact arithmetic: with R = Sx / Sy the products of means cancel, none is subtracted in floats."""
    n, count = moments.users, len(moments.sums)
    value = Fraction(int(moments.sums[x]), int(moments.sums[y]))
    xx, xy, yy = (int(moments.products[a * count + b]) for a, b in ((x, x), (x, y), (y, y)))
    residual = xx - 2 * value * xy + value * value * yy  # sum over users of (x - R y)^2; its mean is 0
    return residual * n / ((n - 1) * Fraction(int(moments.sums[y])) ** 2)


def _added(columns: Sequence[Sequence[str]]) -> list[str]:
    return [str(sum(map(int, column))) for column in zip(*columns, strict=True)]
