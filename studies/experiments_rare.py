"""Worlds of the size of the Open Bandit sample: 20,000 impressions an arm, few clicks, each impression a user."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import numpy as np

from lis_online.experiments.burn_in import BURN_IN
from studies.experiments_parts import EFFECT, Seeds
from studies.experiments_watch import Watched, ever, levels, share_of, watch
from studies.experiments_worlds import Moments
from studies.figures import COLOURS, GREY, figure, link
from studies.section import percent, table

Part = dict[str, Any]

RATE: Final = 0.005
SIZE: Final = 20_000
"""Impressions of an arm in the sample."""
STEP: Final = 500
"""Impressions of an arm between two looks."""
LONGEST: Final = 40_000
WORLDS: Final = tuple((rate, lift) for rate in (RATE, 2 * RATE) for lift in (0.0, 0.5, 1.0))
"""Click rate of control, relative lift."""
WAITS: Final = tuple(sorted({25, 50, BURN_IN}))
"""Clicks in the smaller arm before a sequence begins: of impressions that are users, they are the effective users."""
POWER: Final = 0.8


def simulate(runs: int, rng: np.random.Generator, rate: float, lift: float, most: int = LONGEST) -> Moments:
    """Return the moments of impressions and clicks after every STEP impressions of each arm."""
    looks = most // STEP
    clicks = rng.binomial(STEP, np.array([rate, rate * (1 + lift)])[:, None], (runs, 2, looks)).cumsum(axis=2)
    shown = np.broadcast_to(STEP * np.arange(1, looks + 1), clicks.shape)
    sums = np.stack([shown, clicks], axis=-1).astype(float)
    products = np.stack([sums, np.stack([clicks, clicks], axis=-1)], axis=-1).astype(float)
    return Moments(shown.astype(float), sums, products)


def seen(of: Moments) -> Watched:
    """Return what each look at the click rate shows."""
    return watch(levels(of, (1, 0)), EFFECT)


def run(runs: int, seeds: Seeds) -> list[Part]:
    """Return, for each world, in how many runs the sequence begins and excludes no lift.

    begun, found, fixed_once: by SIZE impressions of an arm; found by the clicks that were waited for. stopped: found,
    by look, by what was waited for.
    """
    rows, at = [], SIZE // STEP
    for rate, lift in WORLDS:
        found = seen(simulate(runs, seeds.next(), rate, lift))
        stopped = {wait: np.maximum.accumulate(found.missed(wait), axis=1).mean(axis=0) for wait in WAITS}
        enough = np.flatnonzero(stopped[BURN_IN] >= POWER)
        rows.append(
            {
                "rate": rate,
                "lift": lift,
                "begun": share_of(ever(found.ready(BURN_IN)[:, :at])),
                "found": {wait: float(stopped[wait][at - 1]) for wait in WAITS},
                "fixed_once": share_of(found.missed_fixed(0)[:, at - 1]),
                "stopped": {wait: stopped[wait].tolist() for wait in WAITS},
                "needed": int(STEP * (enough[0] + 1)) if len(enough) else None,
            }
        )
    return rows


def draw(path: Path, rows: list[Part]) -> None:
    """Draw how many runs have found the largest lift, by impressions and by the clicks that were waited for."""
    largest = [row for row in rows if row["lift"] == max(lift for _, lift in WORLDS)]
    with figure(path, columns=len(largest)) as panels:
        for axes, row in zip(panels, largest, strict=True):
            for index, (wait, share) in enumerate(row["stopped"].items()):
                shown = STEP * np.arange(1, len(share) + 1)
                axes.plot(shown, share, color=COLOURS[index], label=f"from {wait} clicks on")
            axes.axvline(SIZE, color=GREY, linewidth=0.8, linestyle=":")
            axes.set(xlabel="impressions of an arm", ylabel="share of runs that found it", ylim=(0, 1.02))
            axes.xaxis.set_major_formatter("{x:,.0f}")
            axes.set_xticks([0, SIZE, LONGEST])
            axes.set_title(f"click rate {percent(row['rate'])}, lift {percent(row['lift'])}")
        panels[-1].legend(loc="lower right")


def section(figures: Path, rows: list[Part]) -> str:
    """Return the page's section."""
    header = ["control's click rate", "true lift", f"{BURN_IN} clicks in both arms"]
    header += [f"found, from {wait} on" for wait in WAITS]
    header += ["found by one look at the end, fixed", f"impressions of an arm for {percent(POWER)}, from {BURN_IN} on"]
    shown = [
        [
            percent(row["rate"]),
            percent(row["lift"]),
            percent(row["begun"]),
            *(percent(row["found"][wait]) for wait in WAITS),
            percent(row["fixed_once"]),
            "-" if row["needed"] is None else f"{row['needed']:,}",
        ]
        for row in rows
    ]
    picture = link(figures / "experiments-rare.svg", "Share of runs that found the lift, by impressions")
    doubled = next(row for row in rows if (row["rate"], row["lift"]) == (RATE, 1.0))
    late = "never" if doubled["needed"] is None else f"from {doubled['needed']:,} impressions of an arm on"
    return f"""## Worlds of that size

{SIZE:,} impressions in each arm, each a user of its own, looked at every {STEP} impressions of an arm. In how many runs
the always-valid interval begins by then, and in how many it excludes "no lift", had it waited for {WAITS[0]} clicks in
both arms, for more, or for the library's {BURN_IN} effective users, which clicks are here:

{table(header, shown)}

{picture}

With a click rate of {percent(RATE)} about {RATE * SIZE:,.0f} clicks are to be expected in control, so the wait alone
decides whether a doubled rate is found by then; it is found in {percent(POWER)} of the runs {late}. The
wait is for tails that clicks of 0 or 1 do not have."""
