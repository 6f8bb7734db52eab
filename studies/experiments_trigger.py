"""A trigger: only users whom the change could touch are compared."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

import numpy as np

from lis_online.experiments.burn_in import BURN_IN
from lis_online.experiments.srm import sample_ratio
from studies.experiments_parts import EFFECT, Seeds
from studies.experiments_watch import METRICS, ever, levels, share_of, watch
from studies.experiments_worlds import CLICK, Moments, World, simulate
from studies.section import percent, table

TOUCHED: Final = World("touched", users=2_000)
OTHERS: Final = World("not touched", users=18_000)
LIFT: Final = 0.3
PULL: Final = 0.2
"""By how much more often a trigger is met in treatment, when the change itself pulls it."""
COLUMNS: Final = METRICS["click rate"]


def run(runs: int, seeds: Seeds) -> list[dict[str, Any]]:
    """Return error, power and the estimated total effect, of all users and of the triggered ones alone.

    Users are independent, so the moments of all are the sum of those of the touched and of the others.
    """
    others = simulate(OTHERS, runs, seeds.next())
    null, gain = (simulate(replace(TOUCHED, lift=lift), runs, seeds.next()) for lift in (0.0, LIFT))
    rows = []
    for name, pair in (("all users", (total(null, others), total(gain, others))), ("triggered users", (null, gain))):
        without, found = (levels(of, COLUMNS) for of in pair)
        lift = found.value[:, 1, -1] / found.value[:, 0, -1] - 1
        touched, compared, whole = (of.sums[:, 0, -1, CLICK] for of in (gain, pair[1], total(gain, others)))
        effect = lift * compared / whole
        rows.append(
            {
                "users": name,
                "error": share_of(ever(watch(without, EFFECT).missed(BURN_IN))),
                "lift": LIFT * float((touched / compared).mean()),
                "power": share_of(ever(watch(found, EFFECT).missed(BURN_IN))),
                "effect": float(effect.mean()),
                "effect_spread": float(effect.std()),
            }
        )
    return rows


def pulled(runs: int, seeds: Seeds) -> float:
    """Return in how many runs the sample ratio of the triggered users shows, at the end, that treatment pulls it."""
    arm = (TOUCHED.users + OTHERS.users) // 2
    rate = TOUCHED.users / (TOUCHED.users + OTHERS.users)
    counts = seeds.next().binomial(arm, [rate, rate * (1 + PULL)], (runs, 2))
    return share_of(np.array([sample_ratio(pair, [0.5, 0.5]).mismatch for pair in counts.tolist()]))


def total(one: Moments, other: Moments) -> Moments:
    """Return the moments of both groups of users together."""
    return Moments(one.users + other.users, one.sums + other.sums, one.products + other.products)


def section(rows: list[dict[str, Any]], shows: float) -> str:
    """Return the page's section."""
    header = ["compared", "true lift", "error", "power", "total effect: mean over runs", "its spread over runs"]
    shown = [
        [
            row["users"],
            percent(row["lift"]),
            percent(row["error"]),
            percent(row["power"]),
            percent(row["effect"]),
            percent(row["effect_spread"]),
        ]
        for row in rows
    ]
    wider = (rows[0]["effect_spread"] / rows[1]["effect_spread"]) ** 2
    return f"""## With a trigger

A change that {TOUCHED.users:,} of {TOUCHED.users + OTHERS.users:,} users could meet, say of one surface: it raises
their click rate by {percent(LIFT)} and nobody else's. The total effect is the relative gain in all users' clicks: the
lift, times the share of control's clicks that the compared users make.

{table(header, shown)}

The trigger takes out users who can only add noise: the same effect, with {wider:.0f} times less variance. It must be
told from what is the same in both arms, such as the surface that was asked for. One that the change itself can pull,
such as "saw the new item", compares different users: where treatment meets the trigger {percent(PULL)} more often, the
sample ratio of the triggered users shows it in {percent(shows)} of the runs."""
