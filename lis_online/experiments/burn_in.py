"""From how many users on an asymptotic sequence is what it says."""

from __future__ import annotations

from typing import Final

from lis_online.experiments import missing
from lis_online.experiments.levels import Level

BURN_IN: Final = 100
"""Effective users needed in each arm. In simulated worlds with heavy-tailed users 50 keep every error under 5 %, 100
with room to spare (docs/experiments.md). Watched from the first users on, a sequence errs in up to 15 %: a variance is
underestimated until the heaviest users have come."""


def too_few(control: Level, arm: Level, burn_in: int = BURN_IN) -> str | None:
    """Return why there is no sequence yet, None from the burn-in on.

    Effective users, not users: n / (1 + cv^2) shrinks with heavy users, with rare actions and with bots.
    """
    least = int(min(control.effective, arm.effective))
    return missing.TOO_FEW.format(least, burn_in) if least < burn_in else None
