"""No sequence before there are enough users."""

from __future__ import annotations

from lis_online.experiments.burn_in import BURN_IN, too_few
from lis_online.experiments.levels import Level


def test_the_smaller_arm_decides() -> None:
    """Effective users of either arm under the burn-in: the sentence names how many of how many."""
    enough, few = Level(1.0, 1.0, 10**6, float(BURN_IN)), Level(1.0, 1.0, 10**6, 57.9)
    assert too_few(enough, enough) is None
    assert too_few(enough, few) == too_few(few, enough) == "too few users for a sequence: 57 of 100 effective ones"
    assert too_few(few, few, burn_in=50) is None
