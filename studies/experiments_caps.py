"""Caps on users' totals: what they do to error and power, and that a capped metric is another metric."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

import numpy as np

from lis_online.experiments.burn_in import BURN_IN
from studies.experiments_parts import EFFECT, Seeds
from studies.experiments_watch import ever, levels, share_of, watch
from studies.experiments_worlds import CLICK, CLICKED, DWELL, IMPRESSION, Moments, World, chunks, joined, moments
from studies.section import percent, table

HEAVY: Final = World("very heavy users", users=10_000, activity=2.0)
LIFT: Final = 0.25
CLICKS: Final = 15.0
"""The most clicks that a user counts for."""
IMPRESSIONS: Final = 150.0
"""The most impressions that a user counts for."""

METRICS: Final[dict[str, tuple[str, tuple[int, ...]]]] = {
    "clicks per user": ("none", (DWELL,)),
    "clicks per user, capped": (f"{CLICKS:g} clicks", (CLICKED,)),
    "click rate": ("none", (CLICK, IMPRESSION)),
    "click rate, capped": (f"{IMPRESSIONS:g} impressions", (CLICK, IMPRESSION)),
}
"""Metric to its cap and its columns: of `plain` where there is none, else of `capped`."""


def plain(totals: np.ndarray) -> np.ndarray:
    """Return users' totals with clicks in the place of dwell as well."""
    made = totals.copy()
    made[:, DWELL] = totals[:, CLICK]
    return made


def capped(totals: np.ndarray) -> np.ndarray:
    """Return columns as `experiments.columns.Columns` makes them: click rate and clicks per user, capped.

    A rate's numerator is weighed down with its capped denominator; a mean's total is cut off.
    """
    made = totals.copy()
    made[:, IMPRESSION] = np.minimum(totals[:, IMPRESSION], IMPRESSIONS)
    made[:, CLICK] = totals[:, CLICK] * made[:, IMPRESSION] / totals[:, IMPRESSION]
    made[:, CLICKED] = np.minimum(totals[:, CLICK], CLICKS)
    return made


def simulate(world: World, runs: int, rng: np.random.Generator) -> dict[str, Moments]:
    """Return the moments of the same users with and without caps."""
    both = [
        (moments(world, size, seen, plain), moments(world, size, seen, capped))
        for size, seen in chunks(world, runs, rng)
    ]
    return {name: joined([pair[index] for pair in both]) for index, name in enumerate(("plain", "capped"))}


def run(runs: int, seeds: Seeds) -> list[dict[str, Any]]:
    """Return each metric's error without a lift, its power with one, and the lift that it estimates.

    estimated: of all runs' users together, at the end: what the metric's lift is, whatever the clicks' is;
    estimated_early: at a quarter of the run.
    """
    null, gain = (simulate(replace(HEAVY, lift=lift), runs, seeds.next()) for lift in (0.0, LIFT))
    rows = []
    for metric, (cap, columns) in METRICS.items():
        kind = "plain" if cap == "none" else "capped"
        without, found = (levels(of[kind], columns) for of in (null, gain))
        seen = watch(found, EFFECT)
        rows.append(
            {
                "metric": metric.removesuffix(", capped"),
                "cap": cap,
                "error": share_of(ever(watch(without, EFFECT).missed(BURN_IN))),
                "power": share_of(ever(seen.missed(BURN_IN))),
                "estimated_early": pooled_lift(gain[kind], columns, HEAVY.buckets // 4 - 1),
                "estimated": pooled_lift(gain[kind], columns, -1),
                "stderr": float(np.median(seen.stderr[:, -1])),
                "effective_users": float(np.median(seen.effective[:, -1])),
            }
        )
    return rows


def pooled_lift(of: Moments, columns: tuple[int, ...], look: int) -> float:
    """Return the relative lift over all runs' users together, at a look."""
    sums, users = of.sums[:, :, look].sum(axis=0), of.users[:, :, look].sum(axis=0)
    below = sums[:, columns[1]] if len(columns) > 1 else users
    level = sums[:, columns[0]] / below
    return float(level[1] / level[0] - 1)


def section(rows: list[dict[str, Any]]) -> str:
    """Return the page's section."""
    header = ["metric", "cap", "error", "power", "lift of the metric at the end", "at a quarter of the run"]
    header += ["standard error", "effective users"]
    shown = [
        [
            row["metric"],
            row["cap"],
            percent(row["error"]),
            percent(row["power"]),
            percent(row["estimated"]),
            percent(row["estimated_early"]),
            percent(row["stderr"]),
            f"{row['effective_users']:.0f}",
        ]
        for row in rows
    ]
    return f"""## With a cap

A world of {HEAVY.users:,} users, some of them very heavy (sigma of activity {HEAVY.activity:g}), in which clicks rise
by {percent(LIFT)} for everybody, and the same world without a lift. Error and power are the always-valid
interval's over {HEAVY.buckets} looks. The metric's own lift is over all runs together.

{table(header, shown)}

A cap is declared before the experiment, and a capped metric is *another metric*. Who is at the cap of clicks can
gain none, so the capped mean rises by less than clicks do, and by less the longer the experiment runs and the more
users get there: read it as "typical users gained", never as the gain in clicks. A capped click rate keeps each user's
own rate and gives heavy users less weight. Here all users gain alike, and it estimates the same lift; where heavy users
react otherwise, it does not."""
