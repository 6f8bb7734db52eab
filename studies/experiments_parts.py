"""The parts of the study of the arms' statistics: each simulates, looks, and returns figures as plain data."""

from __future__ import annotations

from dataclasses import dataclass, replace
from statistics import NormalDist
from typing import Any, Final

import numpy as np

from lis_online.experiments.burn_in import BURN_IN
from lis_online.experiments.sequence import AtUsers
from lis_online.experiments.srm import ALPHA as SRM_ALPHA
from lis_online.experiments.srm import sample_ratio
from studies.experiments_watch import ALPHA, BEFORE, METRICS, ever, levels, share_of, watch
from studies.experiments_worlds import World, simulate

EFFECT: Final = 0.1
"""Relative effect that the study's sequences are for: one that worlds of these sizes can show."""
THRESHOLDS: Final = (0, 25, 50, 100, 200, 400)
"""Effective users of an arm that are tried as a burn-in."""

FEED: Final = World("feed")
NULLS: Final = (
    FEED,
    World("uneven", users=12_000, share=0.2, activity=1.2),
    World("returning", users=1_500, arrivals=0.05, visits=12),
    World("regulars", users=300, arrivals=0.05, visits=80, activity=0.1, rates=1e4),
    World("one visit each", visits=0, rates=2),
)
"""A/A. uneven: 20 % of heavy-tailed users treated; returning: all users come early and keep coming; regulars: the same
with users who hardly differ, so that looks within users are nearly independent; one visit each: nobody comes back."""
HEAVY: Final = (
    World("10 % treated", users=30_000, buckets=300, share=0.1, activity=1.5),
    World("bots", users=30_000, buckets=300, share=0.2, activity=2.0, dwell=1.5),
)
"""A/A worlds that the burn-in is chosen in."""
GAINS: Final = (replace(FEED, lift=0.12), World("heavy users", activity=1.5, lift=0.25))
SRM_USERS: Final = 200_000
SRM_LOOKS: Final = 100


@dataclass(frozen=True)
class Seeds:
    """Independent generators from one seed, in the order of asking."""

    sequence: np.random.SeedSequence

    def next(self) -> np.random.Generator:
        """Return the next."""
        return np.random.default_rng(self.sequence.spawn(1)[0])


def burn_in(runs: int, seeds: Seeds) -> list[dict[str, Any]]:
    """Return A/A errors by burn-in: of the runs that got that far, how many ever excluded no lift."""
    rows = []
    for world in HEAVY:
        moments = simulate(world, runs, seeds.next())
        for metric, columns in METRICS.items():
            seen = watch(levels(moments, columns), EFFECT)
            row: dict[str, Any] = {"world": world.name, "metric": metric, "error": {}, "runs": {}}
            for threshold in THRESHOLDS:
                reached = ever(seen.ready(threshold))
                wrong = ever(seen.missed(threshold))
                row["runs"][threshold] = int(reached.sum())
                row["error"][threshold] = float(wrong[reached].mean()) if reached.sum() >= max(1, runs // 10) else None
            rows.append(row)
    return rows


def null(runs: int, seeds: Seeds) -> list[dict[str, Any]]:
    """Return A/A errors of the sequence and of fixed-horizon intervals looked at after every bucket."""
    rows = []
    for world in NULLS:
        moments = simulate(world, runs, seeds.next())
        for metric, columns in METRICS.items():
            found = levels(moments, columns)
            seen = watch(found, EFFECT)
            by_users = replace(seen, mixture=AtUsers(world.users // 2).mixture(1.0, moments.users.sum(axis=1), ALPHA))
            rows.append(
                {
                    "world": world.name,
                    "metric": metric,
                    "sequential": share_of(ever(seen.missed(BURN_IN))),
                    "sequential_by_users": share_of(ever(by_users.missed(BURN_IN))),
                    "fixed_peeking": share_of(ever(seen.missed_fixed(BURN_IN))),
                    "fixed_once": share_of(seen.missed_fixed(BURN_IN)[:, -1]),
                    "effective_users": float(np.median(seen.effective[:, -1])),
                }
            )
    return rows


def gain(runs: int, seeds: Seeds) -> list[dict[str, Any]]:
    """Return coverage of the true lift at all looks, and power against tests at one time chosen before.

    power, power_fixed: by bucket; the sequence's by stopping at the first exclusion of 0, the fixed-horizon test's with
    its only look at that bucket.
    """
    rows = []
    for world in GAINS:
        moments = simulate(world, runs, seeds.next())
        for metric in ("click rate", "dwell per user"):
            found = levels(moments, METRICS[metric])
            true, none = watch(found, EFFECT, world.lift), watch(found, EFFECT)
            seen = none.missed(BURN_IN)
            stopped = np.maximum.accumulate(seen, axis=1)
            users = moments.users.sum(axis=1)
            first = seen.argmax(axis=1)
            at = users[np.arange(len(first)), first][ever(seen)]
            rows.append(
                {
                    "world": world.name,
                    "metric": metric,
                    "lift": world.lift,
                    "coverage": share_of(~ever(true.missed(BURN_IN))),
                    "coverage_fixed_peeking": share_of(~ever(true.missed_fixed(BURN_IN))),
                    "power": stopped.mean(axis=0).tolist(),
                    "power_fixed": none.missed_fixed(BURN_IN).mean(axis=0).tolist(),
                    "users": users.mean(axis=0).tolist(),
                    "median_users_to_stop": float(np.median(at)) if len(at) else None,
                }
            )
    return rows


def cuped(runs: int, seeds: Seeds) -> dict[str, Any]:
    """Return what a pre-period as long as the run does to the click rate: error, and variance taken out."""
    moments = simulate(replace(FEED, before=1.0), runs, seeds.next())
    columns = METRICS["click rate"]
    plain, adjusted = watch(levels(moments, columns), EFFECT), watch(levels(moments, columns, BEFORE), EFFECT)
    reduction = 1 - (adjusted.stderr[:, -1] / plain.stderr[:, -1]) ** 2
    return {
        "error": share_of(ever(adjusted.missed(BURN_IN))),
        "error_without": share_of(ever(plain.missed(BURN_IN))),
        "variance_taken_out": float(np.median(reduction)),
    }


def sample_ratios(runs: int, seeds: Seeds, share: float) -> dict[str, Any]:
    """Return how often a mismatch is claimed of 50/50 when treatment's true share is `share`, and after how many users.

    found: share of runs, by look; chi_square: the same of a chi-square test at the same level, looked at as often.
    """
    rng, step = seeds.next(), SRM_USERS // SRM_LOOKS
    users = step * np.arange(1, SRM_LOOKS + 1)
    treated = rng.binomial(step, share, (runs, SRM_LOOKS)).cumsum(axis=1)
    counts = np.stack([users - treated, treated], axis=-1).tolist()
    claimed = np.array([[sample_ratio(pair, [0.5, 0.5]).mismatch for pair in run] for run in counts])
    chi_square = (2 * treated - users) ** 2 / users > NormalDist().inv_cdf(1 - SRM_ALPHA / 2) ** 2
    first = users[claimed.argmax(axis=1)][claimed.any(axis=1)]
    return {
        "share": share,
        "users": users.tolist(),
        "found": np.maximum.accumulate(claimed, axis=1).mean(axis=0).tolist(),
        "chi_square": np.maximum.accumulate(chi_square, axis=1).mean(axis=0).tolist(),
        "median_users": float(np.median(first)) if len(first) else None,
    }


def chosen_burn_in(rows: list[dict[str, Any]]) -> int | None:
    """Return the smallest burn-in whose error is at most ALPHA in every world and metric that has one."""
    for threshold in THRESHOLDS:
        errors = [row["error"][threshold] for row in rows if row["error"][threshold] is not None]
        if errors and max(errors) <= ALPHA:
            return threshold
    return None
