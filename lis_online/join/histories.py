"""What is known of each user: engaged items in order, and totals, over everything and in the experiments."""

from __future__ import annotations

from array import array
from collections import OrderedDict
from itertools import islice

import numpy as np

from lis_online.experiments.moments import UserTotals
from lis_online.shards.contract import Snapshot


class User:
    """One user's recent engagement.

    items, times: the last engaged items (label action), oldest first, with event times in ms.
    recent: for each set of actions, item -> time of the last such action, least recent first.
    totals: for each experiment, what counts for its arms, or None. running: what was done of each quantity, whatever
    the experiment, in millionths; [] where no experiment needs it.
    """

    __slots__ = ("items", "last", "recent", "running", "times", "totals")

    def __init__(self, sets: int, experiments: int, quantities: int = 0) -> None:
        self.last = 0
        self.items: array[int] = array("q")
        self.times: array[int] = array("q")
        self.recent: list[dict[int, int]] = [{} for _ in range(sets)]
        self.totals: list[UserTotals | None] = [None] * experiments
        self.running = [0] * quantities

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

    def __init__(self, idle_limit: int, sets: int, experiments: int, quantities: int = 0) -> None:
        self._idle_limit = idle_limit
        self._shape = (sets, experiments, quantities)
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

    def snapshot(self) -> Snapshot:
        """Copy the state, users in the order of last activity."""
        sets = self._shape[0]
        heads, items, times = array("q"), array("q"), array("q")
        recent = [(array("q"), array("q")) for _ in range(sets)]
        totals, running = [], []
        for key, user in self._users.items():
            heads.extend((key, user.last, len(user.items), *map(len, user.recent)))
            items.extend(user.items)
            times.extend(user.times)
            for (others, ages), known in zip(recent, user.recent, strict=True):
                others.extend(known.keys())
                ages.extend(known.values())
            totals.append([None if entry is None else entry.snapshot() for entry in user.totals])
            running.append([str(total) for total in user.running])
        columns = {"heads": heads, "items": items, "times": times}
        for number, (others, ages) in enumerate(recent):
            columns |= {f"recent{number}": others, f"recent{number}_times": ages}
        return Snapshot(
            {"totals": totals, "running": running}, {name: np.frombuffer(c, np.int64) for name, c in columns.items()}
        )

    def restore(self, snapshot: Snapshot) -> None:
        """Replace the state."""
        columns = {name: iter(column.tolist()) for name, column in snapshot.arrays.items()}
        heads, items, times = (columns[name] for name in ("heads", "items", "times"))
        self._users = OrderedDict()
        for totals, running in zip(snapshot.meta["totals"], snapshot.meta["running"], strict=True):
            key, last, length = islice(heads, 3)
            user = self._users[key] = User(*self._shape)
            user.last = last
            user.items, user.times = array("q", islice(items, length)), array("q", islice(times, length))
            for number, count in enumerate(list(islice(heads, len(user.recent)))):
                others, ages = columns[f"recent{number}"], columns[f"recent{number}_times"]
                user.recent[number] = dict(zip(islice(others, count), islice(ages, count), strict=True))
            user.totals = [None if entry is None else UserTotals.restored(entry) for entry in totals]
            user.running = [int(total) for total in running]

    def _forget(self, oldest: int) -> None:
        users = self._users
        while users:
            key = next(iter(users))
            if users[key].last >= oldest:
                return
            del users[key]
