"""Sample-ratio mismatch with several arms of different shares."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from scipy import stats

from lis_online.experiments.srm import ALPHA, sample_ratio
from studies.experiments_parts import SRM_LOOKS, SRM_USERS, Seeds
from studies.section import percent, table

DECLARED: Final = (0.6, 0.3, 0.1)
TRUE: Final = (DECLARED, (0.605, 0.3, 0.095), (0.6, 0.32, 0.08))
"""As declared; a twentieth of the smallest arm's users lost to the largest; a fifth of them to the middle one."""


def run(runs: int, seeds: Seeds) -> list[dict[str, Any]]:
    """Return how often a mismatch is ever claimed, and of how many users, for each of the true shares."""
    step = SRM_USERS // SRM_LOOKS
    users = step * np.arange(1, SRM_LOOKS + 1)
    expected = users[:, None] * np.array(DECLARED)
    rows = []
    for true in TRUE:
        counts = seeds.next().multinomial(step, true, (runs, SRM_LOOKS)).cumsum(axis=1)
        claimed = np.array([[sample_ratio(look, DECLARED).mismatch for look in one] for one in counts.tolist()])
        chi_square = ((counts - expected) ** 2 / expected).sum(axis=2) > stats.chi2.isf(ALPHA, len(DECLARED) - 1)
        first = users[claimed.argmax(axis=1)][claimed.any(axis=1)]
        rows.append(
            {
                "shares": true,
                "found": float(claimed.any(axis=1).mean()),
                "chi_square": float(chi_square.any(axis=1).mean()),
                "median_users": float(np.median(first)) if len(first) else None,
            }
        )
    return rows


def split(shares: tuple[float, ...]) -> str:
    """Return shares in per cent.

    >>> split((0.605, 0.3, 0.095))
    '60.5/30/9.5'
    """
    return "/".join(f"{100 * share:g}" for share in shares)


def section(rows: list[dict[str, Any]]) -> str:
    """Return the page's part on three arms."""
    header = ["true split", "sequential test claims a mismatch", "chi-square, every look", "median users to claim"]
    shown = [
        [
            split(row["shares"]),
            percent(row["found"]),
            percent(row["chi_square"]),
            "-" if row["median_users"] is None or row["shares"] == DECLARED else f"{row['median_users']:,.0f}",
        ]
        for row in rows
    ]
    return f"""The same with three arms, declared {split(DECLARED)}:

{table(header, shown)}"""
