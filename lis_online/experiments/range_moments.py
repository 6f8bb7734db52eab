"""Arms' moments over any range of time, from users' totals by bucket: those of a run over its impressions alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from lis_online.events.windows_log import ArmMoments
from lis_online.experiments.columns import Columns, quantities_of
from lis_online.experiments.definitions import Metric
from lis_online.experiments.exact import ROWS, cross_products
from lis_online.experiments.user_rows import UserRows
from lis_online.experiments.user_totals import ENTERED, FIRST, TotalsTable
from lis_online.settings.model import EventsSettings, ExperimentSettings

_ONE: Final = np.uint64(1)


class RangeMoments:
    """The arms of one experiment over consecutive buckets, as exact as those of a join shard.

    A user enters in the first bucket with an impression that meets the trigger, at that impression, and is then
    counted as in `join.arms.Arms`, but for two things: there is no pre-period, and nobody is forgotten, however
    idle. `get` costs what the users cost who did something since the last call (they are taken out of the sums and
    put in again), about 2 us each; memory is 25 bytes for each user and 8 for each of the quantities.

    columns: names behind the moments' indices.
    """

    def __init__(self, experiment: ExperimentSettings, events: EventsSettings) -> None:
        self._name = experiment.name
        self._arms = [arm.name for arm in experiment.arm]
        self._quantities = quantities_of(events)
        self._columns = Columns(self._quantities, [Metric.of(metric) for metric in experiment.metric])
        self.columns = self._columns.names
        self._rows = UserRows()
        self._totals = np.zeros((0, len(self._quantities)), np.int64)
        self._seen = np.zeros(0, np.uint64)  # bits: the arms that a user was seen in
        self._is_in = np.zeros(0, np.bool_)  # whether a user is in the sums
        self._sums = [_Sums(len(self.columns)) for _ in self._arms]

    def update(self, tables: Sequence[TotalsTable]) -> None:
        """Add a bucket: the tables of all its parts and shards. Buckets come in the order of time."""
        for table in tables:
            self._check(table)
        if not any(map(len, tables)):
            return
        table = TotalsTable.joined(tables)
        starts = table.starts
        sizes = np.diff(starts, append=len(table))
        is_known = np.repeat(self._rows.get(table.users[starts]) >= 0, sizes)
        counts = is_known | (table.flags & ENTERED > 0)
        if counts.any():
            self._enter(table.rows(~is_known & counts))
            self._add(table.rows(counts))

    def get(self) -> list[ArmMoments]:
        """Return the moments of every arm over the buckets so far, in the settings' order."""
        rows = np.flatnonzero(~self._is_in[: len(self._rows)])
        self._count(rows, 1)
        return [sums.get(self._name, arm) for sums, arm in zip(self._sums, self._arms, strict=True)]

    def _check(self, table: TotalsTable) -> None:
        quantities = table.totals.shape[1]
        if quantities != len(self._quantities):
            raise ValueError(f"totals must be of {self._quantities}, got {quantities} quantities")
        if len(table) and not 0 <= table.arms.min() <= table.arms.max() < len(self._arms):
            raise ValueError(f"arms must be those of {self._arms}, got number {table.arms.max()}")

    def _enter(self, table: TotalsTable) -> None:
        """Make rows for the users of a table, none of whom is known, and assign them to their first arm."""
        first = table.arms[table.flags & FIRST > 0]
        for sums, count in zip(self._sums, np.bincount(first, minlength=len(self._arms)).tolist(), strict=True):
            sums.assigned += count
        self._rows.update(table.users[table.starts])
        self._grow()

    def _add(self, table: TotalsTable) -> None:
        """Add rows that count to their users, who leave the sums until the next `get`."""
        starts = table.starts
        rows = self._rows.get(table.users[starts])
        self._count(rows[self._is_in[rows]], -1)
        self._totals[rows] += np.add.reduceat(table.totals, starts)
        self._seen[rows] |= np.bitwise_or.reduceat(_ONE << table.arms.astype(np.uint64), starts)

    def _count(self, rows: np.ndarray, times: int) -> None:
        """Add users to the arm that they were seen in, or, when in several, to the crossed ones of each.

        times: 1, or -1 to take them out.
        """
        self._is_in[rows] = times > 0
        seen = self._seen[rows]
        is_crossed = seen & (seen - _ONE) > 0
        for arm, sums in enumerate(self._sums):
            is_here = seen >> np.uint64(arm) & _ONE > 0
            sums.crossed += times * int((is_here & is_crossed).sum())
            mine = rows[is_here & ~is_crossed]
            for start in range(0, len(mine), ROWS):
                sums.update(self._columns.table(self._totals[mine[start : start + ROWS]]), times)

    def _grow(self) -> None:
        missing = len(self._rows) - len(self._seen)
        if missing > 0:
            spare = missing + len(self._seen) // 2
            self._totals = np.concatenate([self._totals, np.zeros((spare, self._totals.shape[1]), np.int64)])
            self._seen = np.concatenate([self._seen, np.zeros(spare, np.uint64)])
            self._is_in = np.concatenate([self._is_in, np.zeros(spare, np.bool_)])


class _Sums:
    """One arm. products: of 1 and the columns, object [1 + columns, 1 + columns]; positive: int64 [columns]."""

    def __init__(self, columns: int) -> None:
        self.assigned = 0
        self.crossed = 0
        self._products = np.zeros((1 + columns, 1 + columns), object)
        self._positive = np.zeros(columns, np.int64)

    def update(self, columns: np.ndarray, times: int) -> None:
        """Add users, int64 [users, columns]; times -1 removes them."""
        ones = np.ones((len(columns), 1), np.int64)
        self._products += times * cross_products(np.concatenate([ones, columns], axis=1))
        self._positive += times * (columns > 0).sum(axis=0)

    def get(self, experiment: str, arm: str) -> ArmMoments:
        """Return the moments."""
        sums, products = (
            list(map(str, numbers.ravel())) for numbers in (self._products[0, 1:], self._products[1:, 1:])
        )
        users, positive = int(self._products[0, 0]), self._positive.tolist()
        return ArmMoments(experiment, arm, users, self.crossed, sums, products, positive, self.assigned)
