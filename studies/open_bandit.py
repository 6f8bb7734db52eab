"""A real log of two policies: what is said, and what is not, of the Open Bandit sample."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from scipy import stats

from lis_online.cli.evaluate import THIN_LOG
from lis_online.events.windows_log import ArmMoments, JoinReport, decode
from lis_online.events.wire import END_TICK
from lis_online.experiments.analysis import Analysis, Plan, analyse
from lis_online.experiments.columns import Columns
from lis_online.records import Record
from lis_online.replay.open_bandit import POLICIES, Shown, events, experiment, experiments, read_shown
from lis_online.settings import Settings
from lis_online.shards.join import JoinShard
from studies.section import percent, table

VARIABLE: Final = "LIS_DATA"
"""The environment variable with the folder of the data; without it there is nothing to run."""


def folder() -> Path | None:
    """Return the folder of the sample, None where it is absent."""
    found = Path(os.environ.get(VARIABLE, "")) / "open-bandit"
    return found if VARIABLE in os.environ and found.is_dir() else None


def analyses(shown: list[Shown]) -> dict[str, Analysis]:
    """Return the analysis of each campaign, of what the join shard reports at the end. shown: in order of time."""
    campaigns = sorted({row.campaign for row in shown})
    settings = Settings.of({**THIN_LOG, "experiment": experiments(campaigns)})
    arms = _last_report(JoinShard(settings, 0), events(shown)).arms
    found = {}
    for campaign, declared in zip(campaigns, settings.experiment, strict=True):
        own: dict[str, ArmMoments] = {one.arm: one for one in arms if one.experiment == declared.name}
        found[campaign] = analyse(Plan.of(declared), own, Columns.of(declared, settings.events).names)
    return found


def _last_report(shard: JoinShard, log: Iterable[tuple[str, bytes]]) -> JoinReport:
    offsets: Counter[str] = Counter()
    last = None
    for topic, value in [*log, ("impressions", END_TICK), ("feedback", END_TICK)]:
        for out in shard.feed([Record(topic, 0, offsets[topic], -1, value)]):
            record = decode(out.value) if out.topic == "windows" and out.value is not None else None
            last = record if isinstance(record, JoinReport) else last
        offsets[topic] += 1
    assert last is not None, "a report follows the end"
    return last


def run() -> list[dict[str, Any]] | None:
    """Return figures of each campaign of the sample, None where it is absent; no row of the data."""
    path = folder()
    if path is None:
        return None
    shown = read_shown(path)
    rows = []
    for campaign, found in analyses(shown).items():
        (ctr,) = found.comparisons
        rows.append(
            {
                "experiment": experiment(campaign),
                "impressions": found.sample_ratio.counts,
                "sample_ratio_p": found.sample_ratio.p_value,
                "days_p": days_p(row for row in shown if row.campaign == campaign),
                "rates": (ctr.control.value, ctr.arm.value),
                "lift": ctr.relative.value,
                "fixed": (ctr.relative.fixed.lower, ctr.relative.fixed.upper),
                "fixed_p": ctr.p_fixed,
                "sequence": (ctr.relative.sequence.lower, ctr.relative.sequence.upper),
                "reason": ctr.relative.sequence.reason,
            }
        )
    return rows


def days_p(shown: Iterable[Shown]) -> float:
    """Return the chi-square p-value of the policies' impressions having the same share on every day."""
    count = Counter((datetime.fromtimestamp(row.ts / 1000, UTC).date(), row.policy) for row in shown)
    days = sorted({day for day, _ in count})
    return float(stats.chi2_contingency([[count[day, policy] for policy in POLICIES] for day in days]).pvalue)


def section(rows: list[dict[str, Any]] | None) -> str:
    """Return the page's section."""
    head = f"""## A real log: Open Bandit

Two real policies over two campaigns (Saito and others, arXiv 2008.07146): `lis-online evaluate open-bandit FOLDER`
makes an experiment of each campaign, with {POLICIES[0]} as control. There are no user ids, so each impression counts as
a user of its own: that is how policies were drawn, but people who came back make true intervals wider than these."""
    if rows is None:
        return f"{head}\n\nNot run: {VARIABLE} names no folder with open-bandit."
    header = ["experiment", "impressions", "click rates", "lift", "fixed interval", "fixed p", "always valid"]
    header += ["p of the sample ratio", "p of the same days"]
    shown = [
        [
            row["experiment"],
            " / ".join(f"{count:,}" for count in row["impressions"]),
            " / ".join(f"{100 * rate:.2f} %" for rate in row["rates"]),
            percent(row["lift"]),
            _interval(*row["fixed"]),
            f"{row['fixed_p']:.3f}",
            row["reason"] or _interval(*row["sequence"]),
            f"{row['sample_ratio_p']:.3f}",
            f"{row['days_p']:.3f}",
        ]
        for row in rows
    ]
    smallest, count = min(row["fixed_p"] for row in rows), len(rows)
    claimed = [row["experiment"] for row in rows if not _holds(row["sequence"])]
    verdict = f"A lift is claimed of {', '.join(claimed)}." if claimed else "No lift is claimed."
    return f"""{head}

{table(header, shown)}

{verdict} The smallest fixed p-value, {smallest:.3f}, would be that of one look at one campaign, both chosen
beforehand; as the smallest of {count} it is {min(1.0, count * smallest):.3f} (Holm).

The sample holds equally many rows of each policy and campaign *by its making*, so the sample-ratio test has nothing
to find and says nothing about how impressions were assigned. The last column asks whether both policies have the same
share of every day (chi-square). Where it is small the sample's days differ between the policies, and a difference
between days can look like one between policies."""


def _interval(lower: float | None, upper: float | None) -> str:
    return "-" if lower is None or upper is None else f"{percent(lower)} to {percent(upper)}"


def _holds(ends: tuple[float | None, float | None]) -> bool:
    lower, upper = ends
    return lower is None or upper is None or lower <= 0 <= upper
