"""Users' totals by experiment and arm, and the arms' moments over them."""

from __future__ import annotations

from typing import Any

from lis_online.events.windows_log import ArmMoments
from lis_online.experiments.moments import UNIT, Moments, UserTotals
from lis_online.join.histories import User
from lis_online.settings.model import ExperimentSettings

IMPRESSION = 0
"""The index of impressions among the quantities; the settings' actions follow in order."""

CROSSED = -1


class Arms:
    """The arms of all experiments in one join shard.

    A user belongs to the arm of the first impression that carried the experiment. One who is seen in
    another arm as well is taken out with everything done so far and counted as crossed in each arm seen.
    """

    def __init__(self, experiments: list[ExperimentSettings], quantities: list[str]) -> None:
        self.quantities = quantities
        self._names = [(e.name, [arm.name for arm in e.arm]) for e in experiments]
        self._moments = [[Moments(len(quantities)) for _ in arms] for _, arms in self._names]

    def show(self, user: User, arms: tuple[int, ...]) -> None:
        """Count an impression of a user that carried these arms, one index for each experiment, -1 for none."""
        for experiment, arm in enumerate(arms):
            if arm < 0:
                continue
            known = user.totals[experiment]
            if known is None:
                known = user.totals[experiment] = UserTotals(arm, len(self.quantities))
                self._moments[experiment][arm].users += 1
            elif arm not in known.seen:
                self._cross(experiment, known, arm)
            self._add(experiment, known, IMPRESSION, UNIT)

    def act(self, user: User, arms: tuple[int, ...], quantity: int, value: float) -> None:
        """Count an action of a user on an impression that carried these arms; value in the action's unit."""
        for experiment, arm in enumerate(arms):
            known = user.totals[experiment]
            if arm >= 0 and known is not None:
                self._add(experiment, known, quantity, round(value * UNIT))

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

    def _add(self, experiment: int, user: UserTotals, quantity: int, amount: int) -> None:
        if user.arm != CROSSED:
            self._moments[experiment][user.arm].update(user.totals, quantity, amount)

    def _cross(self, experiment: int, user: UserTotals, arm: int) -> None:
        row = self._moments[experiment]
        if user.arm != CROSSED:
            row[user.arm].add(user.totals, times=-1)
            row[user.arm].crossed += 1
            user.arm, user.totals = CROSSED, []
        user.seen.add(arm)
        row[arm].crossed += 1
