"""The leak rule: which pairs a sample may see. No torch in here: the sketch works by it on whatever arrays it has.

For a sample of a user in fold f at time t, with horizon H and memory P, in ms:

    past     pairs of everybody with time in [t - P, t), where t - P is rounded down to the ageing grid
    future   pairs with time in [t, t + H] that leak, but for those of fold f

All intervals are half open in whole milliseconds: [t, t + H] is [t, t + H + 1).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

PAST_ONLY: Final = -1
"""The fold of a pair without a user of the feed: it cannot obey the rule, so it never leaks."""

AGEING_STEPS: Final = 32
"""The memory's grid: P / 32, at most 3 % of the memory too long."""


@dataclass(slots=True)
class Leak:
    """The rule's three figures: horizon H and memory P in ms, number of user folds.

    Times and folds are whole numbers, or arrays or tensors of them. A pair's fold is 0 to folds - 1, PAST_ONLY, or
    `folds` for a pair that leaks to everyone.

    >>> leak = Leak(horizon=100, memory=3200, folds=2)
    >>> leak.past_start(10_050), leak.past_end(10_050), leak.future_end(10_050)
    (6800, 10050, 10151)
    >>> leak.comes(10_150), leak.passes(10_049)
    (10050, 10050)
    """

    horizon: int
    memory: int
    folds: int

    @property
    def ageing(self) -> int:
        """The grid on which the past forgets, ms."""
        return max(1, self.memory // AGEING_STEPS)

    def past_start(self, t: Any) -> Any:
        """Return the earliest pair time that a sample at t sees."""
        return (t - self.memory) // self.ageing * self.ageing

    def past_end(self, t: Any) -> Any:
        """Return the first pair time that is no longer past for a sample at t, but future."""
        return t

    def future_end(self, t: Any) -> Any:
        """Return the first pair time that a sample at t does not see yet."""
        return t + self.horizon + 1

    def comes(self, ts: Any) -> Any:
        """Return the first sample time that sees a pair of time ts as future."""
        return ts - self.horizon

    def passes(self, ts: Any) -> Any:
        """Return the first sample time that sees a pair of time ts as past."""
        return ts + 1

    def leaks(self, fold: Any) -> Any:
        """Say whether a pair of this fold is in anybody's future."""
        return fold != PAST_ONLY

    def is_withheld(self, fold: Any) -> Any:
        """Say whether a pair's future is withheld from one fold: its own."""
        return (fold != PAST_ONLY) & (fold < self.folds)

    def cuts(self, first: int, last: int) -> list[int]:
        """Return the sample times in (first, last] at which the past forgets a step."""
        step = self.ageing
        low = (first - self.memory) // step + 1
        high = (last - self.memory) // step
        return [k * step + self.memory for k in range(low, high + 1)]
