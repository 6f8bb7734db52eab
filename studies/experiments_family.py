"""Several arms and metrics at once: how many of the claims are wrong, with each correction."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

import numpy as np
from scipy.special import erfc

from lis_online.experiments.burn_in import BURN_IN
from lis_online.experiments.multiple import METHODS, Correction, adjusted
from studies.experiments_parts import EFFECT, FEED, Seeds
from studies.experiments_watch import ALPHA, METRICS, Levels, levels, watch
from studies.experiments_worlds import Moments, joined, simulate
from studies.section import percent, table

LIFT: Final = 0.2
LOOKS: Final = 20
WORLD: Final = replace(FEED, buckets=LOOKS)
"""Two arms of it; an experiment here is two such worlds side by side: control and three arms."""
ARMS: Final = 3


def run(runs: int, seeds: Seeds) -> list[dict[str, Any]]:
    """Return, with no lift at all and with one in the last arm, what each correction claims.

    family: share of runs that ever claim a lift where there is none; fixed: the same of fixed-horizon p-values.
    discoveries: mean over runs of the wrong ones' share among the last look's claims (0 where there is none). found:
    share of the true lifts that are claimed at the last look.
    """
    rows = []
    for lift in (0.0, LIFT):
        arms = [simulate(world, runs, seeds.next()) for world in (WORLD, replace(WORLD, lift=lift))]
        sequential, fixed = p_values(joined(arms, axis=1))
        family = np.arange(sequential.shape[2])
        true = (family >= (ARMS - 1) * len(METRICS)) & (lift > 0)
        for correction in METHODS:
            claimed = claims(sequential, correction)
            last = claimed[:, -1]
            wrong = (last & ~true).sum(axis=1) / np.maximum(1, last.sum(axis=1))
            rows.append(
                {
                    "lift": lift,
                    "correction": correction,
                    "family": float((claimed & ~true).any(axis=(1, 2)).mean()),
                    "fixed": float((claims(fixed, correction) & ~true).any(axis=(1, 2)).mean()),
                    "discoveries": float(wrong.mean()),
                    "found": float(last[:, true].mean()) if lift else None,
                }
            )
    return rows


def p_values(of: Moments) -> tuple[np.ndarray, np.ndarray]:
    """Return sequential and fixed-horizon p-values against the first arm, [runs, looks, arms x metrics]; 1 for none."""
    found: tuple[list[np.ndarray], list[np.ndarray]] = ([], [])
    for arm in range(1, of.users.shape[1]):
        for columns in METRICS.values():
            seen = watch(pair(levels(of, columns), arm), EFFECT)
            sequential = np.exp(np.minimum(0, -seen.mixture.log_e(seen.z_squared)))
            fixed = erfc(np.sqrt(seen.z_squared / 2))
            for some, p in zip(found, (sequential, fixed), strict=True):
                some.append(np.where(seen.ready(BURN_IN), p, 1.0))
    return np.stack(found[0], axis=-1), np.stack(found[1], axis=-1)


def pair(of: Levels, arm: int) -> Levels:
    """Return the levels of control and of one arm."""
    return Levels(of.value[:, [0, arm]], of.variance[:, [0, arm]], of.effective[:, [0, arm]])


def claims(p: np.ndarray, correction: Correction) -> np.ndarray:
    """Return what the library claims at each look: bool, the shape of p, [runs, looks, family]."""
    some = (p < ALPHA).any(axis=2)  # no correction makes a p-value smaller: only these looks can claim anything
    found = np.zeros(p.shape, bool)
    for run, look in np.argwhere(some):
        family = adjusted(p[run, look].tolist(), correction)
        found[run, look] = [one is not None and one < ALPHA for one in family]
    return found


def section(rows: list[dict[str, Any]]) -> str:
    """Return the page's section."""
    header = ["true lift in one arm", "correction", "ever a wrong claim", "the same, fixed", "wrong among the claims"]
    header += ["true lifts claimed at the end"]
    shown = [
        [
            percent(row["lift"]),
            row["correction"],
            percent(row["family"]),
            percent(row["fixed"]),
            percent(row["discoveries"]),
            "-" if row["found"] is None else percent(row["found"]),
        ]
        for row in rows
    ]
    return f"""## Several arms and metrics

Control and {ARMS} arms, {len(METRICS)} metrics: a family of {ARMS * len(METRICS)} comparisons, {LOOKS} looks. Without a
lift anywhere, and with one in all metrics of the last arm. Holm's correction bounds "ever a wrong claim" by
{percent(ALPHA)}, Benjamini and Hochberg's "wrong among the claims", which is the mean over runs at the last look.

{table(header, shown)}

The comparisons share one control and each arm's users, so their p-values depend on each other. Neither correction of
sequential p-values asks for independence."""
