"""Lifts of a range of time: one that was planned, and one that was chosen for its lift."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np

from lis_online.experiments.burn_in import BURN_IN
from studies.experiments_parts import EFFECT, FEED, Seeds
from studies.experiments_watch import ALPHA, METRICS, ever, levels, share_of, watch
from studies.experiments_worlds import Moments, World, chunks, joined, moments, simulate, within
from studies.figures import COLOURS, GREY, MARKERS, figure, link
from studies.section import percent, table

Part = dict[str, Any]
Ranges = list[tuple[int, int]]

LIFT: Final = 0.2
PLANNED: Final = (FEED, World("returning", users=1_500, arrivals=0.05, visits=12), replace(FEED, lift=LIFT))
ONCE: Final = World("many, one visit each", users=20_000, buckets=96, visits=0, rates=2)
"""Nobody comes back, so the moments of any range are a difference of cumulative ones."""
CUTS: Final = (1, 3, 6, 12, 24, 48, 96)
"""Into how many equal parts the run is cut; ranges begin and end on cuts, and each cutting has those before it."""
COLUMNS: Final = METRICS["click rate"]
AT_ONCE: Final = 50
"""Runs whose ranges are in memory together."""


def planned(runs: int, seeds: Seeds) -> list[Part]:
    """Return what happens in the middle third of an experiment, looked at after every bucket of it.

    error: of the runs, in how many the sequence ever excludes the true lift; found: no lift, in the range; found_whole:
    no lift, over the whole experiment.
    """
    rows = []
    for world in PLANNED:
        third = world.buckets // 3
        both = []
        for size, seen in chunks(world, runs, seeds.next()):
            part, some = within(world, seen, third, 2 * third)
            both.append((moments(part, size, some), moments(world, size, seen)))
        inside, whole = (joined([pair[index] for pair in both]) for index in range(2))
        true, none = (watch(levels(inside, COLUMNS), EFFECT, lift) for lift in (world.lift, 0.0))
        rows.append(
            {
                "world": world.name,
                "lift": world.lift,
                "error": share_of(ever(true.missed(BURN_IN))),
                "error_fixed": share_of(ever(true.missed_fixed(BURN_IN))),
                "found": share_of(ever(none.missed(BURN_IN))),
                "found_whole": share_of(ever(watch(levels(whole, COLUMNS), EFFECT).missed(BURN_IN))),
                "users": float(inside.users[:, :, -1].sum(axis=1).mean()),
            }
        )
    return rows


def chosen(runs: int, seeds: Seeds) -> list[Part]:
    """Return how often the range with the smallest p-value excludes no lift, where there is none.

    One row for the middle third, planned, and one for each number of cuts: all ranges between them are tried.
    """
    buckets = ONCE.buckets
    ways = {"middle third, planned": [(buckets // 3, 2 * buckets // 3)]}
    ways |= {str(cuts): ranges(buckets, cuts) for cuts in CUTS}
    of = simulate(ONCE, runs, seeds.next())
    missed = {way: errors(of, tried) for way, tried in ways.items()}
    return [
        {"cuts": way, "ranges": len(ways[way]), "sequential": float(sequential), "fixed": float(fixed)}
        for way, (sequential, fixed) in missed.items()
    ]


def ranges(buckets: int, cuts: int) -> Ranges:
    """Return all ranges (first bucket, bucket after the last) that begin and end on a cut.

    >>> ranges(60, 2)
    [(0, 30), (0, 60), (30, 60)]
    """
    ends = range(0, buckets + 1, buckets // cuts)
    return [(start, end) for start in ends for end in ends if start < end]


def errors(of: Moments, tried: Ranges) -> np.ndarray:
    """Return the share of runs in which any of the ranges excludes no lift at its end: always valid, fixed."""
    wrong = []
    for start in range(0, len(of.users), AT_ONCE):
        some = slice(start, start + AT_ONCE)
        part = of_ranges(Moments(of.users[some], of.sums[some], of.products[some]), tried)
        seen = watch(levels(part, COLUMNS), EFFECT)
        wrong.append(np.stack([ever(seen.missed(BURN_IN)), ever(seen.missed_fixed(BURN_IN))]))
    return np.asarray(np.concatenate(wrong, axis=1).mean(axis=1))


def of_ranges(of: Moments, tried: Ranges) -> Moments:
    """Return the moments of ranges, in the place of looks, where everybody came once."""
    starts, ends = (np.array(side) for side in zip(*tried, strict=True))
    parts = (np.concatenate([np.zeros_like(part[:, :, :1]), part], axis=2) for part in (of.users, of.sums, of.products))
    return Moments(*(part[:, :, ends] - part[:, :, starts] for part in parts))


def draw(path: Path, rows: list[Part]) -> None:
    """Draw how often the best of some ranges errs, by how many were tried."""
    tried = rows[1:]
    with figure(path) as (axes,):
        for index, (key, label) in enumerate((("sequential", "always valid"), ("fixed", "fixed horizon"))):
            x, y = ([row[name] for row in tried] for name in ("ranges", key))
            axes.plot(x, y, MARKERS[index] + "-", color=COLOURS[index], label=label)
        axes.axhline(ALPHA, color=GREY, linewidth=0.8, linestyle=":")
        axes.set(xscale="log", xlabel="ranges tried", ylabel="share of runs without a lift", ylim=(0, 1))
        axes.set_title('The best range excludes "no lift"')
        axes.legend(loc="upper left")


def section(figures: Path, middle: list[Part], tried: list[Part]) -> str:
    """Return the page's section."""
    header = ["world", "true lift", "users in the range", "always valid misses it", "fixed misses it"]
    header += ["found in the range", "found in the whole"]
    shown = [
        [
            row["world"],
            percent(row["lift"]),
            f"{row['users']:,.0f}",
            percent(row["error"]),
            percent(row["error_fixed"]),
            percent(row["found"]),
            percent(row["found_whole"]),
        ]
        for row in middle
    ]
    ways = [[_way(row), row["ranges"], percent(row["sequential"]), percent(row["fixed"])] for row in tried]
    picture = link(figures / "experiments-ranges.svg", "Share of runs in which the best range claims a lift")
    return f"""## A range of time

A range is an experiment of its own over the impressions in it: users enter with their first one there, and nothing from
before counts. A sequence that begins with the range keeps its promise where the range was fixed beforehand. The
middle third of a run, looked at after every bucket of it:

{table(header, shown)}

It does not keep it for who looks first and chooses then. {ONCE.users:,} users and no lift; of all ranges tried, the one
with the smallest p-value is shown, at its end:

{table(["range", "ranges tried", "always valid excludes no lift", "fixed excludes no lift"], ways)}

{picture}

So a review of a range says when its numbers hold, and what the whole experiment's lift is."""


def _way(row: Part) -> str:
    cuts = row["cuts"]
    return {"1": "the whole run"}.get(cuts, f"the best that ends on cuts into {cuts}" if cuts.isdigit() else cuts)
