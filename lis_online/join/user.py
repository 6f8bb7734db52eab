"""What is known of one user: engaged items in order, and totals, over everything and in the experiments."""

from __future__ import annotations

from array import array

from lis_online.experiments.moments import UserTotals


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
