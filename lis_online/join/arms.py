"""Users' columns by experiment and arm, and the arms' moments over them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from lis_online.events.windows_log import ArmMoments
from lis_online.experiments.columns import Columns, quantities_of
from lis_online.experiments.moments import CROSSED, UNIT, Moments, UserTotals
from lis_online.join.user import User
from lis_online.settings.model import EventsSettings, ExperimentSettings

IMPRESSION: Final = 0
"""The index of impressions among the quantities; the settings' actions follow in order."""
MOST: Final = 1_000_000_000 * UNIT
"""What one action counts for at most, in millionths: a corrupt value must not outgrow every number that holds sums."""


class Arms:
    """The arms of all experiments in one join shard.

    A user enters an experiment at the first impression that carries it and meets its trigger, and belongs to the arm
    of that one. One who is seen in another arm from then on is taken out with everything done so far and counted as
    crossed in each arm seen. With a pre-period, what a user did before entering is part of the columns.
    """

    def __init__(self, experiments: list[ExperimentSettings], events: EventsSettings) -> None:
        self.quantities = quantities_of(events)
        self._names = [(e.name, [arm.name for arm in e.arm]) for e in experiments]
        self._cuped = [e.cuped for e in experiments]
        self._columns = [Columns.of(e, events) for e in experiments]
        self._made = [[columns.made_of(q) for q in range(len(self.quantities))] for columns in self._columns]
        self._moments = [
            [Moments(len(columns.names)) for _ in arms]
            for columns, (_, arms) in zip(self._columns, self._names, strict=True)
        ]

    @property
    def running(self) -> int:
        """How many running totals a user needs: none where no experiment looks at what was done before it."""
        return len(self.quantities) if any(self._cuped) else 0

    @property
    def columns(self) -> dict[str, list[str]]:
        """The names behind the moments' indices, by experiment."""
        return {name: list(columns.names) for (name, _), columns in zip(self._names, self._columns, strict=True)}

    def show(self, user: User, arms: tuple[int, ...], met: Sequence[bool]) -> tuple[int, ...]:
        """Count an impression; return the arms that it was counted for.

        arms: for each experiment the index of the arm that it carries, -1 for none; met: whether it meets the trigger.
        """
        counted = arms
        for experiment, arm in enumerate(arms):
            if arm < 0:
                continue
            known = user.totals[experiment]
            if known is None:
                if not met[experiment]:
                    counted = (*counted[:experiment], -1, *counted[experiment + 1 :])
                    continue
                known = self._enter(user, experiment, arm)
            elif arm not in known.seen:
                self._cross(experiment, known, arm)
            self._add(experiment, known, IMPRESSION, UNIT)
        if user.running:
            user.running[IMPRESSION] += UNIT
        return counted

    def act(self, user: User, counted: tuple[int, ...], quantity: int, amount: int) -> None:
        """Count an action, in millionths, of a user on an impression that was counted for these arms."""
        for experiment, arm in enumerate(counted):
            known = user.totals[experiment]
            if arm >= 0 and known is not None:
                self._add(experiment, known, quantity, amount)
        if user.running:
            user.running[quantity] += amount

    def get(self) -> list[ArmMoments]:
        """Return the moments of every arm of every experiment, in the settings' order."""
        return [
            moments.get(name, arm)
            for (name, arms), row in zip(self._names, self._moments, strict=True)
            for arm, moments in zip(arms, row, strict=True)
        ]

    def snapshot(self) -> list[Any]:
        """Copy the state; the users' own totals belong to `Histories`."""
        return [[moments.snapshot() for moments in row] for row in self._moments]

    def restore(self, state: list[Any]) -> None:
        """Replace the state."""
        for row, states in zip(self._moments, state, strict=True):
            for moments, entry in zip(row, states, strict=True):
                moments.restore(entry)

    def _enter(self, user: User, experiment: int, arm: int) -> UserTotals:
        before = user.running if self._cuped[experiment] else None
        values = self._columns[experiment].values([0] * len(self.quantities), before)
        moments = self._moments[experiment][arm]
        moments.add(values)
        moments.assigned += 1
        user.totals[experiment] = known = UserTotals(arm, values)
        return known

    def _add(self, experiment: int, user: UserTotals, quantity: int, amount: int) -> None:
        """Add to a user's plain total, then to the columns that are made of it: values begin with the totals."""
        if user.arm == CROSSED:
            return
        moments, values = self._moments[experiment][user.arm], user.values
        moments.update(values, quantity, amount)
        for column, of in self._made[experiment][quantity]:
            change = of(values) - values[column]
            if change:
                moments.update(values, column, change)

    def _cross(self, experiment: int, user: UserTotals, arm: int) -> None:
        row = self._moments[experiment]
        if user.arm != CROSSED:
            row[user.arm].add(user.values, times=-1)
            row[user.arm].crossed += 1
            user.arm, user.values = CROSSED, []
        user.seen.add(arm)
        row[arm].crossed += 1


def amount_of(value: float) -> int:
    """Return what an action of this value adds to a total, in millionths.

    >>> amount_of(2.5), amount_of(1e300) == MOST
    (2500000, True)
    """
    return round(max(-MOST, min(MOST, value * UNIT)))
