"""A joiner's snapshot under other settings: every state goes on under its name, in its new place.

What has left the settings is left out; what is new is as it is in a joiner that has just begun. A user of an arm that
has left stays out of the other arms: counted as crossed wherever seen next.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np

from lis_online.events.names import GONE, Names, Renumbering, places
from lis_online.experiments.columns import Columns
from lis_online.experiments.moments import CROSSED, Moments, UserTotals
from lis_online.join import saved
from lis_online.join.user import User
from lis_online.join.user_packing import UserPacking
from lis_online.join.user_page import PageDraft, UserPage
from lis_online.snapshots.contract import Snapshot
from lis_online.snapshots.nested import nest, unnest

Arrays = dict[str, np.ndarray]


class Shape(msgspec.Struct, frozen=True):
    """What the places in a joiner's state stand for.

    sets: of actions that users' recent items are kept for. quantities: how many running totals a user has. columns:
    names of the columns of each experiment.
    """

    names: Names
    sets: list[list[str]]
    quantities: int
    columns: list[list[str]]

    @property
    def packing(self) -> UserPacking:
        """How users of this shape are packed."""
        return UserPacking(len(self.sets), len(self.names.experiments), self.quantities)


@dataclass(frozen=True, slots=True)
class Renaming:
    """From the shape of a snapshot to that of the joiner that restores it. columns: of the new experiments."""

    old: Shape
    new: Shape
    columns: Sequence[Columns]

    @property
    def is_same(self) -> bool:
        """Whether nothing has moved."""
        return self.old == self.new

    def snapshot(self, snapshot: Snapshot) -> Snapshot:
        """Return the snapshot in the new places."""
        meta, arrays = dict(snapshot.meta), dict(snapshot.arrays)
        numbers = Renumbering(self.old.names, self.new.names)
        for part in ("waiting", "pending"):
            for number in range(meta[part]["chunks"]):
                name = f"{part}/chunk.{number}"
                arrays[name] = _impressions(arrays[name], len(self.old.names.experiments), numbers)
        arrays |= nest("users", _logs(unnest("users", arrays), meta["users"]["starts"], self.old, numbers))
        totals = _Totals(self, numbers)
        for number in range(meta["histories"]["pages"]):
            name = f"histories/page.{number}"
            arrays[name] = self._page(UserPage(arrays[name]), totals)
        meta["arms"] = totals.arms(meta["arms"])
        return Snapshot(meta, arrays)

    def _page(self, page: UserPage, totals: _Totals) -> np.ndarray:
        old, new = self.old.packing, self.new.packing
        draft = PageDraft()
        for place, (key, last) in enumerate(zip(page.keys.tolist(), page.last.tolist(), strict=True)):
            row = page.row(place)
            if row and row[0]:  # else it is of somebody who was forgotten
                user = old.get(row)
                self._move(user, totals)
                new.append(user, draft.numbers)
            draft.update(key, last)
        return UserPage.of(draft).whole

    def _move(self, user: User, totals: _Totals) -> None:
        known = {tuple(actions): recent for actions, recent in zip(self.old.sets, user.recent, strict=True)}
        user.recent = [known.get(tuple(actions), {}) for actions in self.new.sets]
        user.totals = totals.of(user.totals)
        if not self.new.quantities or not user.running:
            user.running = [0] * self.new.quantities


class _Totals:
    """Users' totals and the arms' moments in the new places, as far as users have been moved.

    A column that is new is computed from the totals of every user who is still known; one who was forgotten counts as
    somebody who did nothing there.
    """

    def __init__(self, renaming: Renaming, numbers: Renumbering) -> None:
        self._numbers = numbers
        self._columns = renaming.columns
        old, new = renaming.old, renaming.new
        self._from = places(new.names.experiments, old.names.experiments)
        self._at = [
            [GONE] * len(after) if at == GONE else places(after, old.columns[at])
            for at, after in zip(self._from, new.columns, strict=True)
        ]
        self._widens = [at != GONE and GONE in known for at, known in zip(self._from, self._at, strict=True)]
        self._arms_from = [
            [GONE] * len(row) if at == GONE else places(row, old.names.arms[at])
            for at, row in zip(self._from, new.names.arms, strict=True)
        ]
        self._known = [
            [Moments(len(names)) for _ in row] for names, row in zip(new.columns, new.names.arms, strict=True)
        ]

    def of(self, totals: Sequence[UserTotals | None]) -> list[UserTotals | None]:
        """Return a user's totals in each experiment, and add them up where columns are new."""
        found: list[UserTotals | None] = []
        for experiment, at in enumerate(self._from):
            before = None if at == GONE else totals[at]
            after = None if before is None else self._moved(experiment, at, before)
            found.append(after)
            if after is not None and after.arm != CROSSED and self._widens[experiment]:
                self._known[experiment][after.arm].add(after.values)
        return found

    def _moved(self, experiment: int, at: int, user: UserTotals) -> UserTotals:
        to = self._numbers.arms[at]
        arm = CROSSED if user.arm == CROSSED else to[user.arm]
        moved = UserTotals(arm, [] if arm == CROSSED else self._values(experiment, user.values))
        moved.seen = {to[seen] for seen in user.seen} - {GONE}
        return moved

    def _values(self, experiment: int, values: list[int]) -> list[int]:
        known = self._at[experiment]
        fresh = self._columns[experiment].values(values) if self._widens[experiment] else [0] * len(known)
        return [one if at == GONE else values[at] for at, one in zip(known, fresh, strict=True)]

    def arms(self, state: Sequence[Sequence[Any]]) -> list[list[Any]]:
        """Return the state of the arms in the new places, once all users have been moved."""
        return [
            [
                fresh.snapshot() if arm == GONE else self._moments(at, fresh, state[before][arm])
                for arm, fresh in zip(arms, row, strict=True)
            ]
            for before, at, arms, row in zip(self._from, self._at, self._arms_from, self._known, strict=True)
        ]

    @staticmethod
    def _moments(at: list[int], fresh: Moments, state: list[Any]) -> list[Any]:
        """Return an arm's moments: of known columns as they were, of new ones those of the users who were moved."""
        users, crossed, assigned, sums, products, positive = state
        count, new = len(sums), range(len(at))
        return [
            users,
            crossed,
            assigned,
            [sums[at[q]] if at[q] != GONE else str(fresh.sums[q]) for q in new],
            [
                str(fresh.products[q * len(at) + p]) if GONE in (at[q], at[p]) else products[at[q] * count + at[p]]
                for q in new
                for p in new
            ],
            [positive[at[q]] if at[q] != GONE else fresh.positive[q] for q in new],
        ]


def _impressions(packed: np.ndarray, experiments: int, numbers: Renumbering) -> np.ndarray:
    impressions = saved.load(packed, experiments)
    for one in impressions:
        one.arms, one.counted = numbers.arm_row(one.arms), numbers.arm_row(one.counted)
    return saved.save(impressions)


def _logs(arrays: Arrays, starts: Sequence[int], old: Shape, numbers: Renumbering) -> Arrays:
    """Return the logs of users' totals, each with a column of arms for each new experiment."""
    found = dict(arrays)
    for start in starts:
        count = len(arrays[f"{start}.users"])
        arms = arrays[f"{start}.arms"].reshape(count, len(old.names.experiments))
        met = arrays[f"{start}.met"].reshape(arms.shape)
        found[f"{start}.arms"] = numbers.arm_columns(arms).reshape(-1)
        moved = np.zeros((count, len(found[f"{start}.arms"]) // max(count, 1)), met.dtype)
        for before, after in enumerate(numbers.experiments):
            if after != GONE:
                moved[:, after] = met[:, before]
        found[f"{start}.met"] = moved.reshape(-1)
    return found
