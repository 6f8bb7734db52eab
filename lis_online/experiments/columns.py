"""The columns that moments are kept of: a user's totals, and what the metrics make of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from lis_online.experiments.definitions import Metric
from lis_online.experiments.moments import UNIT
from lis_online.settings.model import EventsSettings, ExperimentSettings

BEFORE = "before:"
IMPRESSION = "impression"
"""What is counted of a user beside the settings' actions."""


@dataclass(frozen=True, slots=True)
class _Column:
    """One number of a user. kind: "total", "capped", "weighed" or "any"; limit in millionths."""

    quantity: int
    kind: str = "total"
    limit: int = 0
    by: int = 0

    @property
    def made(self) -> bool:
        """Whether it is another number than a plain total."""
        return self.kind != "total"

    @property
    def quantities(self) -> set[int]:
        """The quantities that it is a function of."""
        return {self.quantity, self.by} if self.kind == "weighed" else {self.quantity}

    def of(self, totals: Sequence[int]) -> int:
        """Return the number of a user with these totals, in millionths."""
        x = totals[self.quantity]
        if self.kind == "any":
            return UNIT if x > 0 else 0
        if self.kind == "capped":
            return min(x, self.limit)
        if self.kind == "weighed" and totals[self.by] > self.limit:
            return x * self.limit // totals[self.by]
        return x

    def table(self, totals: np.ndarray) -> np.ndarray:
        """Return `of` every row of totals, int64 [users, quantities]: int64 [users]."""
        x = totals[:, self.quantity]
        if self.kind == "any":
            return (x > 0) * UNIT
        if self.kind == "capped":
            x = np.minimum(x, min(self.limit, np.iinfo(np.int64).max))
        if self.kind == "weighed":
            x = x.copy()
            over = np.flatnonzero(totals[:, self.by] > self.limit)
            by = totals[over, self.by].astype(object)  # Python's numbers, of any size: few users are capped
            x[over] = x[over].astype(object) * self.limit // by
        return x


class Columns:
    """What a user's totals become before moments are taken of them.

    The plain totals of every quantity come first, in order. Then, for the metrics that need one: a capped total
    (min(total, cap): a winsorised user), a numerator weighed down with its capped denominator (the user keeps the own
    rate and counts for `cap` denominators), a share's 0 or 1. With a pre-period the metrics' columns over the totals
    of before follow (Deng et al., CUPED, WSDM 2013: any number fixed before the first exposure is a valid covariate).

    All are whole millionths, functions of the totals alone: whatever the order and batches of events, equal totals
    give equal columns.

    >>> columns = Columns(["impression", "click"], [Metric("ctr", "ratio", "click", "impression", cap=10)])
    >>> columns.names
    ('impression', 'click', 'click@10/impression', 'impression@10')
    >>> columns.values([40 * UNIT, 2 * UNIT])
    [40000000, 2000000, 500000, 10000000]
    """

    def __init__(self, quantities: Sequence[str], metrics: Sequence[Metric], pre_period: bool = False) -> None:
        found = {name: _Column(q) for q, name in enumerate(quantities)}
        self._pre: dict[str, _Column] = {}
        for metric in metrics:
            made = dict(zip(metric.columns, _made(metric, list(quantities)), strict=True))
            found.update({name: column for name, column in made.items() if name not in found})
            if pre_period:
                self._pre.update({BEFORE + name: column for name, column in made.items()})
        self._own = list(found.values())
        self.names: tuple[str, ...] = (*found, *self._pre)

    @classmethod
    def of(cls, experiment: ExperimentSettings, events: EventsSettings) -> Columns:
        """Return the columns of an experiment: its metrics' over what is counted of a user."""
        return cls(quantities_of(events), [Metric.of(metric) for metric in experiment.metric], experiment.cuped)

    def values(self, totals: Sequence[int], before: Sequence[int] | None = None) -> list[int]:
        """Return a user's columns. totals, before: of each quantity, in millionths; before None where unknown: 0."""
        own = [column.of(totals) for column in self._own]
        if before is None:
            return own + [0] * len(self._pre)
        return own + [column.of(before) for column in self._pre.values()]

    def table(self, totals: np.ndarray) -> np.ndarray:
        """Return the columns of many users, without a pre-period: int64 [users, columns].

        totals: int64 [users, quantities].
        """
        return np.stack([column.table(totals) for column in self._own], axis=1)

    def made_of(self, quantity: int) -> list[tuple[int, Callable[[Sequence[int]], int]]]:
        """Return the columns beside the plain totals that a quantity changes: index, and what gives it from totals."""
        own = enumerate(self._own)
        return [(index, column.of) for index, column in own if column.made and quantity in column.quantities]


def quantities_of(events: EventsSettings) -> list[str]:
    """Return what is counted of a user, in order: impressions, then the settings' actions."""
    return [IMPRESSION, *events.actions]


def _made(metric: Metric, quantities: list[str]) -> list[_Column]:
    for name in (metric.numerator, metric.denominator):
        if name is not None and name not in quantities:
            raise ValueError(f"a quantity of metric {metric.name} must be one of {quantities}, got {name!r}")
    x = quantities.index(metric.numerator)
    if metric.kind == "proportion":
        return [_Column(x, "any")]
    limit = None if metric.cap is None else round(metric.cap * UNIT)
    if metric.denominator is None:
        return [_Column(x) if limit is None else _Column(x, "capped", limit)]
    y = quantities.index(metric.denominator)
    if limit is None:
        return [_Column(x), _Column(y)]
    return [_Column(x, "weighed", limit, y), _Column(y, "capped", limit)]
