"""The change detector: river's Page-Hinkley test, with a state that is plain numbers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, Protocol

from lis_online.drift.tuning import Tuning


class Detector(Protocol):
    """What says that standardised values have left 0. After a detection it is reset by its owner."""

    name: str

    def update(self, z: float) -> None:
        """Take the next value."""

    def get(self) -> bool:
        """Return whether the newest value brought a detection."""

    def reset(self) -> None:
        """Forget everything."""

    def snapshot(self) -> list[Any]:
        """Return the state as plain data."""

    def restore(self, state: list[Any]) -> None:
        """Replace the state by that of `snapshot`."""


MakeDetector = Callable[[Tuning], Detector]

EXPECTED: Final = 168
"""Values of 0 that it begins with: what the reference says of the series. Else a change at its beginning would be its
mean, and never seen."""
_SUMS: Final = ("_sum_increase", "_sum_decrease", "_min_increase", "_max_decrease")


class PageHinkley:
    """Page-Hinkley on both sides (Page 1954), around the running mean of what it has seen, 0 at first.

    >>> detector = PageHinkley(Tuning(threshold=10.0, slack=0.5))
    >>> found = []
    >>> for z in [3.0] * 5:
    ...     detector.update(z)
    ...     found.append(detector.get())
    >>> found
    [False, False, False, False, True]
    """

    name = "page_hinkley"

    def __init__(self, tuning: Tuning) -> None:
        self._slack, self._threshold = tuning.slack, tuning.threshold
        self.reset()

    def update(self, z: float) -> None:
        """Take the next value."""
        self._river.update(z)  # type: ignore[no-untyped-call]  # river has no types there

    def get(self) -> bool:
        """Return whether the newest value brought a detection."""
        return bool(self._river.drift_detected)

    def reset(self) -> None:
        """Forget everything."""
        from river.drift import PageHinkley as RiverPageHinkley  # loads pandas and scikit-learn: not with the module

        self._river = RiverPageHinkley(min_instances=1, delta=self._slack, threshold=self._threshold, alpha=1.0)
        for _ in range(EXPECTED):
            self.update(0.0)

    def snapshot(self) -> list[Any]:
        """Return count and mean of what was seen, the four sums of the test, and whether it has detected."""
        mean = self._river._x_mean
        return [mean.n, mean.get(), *(getattr(self._river, name) for name in _SUMS), self.get()]

    def restore(self, state: list[Any]) -> None:
        """Replace the state by that of `snapshot`."""
        self.reset()
        count, mean, *sums, detected = state
        self._river._x_mean.n, self._river._x_mean._mean = count, mean
        for name, value in zip(_SUMS, sums, strict=True):
            setattr(self._river, name, value)
        self._river._drift_detected = detected
