"""The detectors that were tried beside the library's: two more of river's, and a plain CUSUM of our own.

Each takes its threshold from the tuning's: of ADWIN and KSWIN it is the negative decimal logarithm of their level.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from river.base import DriftDetector
from river.drift import ADWIN as RIVER_ADWIN
from river.drift import KSWIN as RIVER_KSWIN

from lis_online.drift.detector import MakeDetector, PageHinkley
from lis_online.drift.tuning import Tuning

REPLAYED: Final = 512
"""Most values that a state rebuilt by replaying holds; beyond, it starts anew from the newest half."""


class Cusum:
    """Two one-sided sums around 0 (Page 1954): a known mean before the change, as the reference gives it."""

    name = "cusum"

    def __init__(self, tuning: Tuning) -> None:
        self._slack, self._threshold = tuning.slack, tuning.threshold
        self.reset()

    def update(self, z: float) -> None:
        """Take the next value."""
        self._up = max(0.0, self._up + z - self._slack)
        self._down = max(0.0, self._down - z - self._slack)

    def get(self) -> bool:
        """Return whether the newest value brought a detection."""
        return max(self._up, self._down) > self._threshold

    def reset(self) -> None:
        """Forget everything."""
        self._up = self._down = 0.0

    def snapshot(self) -> list[Any]:
        """Return both sums."""
        return [self._up, self._down]

    def restore(self, state: list[Any]) -> None:
        """Replace the state by that of `snapshot`."""
        self._up, self._down = state


class _Replayed:
    """A detector of river's whose state cannot be read: the values it has seen are kept, and replayed."""

    name = ""

    def __init__(self, make: Callable[[], DriftDetector]) -> None:
        self._make = make
        self.reset()

    def update(self, z: float) -> None:
        """Take the next value."""
        if len(self._seen) == REPLAYED:
            self.restore(self._seen[REPLAYED // 2 :])
        self._seen.append(z)
        self._river.update(z)

    def get(self) -> bool:
        """Return whether the newest value brought a detection."""
        return bool(self._river.drift_detected)

    def reset(self) -> None:
        """Forget everything."""
        self._river, self._seen = self._make(), list[float]()

    def snapshot(self) -> list[Any]:
        """Return the values that were seen."""
        return list(self._seen)

    def restore(self, state: list[Any]) -> None:
        """Replace the state by that of `snapshot`."""
        self.reset()
        for z in state:
            self._river.update(z)
        self._seen = list(state)


class Adwin(_Replayed):
    """Adaptive windowing (Bifet and Gavalda 2007), looked at with every value; it looks for a change of either sign."""

    name = "adwin"

    def __init__(self, tuning: Tuning) -> None:
        delta = 10.0**-tuning.threshold
        super().__init__(lambda: RIVER_ADWIN(delta=delta, clock=1, min_window_length=3, grace_period=10))


class Kswin(_Replayed):
    """Kolmogorov-Smirnov windowing (Raab et al. 2020): the newest 12 values against 12 drawn from the 88 before."""

    name = "kswin"

    def __init__(self, tuning: Tuning) -> None:
        alpha = 10.0**-tuning.threshold
        super().__init__(lambda: RIVER_KSWIN(alpha=alpha, window_size=100, stat_size=12, seed=0))


DETECTORS: Final[dict[str, MakeDetector]] = {
    "page_hinkley": PageHinkley,
    "adwin": Adwin,
    "kswin": Kswin,
    "cusum": Cusum,
}
