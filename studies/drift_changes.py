"""What can happen to a feed at a known time: changes of its true levels, and what a reader should be told of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from lis_online.drift.event import Cause
from studies.drift_feed import Change, Levels

VARIANT: Final = "title"
"""The variant that changes; the other one of the source does not."""
SOURCE: Final = "coclick"
MEMORY: Final = 6.0
"""Hours after which a source that stopped has no pair left (the setting's default)."""
FORKED: Final = 20_000
"""Samples that a new version's rankers learn from before their numbers are read."""


@dataclass(frozen=True)
class Case:
    """A change: its cause and what that lies with. kind: what happens, from hour `at` on."""

    name: str
    cause: Cause
    about: str
    kind: str
    size: float = 0.0

    def change(self, at: float) -> Change:
        """Return the change that begins at an hour."""

        def apply(levels: Levels) -> None:
            if levels.hour >= at:
                _APPLY[self.kind](levels, levels.hour - at, self.size)

        return apply


def _lose(levels: Levels, _: float, size: float) -> None:
    levels.ais[VARIANT] *= 1 - size


def _lose_slowly(levels: Levels, since: float, size: float) -> None:
    levels.ais[VARIANT] *= 1 - size * min(since / 48, 1)


def _break(levels: Levels, _: float, __: float) -> None:
    levels.ais[VARIANT] = 0.0
    levels.aligned[VARIANT] = 0.5


def _new_version(levels: Levels, since: float, size: float) -> None:
    _break(levels, since, size)
    levels.version[VARIANT] = "2"
    if since * levels.traffic < FORKED:
        levels.learning.add(VARIANT)


def _die(levels: Levels, since: float, _: float) -> None:
    left = max(0.0, 1 - since / MEMORY)
    levels.lis[SOURCE] *= 0.5 * left
    levels.source_cover[SOURCE] *= left
    for variant in levels.aligned:
        levels.aligned[variant] = None


def _quiet_day(levels: Levels, since: float, size: float) -> None:
    """Half of the traffic for a day, of items of which some have no vector: what has none brings nothing."""
    if since >= 24:
        return
    levels.traffic *= 0.5
    for variant in levels.ais:
        levels.ais[variant] *= 1 - size
        levels.cover[variant] *= 1 - size
        levels.shift[variant] *= 1.2


_APPLY: Final = {
    "lose": _lose,
    "slow": _lose_slowly,
    "break": _break,
    "version": _new_version,
    "die": _die,
    "quiet": _quiet_day,
}

CASES: Final = (
    Case("efficiency falls by 30 % at once", "representation", VARIANT, "lose", 0.3),
    Case("efficiency falls by 10 % at once", "representation", VARIANT, "lose", 0.1),
    Case("efficiency falls by 30 % over two days", "representation", VARIANT, "slow", 0.3),
    Case("broken vectors, same version", "representation", VARIANT, "break"),
    Case("broken vectors, new version", "version", VARIANT, "version"),
    Case("a preference source dies", "source", SOURCE, "die"),
    Case("quiet day, a quarter of the vectors missing", "data", "", "quiet", 0.25),
)
