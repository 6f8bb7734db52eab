"""The page of the study of the arms' statistics. Every number on it comes out of the run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from lis_online.experiments.burn_in import BURN_IN
from lis_online.experiments.sequence import AtUsers, ForEffect, Mixture, best_odds
from lis_online.experiments.srm import ALPHA as SRM_ALPHA
from lis_online.experiments.srm import CONCENTRATIONS
from studies import (
    experiments_caps,
    experiments_family,
    experiments_ranges,
    experiments_rare,
    experiments_ratio,
    experiments_trigger,
    open_bandit,
)
from studies.experiments_parts import EFFECT, FEED, GAINS, HEAVY, NULLS, SRM_LOOKS, SRM_USERS, THRESHOLDS
from studies.experiments_watch import ALPHA
from studies.experiments_worlds import CLICK_RATE, SLATE, World
from studies.figures import COLOURS, GREY, figure, link
from studies.section import percent, table

Part = dict[str, Any]


def write(out: Path, summary: Part, details: Part) -> None:
    """Write experiments.md and its figures."""
    figures = out / "figures"
    figures.mkdir(parents=True, exist_ok=True)
    draw_power(figures / "experiments-power.svg", details["gain"][0])
    draw_sample_ratio(figures / "experiments-sample-ratio.svg", details["sample_ratio"])
    draw_width(figures / "experiments-width.svg")
    experiments_ranges.draw(figures / "experiments-ranges.svg", details["chosen"])
    experiments_rare.draw(figures / "experiments-rare.svg", details["rare"])
    sections = [
        _head(summary, details),
        _burn_in(details),
        _null(details),
        _gain(figures, details),
        _cuped(details),
        experiments_caps.section(details["caps"]),
        experiments_trigger.section(details["trigger"], details["trigger_pulled"]),
        experiments_ranges.section(figures, details["planned"], details["chosen"]),
        experiments_family.section(details["family"]),
        _sample_ratio(figures, details),
        experiments_ratio.section(details["arms_ratio"]),
        open_bandit.section(details["open_bandit"]),
        experiments_rare.section(figures, details["rare"]),
        _width(figures),
        _limits(),
        _worlds(),
    ]
    (out / "experiments.md").write_text("\n\n".join(sections) + "\n")


def _head(summary: Part, details: Part) -> str:
    measured = {
        'A/A runs in which the always-valid interval ever excludes "no lift": worst world and metric': summary[
            "aa_error_sequential"
        ],
        "the same with fixed-horizon intervals, looked at as often: mean over worlds and metrics": summary[
            "aa_error_fixed_peeking"
        ],
        "runs in which the always-valid interval holds the true lift at every look: worst": summary[
            "coverage_sequential"
        ],
        f"runs with the right shares in which a sample-ratio mismatch is ever claimed (level {percent(SRM_ALPHA)})": (
            summary["srm_error"]
        ),
        f"runs with 51/49 in which it is, within {SRM_USERS:,} users": summary["srm_power_51_49"],
        "runs in which the always-valid interval of a planned range ever misses the true lift: worst": summary[
            "range_error"
        ],
        "A/A runs in which the best of all ranges, chosen after looking, excludes no lift": summary[
            "range_error_chosen"
        ],
        "runs of a family of arms and metrics in which Holm's correction ever lets a wrong claim pass: worst": summary[
            "family_error_holm"
        ],
    }
    return f"""# What the arms' numbers are worth

Simulated experiments whose truth is known, looked at after every bucket, as somebody with a dashboard does. Made by
`make study-experiments` with seed {details["seed"]} and {summary["runs"]} runs of each world; nothing here is typed in.
The figures for programs are in [experiments.json](experiments.json).

{table(["", "measured"], [[what, percent(value)] for what, value in measured.items()])}

All intervals are nominal {100 * (1 - ALPHA):.0f} % ones. Users are the unit: every variance is over users' totals.
How each number is computed stands in `lis_online/experiments/`, with paper and equation."""


def _burn_in(details: Part) -> str:
    header = ["world", "metric", *(f"from {threshold}" for threshold in THRESHOLDS)]
    rows = [
        [row["world"], row["metric"], *(percent(row["error"][threshold]) for threshold in THRESHOLDS)]
        for row in details["burn_in"]
    ]
    shown = table(header, rows)
    return f"""## From how many users on

The sequence is asymptotic. With heavy-tailed users a variance is underestimated until the heaviest have come, and
somebody who watches from the first users on is misled. So there is no sequence before both arms have a number of
*effective* users, (sum x)^2 / sum x^2, smallest over the totals that the metric needs: `too few users for a sequence:
57 of {BURN_IN} effective ones`. In the two hardest A/A worlds, looked at {HEAVY[0].buckets} times from the first users
on, this share of the runs that ever got that far ({details["burn_in_runs"]} at most) excluded "no lift" at some look:

{shown}

{_burn_in_verdict(details["burn_in_chosen"])}"""


def _burn_in_verdict(chosen: int | None) -> str:
    """Return what the table says about the library's burn-in."""
    rule = f"The smallest of these with every error at most {percent(ALPHA)} is"
    if chosen is None:
        return f"None of these keeps every error at most {percent(ALPHA)}: the library's {BURN_IN} is too small."
    if chosen > BURN_IN:
        return f"{rule} {chosen}: the library's {BURN_IN} is too small."
    if chosen == BURN_IN:
        return f"{rule} {chosen}, which is the library's."
    return f"{rule} {chosen}. The library waits for {BURN_IN}: real tails are not these worlds' tails."


def _null(details: Part) -> str:
    rows = [
        [
            row["world"],
            row["metric"],
            percent(row["sequential"]),
            percent(row["sequential_by_users"]),
            percent(row["fixed_peeking"]),
            percent(row["fixed_once"]),
            f"{row['effective_users']:.0f}",
        ]
        for row in details["null"]
    ]
    header = [
        "world",
        "metric",
        "always valid, every look",
        "the same by the clock of users",
        "fixed, every look",
        "fixed, last look alone",
        "effective users of the smaller arm",
    ]
    by_users = percent(max(row["sequential_by_users"] for row in details["null"]))
    return f"""## No difference, {FEED.buckets} looks

How often each interval ever excludes "no lift" where there is none. The fixed-horizon interval keeps its promise for
who looks once, and fails who watches.

{table(header, rows)}

The errors stay well under {percent(ALPHA)} because the sequence holds for any number of looks over any time, and these
runs end. In *returning* and *regulars* nobody new comes after the first twentieth of the run, but users' totals go on
growing, which a clock that counts users (as published, tightest at half of the users) does not see. It kept its error
in these runs as well (at most {by_users}), but nothing promises that. The default clock is the information in the
estimate, 1 / V: it goes on while somebody acts."""


def _gain(figures: Path, details: Part) -> str:
    header = [
        "world",
        "metric",
        "true lift",
        "always valid holds it, every look",
        "fixed holds it, every look",
        "found by the end, always valid",
        "found by one look at the end, fixed",
        "median users to stop",
    ]
    rows = []
    for row in details["gain"]:
        stop = row["median_users_to_stop"]
        rows.append(
            [
                row["world"],
                row["metric"],
                percent(row["lift"]),
                percent(row["coverage"]),
                percent(row["coverage_fixed_peeking"]),
                percent(row["power"][-1]),
                percent(row["power_fixed"][-1]),
                "-" if stop is None else f"{stop:,.0f}",
            ]
        )
    shown = link(figures / "experiments-power.svg", "Share of runs that found the lift, by users")
    return f"""## A true lift

Coverage at every look, and what watching costs. "Found" means that 0 is excluded; the sequence may stop there, the
fixed-horizon test has the one look that was planned.

{table(header, rows)}

{shown}"""


def _cuped(details: Part) -> str:
    found = details["cuped"]
    return f"""## With a pre-period

The click rate in the world *feed*, with users' own click rate over a pre-period as long as the run (CUPED). It takes
out {percent(found["variance_taken_out"])} of the variance of the relative lift (median over runs, at the end). The
always-valid interval errs in {percent(found["error"])} of A/A runs, without it in {percent(found["error_without"])}."""


def _sample_ratio(figures: Path, details: Part) -> str:
    rows = []
    for one in details["sample_ratio"]:
        median = one["median_users"]
        rows.append(
            [
                f"{100 * (1 - one['share']):.0f}/{100 * one['share']:.0f}",
                percent(one["found"][-1]),
                percent(one["chi_square"][-1]),
                "-" if median is None or one["share"] == 0.5 else f"{median:,.0f}",
            ]
        )
    header = ["true split", "sequential test claims a mismatch", "chi-square, every look", "median users to claim"]
    shown = link(figures / "experiments-sample-ratio.svg", "Share of runs with a mismatch claimed, by users")
    return f"""## Sample ratio

Declared 50/50, level {percent(SRM_ALPHA)}, {SRM_LOOKS} looks at up to {SRM_USERS:,} users. The mixture's concentrations
are {" and ".join(f"{one:,.0f}" for one in CONCENTRATIONS)}.

{table(header, rows)}

{shown}"""


def _width(figures: Path) -> str:
    best = float(Mixture.single(best_odds(ALPHA)).reach(ALPHA))
    shown = link(figures / "experiments-width.svg", "Standard errors that each interval reaches, by information")
    return f"""## What the sequence is tightest at

A sequence reaches {best:.2f} standard errors at its best, where a fixed-horizon interval reaches 1.96. Where that is,
is a choice: for an effect (the metric's minimum effect, the default) or at a number of users. For an effect the library
mixes over three scales, so that a sequence that waits for 1 % also sees 50 % at once. A single scale would not: with
few users it reaches beyond any lift.

{shown}"""


def _limits() -> str:
    return f"""## Where it fails

- The guarantee is asymptotic: the burn-in of {BURN_IN} effective users was chosen in the worlds above. Tails heavier
  than theirs (an account that makes a tenth of all visits) need a cap on users' totals; the effective number shows it.
- The truth that is covered is the lift in the totals *so far*. A lift that fades is followed, not averaged over weeks.
- Users must not influence each other; a user seen in two arms is counted and left out.
- A relative lift is against control's level. Where that may be 0 there is none, and the answer says so.
- No interval holds for a range, a slice or a metric that was chosen after looking at many.
- Sequences for an effect much smaller than the data can show are wide at first: that is what they were asked for."""


def _worlds() -> str:
    header = ["world", "users", "treated", "mean visits", "sigma of activity", "new users come", "lift"]
    parts = (
        experiments_caps.HEAVY,
        experiments_trigger.TOUCHED,
        experiments_trigger.OTHERS,
        *experiments_ranges.PLANNED,
        experiments_ranges.ONCE,
    )
    rows = [_row(world) for world in dict.fromkeys((*NULLS, *HEAVY, *GAINS, *parts))]
    return f"""## The worlds

A visit is a slate of {SLATE} impressions. Users' activity is lognormal, their click rates are beta distributed around
{percent(CLICK_RATE)}, a click's dwell is lognormal. Sequences are for an effect of {percent(EFFECT)}.

{table(header, rows)}"""


def _row(world: World) -> list[str]:
    return [
        world.name,
        f"{world.users:,}",
        percent(world.share),
        f"{world.visits:g}",
        f"{world.activity:g}",
        f"first {percent(world.arrivals)} of the run",
        percent(world.lift),
    ]


def draw_power(path: Path, row: Part) -> None:
    """Draw how many runs have found the lift, by users."""
    with figure(path) as (axes,):
        axes.plot(row["users"], row["power"], color=COLOURS[0], label="always valid: may stop at any look")
        label = "fixed horizon: its only look is here"
        axes.plot(row["users"], row["power_fixed"], color=COLOURS[1], linestyle="--", label=label)
        axes.set(xlabel="users in both arms", ylabel="share of runs that found it", ylim=(0, 1))
        axes.xaxis.set_major_formatter("{x:,.0f}")
        axes.set_title(f"A lift of {percent(row['lift'])} in {row['metric']}, world {row['world']}")
        axes.legend(loc="upper left")


def draw_sample_ratio(path: Path, splits: list[Part]) -> None:
    """Draw how many runs have claimed a mismatch, by users: true shares to the left, 51/49 to the right."""
    with figure(path, columns=len(splits)) as panels:
        for axes, one in zip(panels, splits, strict=True):
            axes.plot(one["users"], one["found"], color=COLOURS[0], label="sequential")
            axes.plot(one["users"], one["chi_square"], color=COLOURS[1], linestyle="--", label="chi-square, every look")
            axes.set(xlabel="users", ylabel="share of runs with a mismatch claimed", ylim=(0, None))
            axes.xaxis.set_major_formatter("{x:,.0f}")
            axes.axhline(SRM_ALPHA, color=GREY, linewidth=0.8, linestyle=":")
            axes.set_title(f"true split {100 * (1 - one['share']):.0f}/{100 * one['share']:.0f}")
        panels[0].legend()


def draw_width(path: Path) -> None:
    """Draw how many standard errors intervals reach, by the standard error of the relative lift."""
    stderr = np.geomspace(0.001, 0.2, 300)
    effect = 0.01
    mixed = ForEffect(effect).mixture(stderr**2, 1, ALPHA)
    alone = Mixture.single(mixed.odds[:, 0])
    users = AtUsers(5000).mixture(1.0, 5000 * (effect / 2 / stderr) ** 2, ALPHA)
    with figure(path) as (axes,):
        axes.plot(stderr, mixed.reach(ALPHA), color=COLOURS[0], label="for an effect of 1 % (three scales)")
        axes.plot(stderr, alone.reach(ALPHA), color=COLOURS[2], linestyle=":", label="for 1 %, one scale alone")
        axes.plot(stderr, users.reach(ALPHA), color=COLOURS[3], linestyle="-.", label="at a number of users")
        axes.axhline(1.96, color=COLOURS[1], linestyle="--", label="fixed horizon")
        axes.set(xscale="log", ylim=(0, 10), ylabel="standard errors reached")
        axes.set_xlabel("standard error of the relative lift (users come: right to left)")
        axes.legend(loc="upper left")
