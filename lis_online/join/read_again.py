"""`representations` read once more, for variants that the settings did not have when it was read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


class ReadAgain:
    """From where each variant still needs what lies before `until`, where all are read together again.

    variants: those of the settings.
    """

    def __init__(self, variants: Sequence[str]) -> None:
        self.until = 0
        self._variants = list(variants)
        self._next: dict[str, int] = {}

    def update(self, offset: int) -> list[str]:
        """Go past an offset before `until`; return the variants that need what is there."""
        wanted = [variant for variant, following in self._next.items() if following <= offset]
        self._next |= dict.fromkeys(wanted, offset + 1)
        return wanted

    def snapshot(self) -> list[Any]:
        """Return the state, and whose it is."""
        return [self.until, self._variants, sorted(self._next.items())]

    def restore(self, state: Sequence[Any], position: int) -> int:
        """Replace the state by that of `snapshot`; return the offset to read from.

        position: the next offset then. A variant that is not of the snapshot needs everything before it.
        """
        until, known, following = state
        self.until = max(until, position)
        self._next = {variant: offset for variant, offset in following if variant in self._variants and offset < until}
        self._next |= {variant: 0 for variant in self._variants if variant not in known}
        return min([position if position >= until else self.until, *self._next.values()])
