"""The last values of each number that is watched: what a sparkline draws."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from lis_online.history.rows import PAIR_ALIGNMENT
from lis_online.metrics.alignment import PairAlignment
from lis_online.metrics.layout import ALL
from lis_online.metrics.results import SliceNumbers

LENGTH: Final = 120
"""Points that are kept: two hours of one-minute buckets, more than a sparkline has pixels for."""

Key = tuple[int, str, str, str]
"""Length of a window (ms, or one of `view`'s marks), kind, subject and number, the words of the history's rows."""

Trail = tuple[float | None, ...]


@dataclass(frozen=True, slots=True)
class Trails:
    """The newest `LENGTH` points of every window, of the slice "all". It never changes, so a view may hold it.

    ends: of the points, event time in ms, ascending. values: by number, as many as ends; None where there was none.

    >>> Trails().plus(60_000, {(0, "source", "coclick", "adjusted_lis"): 0.01}).plus(120_000, {}).ends
    (60000, 120000)
    """

    ends: tuple[int, ...] = ()
    values: Mapping[Key, Trail] = field(default_factory=dict)

    def plus(self, end: int, numbers: Mapping[Key, float | None]) -> Trails:
        """Return these points and one more; it replaces the last where that has the same end."""
        kept = len(self.ends) - (self.ends[-1:] == (end,))
        first = max(0, kept + 1 - LENGTH)
        none = (None,) * kept
        values = {
            key: (*self.values.get(key, none)[first:kept], numbers.get(key))
            for key in dict.fromkeys((*self.values, *numbers))
        }
        # a number that has left the trail altogether is forgotten: versions come and go
        known = {key: trail for key, trail in values.items() if any(value is not None for value in trail)}
        return Trails((*self.ends[first:kept], end), known)

    def snapshot(self) -> list[Any]:
        """Return the points as lists."""
        return [list(self.ends), [[*key, list(trail)] for key, trail in self.values.items()]]

    @classmethod
    def restore(cls, state: list[Any]) -> Trails:
        """Return the points of `snapshot`; none where it is empty."""
        if not state:
            return cls()
        ends, values = state
        return cls(tuple(ends), {tuple(key): tuple(trail) for *key, trail in values})


def watched(
    windows: Mapping[int, Mapping[str, SliceNumbers]], alignment: Mapping[int, Mapping[str, PairAlignment]]
) -> dict[Key, float | None]:
    """Return the numbers that have a trail, of windows by length and slice and alignment by length and variant."""
    return dict(_watched(windows, alignment))


def _watched(
    windows: Mapping[int, Mapping[str, SliceNumbers]], alignment: Mapping[int, Mapping[str, PairAlignment]]
) -> Iterator[tuple[Key, float | None]]:
    for length, slices in windows.items():
        for name, source in slices[ALL].sources.items():
            yield (length, "source", name, "adjusted_lis"), source.adjusted_lis.value
        for name, variant in slices[ALL].variants.items():
            yield (length, "variant", name, "adjusted_ais"), variant.adjusted_ais.value
            yield (length, "variant", name, "efficiency"), variant.efficiency.value
    for length, variants in alignment.items():
        for name, found in variants.items():
            yield (length, "variant", name, PAIR_ALIGNMENT), found.share.value
