"""What is known of each user: engaged items in order, and totals in the experiments."""

from __future__ import annotations

from array import array
from collections import OrderedDict
from typing import Any

from lis_online.experiments.moments import UserTotals


class User:
    """One user's recent engagement.

    items, times: the last engaged items (label action), oldest first, with event times in ms.
    recent: for each set of actions, item -> time of the last such action, least recent first.
    totals: for each experiment, what counts for its arms, or None.
    """

    __slots__ = ("items", "last", "recent", "times", "totals")

    def __init__(self, sets: int, experiments: int) -> None:
        self.last = 0
        self.items: array[int] = array("q")
        self.times: array[int] = array("q")
        self.recent: list[dict[int, int]] = [{} for _ in range(sets)]
        self.totals: list[UserTotals | None] = [None] * experiments

    def engage(self, item: int, now: int, length: int) -> None:
        """Append to the history, which keeps `length` entries."""
        self.items.append(item)
        self.times.append(now)
        if len(self.items) > length:
            del self.items[0], self.times[0]

    def touch(self, number: int, item: int, now: int, length: int) -> None:
        """Make an item the most recent one of a set of actions, which keeps `length` distinct items."""
        recent = self.recent[number]
        recent.pop(item, None)
        recent[item] = now
        if len(recent) > length:
            del recent[next(iter(recent))]


class Histories:
    """Users by id hash, the least recently active first; those idle for too long (event time) are forgotten.

    A forgotten user who comes back is a new one, to the history and to the experiments' arms.
    """

    def __init__(self, idle_limit: int, sets: int, experiments: int) -> None:
        self._idle_limit = idle_limit
        self._shape = (sets, experiments)
        self._users: OrderedDict[int, User] = OrderedDict()

    def update(self, user: int, now: int) -> User:
        """Note a user's activity at an event time, which never decreases; return the user."""
        users = self._users
        self._forget(now - self._idle_limit)
        known = users.get(user)
        if known is None:
            known = users[user] = User(*self._shape)
        else:
            users.move_to_end(user)
        known.last = now
        return known

    def get(self, user: int) -> User | None:
        """Return what is known of a user."""
        return self._users.get(user)

    def __len__(self) -> int:
        return len(self._users)

    def snapshot(self) -> list[Any]:
        """Copy the state, in the order of last activity."""
        return [
            [
                key,
                user.last,
                user.items.tobytes(),
                user.times.tobytes(),
                [[list(entry) for entry in recent.items()] for recent in user.recent],
                [None if totals is None else totals.snapshot() for totals in user.totals],
            ]
            for key, user in self._users.items()
        ]

    def restore(self, state: list[Any]) -> None:
        """Replace the state."""
        self._users = OrderedDict()
        for key, last, items, times, recent, totals in state:
            user = self._users[key] = User(*self._shape)
            user.last = last
            user.items, user.times = array("q", items), array("q", times)
            user.recent = [dict(entries) for entries in recent]
            user.totals = [None if entry is None else UserTotals.restored(entry) for entry in totals]

    def _forget(self, oldest: int) -> None:
        users = self._users
        while users:
            key = next(iter(users))
            if users[key].last >= oldest:
                return
            del users[key]
