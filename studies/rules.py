"""Rules of intervals, tried on the same worlds: what the published one is compared with."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np

from lis_online.metrics.estimate import T_QUANTILE
from lis_online.metrics.jackknife import jackknife_variance
from lis_online.metrics.numbers import learning_noise
from studies.coverage import refused

CONTRASTS: Final = {
    "lis": ("leaked", "unleaked"),
    "adjusted_lis": ("leaked", "placebo"),
    "placebo": ("placebo", "unleaked"),
    "ais": ("aligned", "unleaked"),
    "adjusted_ais": ("aligned", "permuted"),
    "twin": ("twin", "unleaked"),
}
"""The rankers behind each difference, by kind: a cell has one source and one variant."""


class Deletions:
    """One world's AUCs and their deletions, ready for differences."""

    def __init__(self, levels: dict[str, Any]) -> None:
        self._kinds = [name.split(":")[0] for name in levels["rankers"]]
        self._value, self._user, self._time = (np.array(levels[name], np.float64) for name in ("value", "user", "time"))
        self._users, self._blocks = np.array(levels["users_present"]), np.array(levels["blocks_present"])

    def value(self, number: str) -> float:
        """Return a difference."""
        first, second = self._rows(number)
        return float(self._value[first] - self._value[second])

    def variances(self, number: str) -> tuple[float, float]:
        """Return a difference's variance by user and by time."""
        first, second = self._rows(number)
        by_user = jackknife_variance(self._user[first] - self._user[second], self._users)
        by_time = jackknife_variance(self._time[first] - self._time[second], self._blocks)
        return float(by_user), float(by_time)

    def level_variance(self, kind: str) -> float:
        """Return the larger variance of one ranker's AUC itself."""
        row = self._kinds.index(kind)
        by_user = jackknife_variance(self._user[row], self._users)
        return max(float(by_user), float(jackknife_variance(self._time[row], self._blocks)))

    def twin_noise(self, base: float) -> float:
        """Return the variance that learning adds by the published rule; base: the twin's own variance."""
        return float(learning_noise(np.array(self.value("twin")), np.array(base)))

    def _rows(self, number: str) -> tuple[int, int]:
        first, second = (self._kinds.index(kind) for kind in CONTRASTS[number])
        return first, second


Rule = Callable[[Deletions, str], float]

RULES: Final[dict[str, Rule]] = {
    "users alone": lambda d, n: d.variances(n)[0],
    "time alone": lambda d, n: d.variances(n)[1],
    "the larger": lambda d, n: max(d.variances(n)),
    "the larger, twin (published)": lambda d, n: max(d.variances(n)) + d.twin_noise(max(d.variances("twin"))),
    "the sum": lambda d, n: sum(d.variances(n)),
}
"""Variance of a difference by each rule."""


def rule_coverage(results: list[dict[str, Any]], number: str, rule: Rule) -> tuple[int, int]:
    """Return how many intervals by a rule hold the mean over the worlds, of how many."""
    kept = [Deletions(result["levels"]) for result in results if not refused(result, number)]
    every = [Deletions(result["levels"]).value(number) for result in results if result["levels"] is not None]
    target = float(np.mean(every)) if every else float("nan")
    held = [abs(one.value(number) - target) <= T_QUANTILE * np.sqrt(rule(one, number)) for one in kept]
    return int(sum(held)), len(held)
