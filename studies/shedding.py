"""What LIS and AIS become when load is shed: `python -m studies.shedding --out docs/shedding.json`.

The same feeds are evaluated with all users and with shares of them, shed in two ways: *slates*, as `events.user_sample`
does (no slate of the others is ranked; their pairs, arms and counts stay), and *events* (nothing of the others is
read, so the tables of pairs are thinned as well). A number is unbiased if over feeds its difference from that of all
users is within the error of that difference.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from itertools import product
from pathlib import Path
from statistics import fmean, stdev
from typing import Any, Final

import msgspec

from lis_online.events.hashing import id_hash, is_sampled
from lis_online.settings import Settings
from lis_online.shards.pipeline import Pipeline
from lis_online.simulate.recorded import generate
from lis_online.simulate.scenarios import scenario

FEED: Final = "arms"
SHARES: Final = (0.5, 0.25)
DESIGNS: Final = ("slates", "events")
SOURCE, VARIANT = "full", "good"


class _User(msgspec.Struct):
    user_id: str | None = None


def run(design: str, share: float, slates: int, seed: int) -> dict[str, float | None]:
    """Return the numbers of a feed of which a share is read in one way."""
    table = {k: v for k, v in scenario(FEED).settings.items() if k not in ("kafka", "history", "checkpoints", "http")}
    if design == "slates":
        table["events"] = {**table["events"], "user_sample": share}
    pipeline = Pipeline(Settings.of(table))
    for topic, value in _read(design, share, slates, seed):
        pipeline.update(topic, value)
    pipeline.finish()
    return _numbers(pipeline.summary())


def _read(design: str, share: float, slates: int, seed: int) -> Iterator[tuple[str, bytes | None]]:
    user_of = msgspec.json.Decoder(_User)
    for _, topic, value in generate(scenario(FEED), slates, seed):
        user = None if design == "slates" or topic == "representations" else user_of.decode(value or b"{}").user_id
        if user is None or is_sampled(id_hash(user), share):
            yield topic, value


def _numbers(summary: dict[str, Any]) -> dict[str, float | None]:
    source, variant = summary["sources"][SOURCE], summary["variants"][VARIANT]
    return {
        "samples": summary["samples"],
        "unleaked": summary["unleaked"]["auc"]["value"],
        "adjusted_lis": source["adjusted_lis"]["value"],
        "coverage": source["coverage"],
        "adjusted_ais": variant["adjusted_ais"]["value"],
        "ctr": next(iter(summary["arms"].values()))["control"]["ctr"]["value"],
    }


def _run(task: tuple[tuple[str, float], int, int]) -> dict[str, Any]:
    (design, share), seed, slates = task
    return {"design": design, "share": share, "seed": seed, **run(design, share, slates, seed)}


def compare(rows: list[dict[str, Any]], slates: int) -> dict[str, Any]:
    """Return, by design and share, each number's mean difference from that of all users and its standard error."""
    full = {row["seed"]: row for row in rows if row["share"] == 1.0}
    found = []
    for design, share in sorted({(row["design"], row["share"]) for row in rows if row["share"] < 1}, reverse=True):
        group = [row for row in rows if (row["design"], row["share"]) == (design, share)]
        entry: dict[str, Any] = {"design": design, "share": share, "samples": fmean(row["samples"] for row in group)}
        for name in ("unleaked", "adjusted_lis", "coverage", "adjusted_ais", "ctr"):
            differences = [row[name] - full[row["seed"]][name] for row in group]
            error = stdev(differences) / len(differences) ** 0.5
            entry[name] = {"difference": fmean(differences), "standard_error": error}
        found.append(entry)
    everybody = {
        name: fmean(row[name] for row in full.values())
        for name in ("samples", "unleaked", "adjusted_lis", "coverage", "adjusted_ais", "ctr")
    }
    return {"feed": FEED, "slates": slates, "feeds": len(full), "all_users": everybody, "shed": found, "runs": rows}


def main() -> None:
    """Run the study and write it as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--slates", type=int, nargs="+", default=[4000, 12000])
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--out", type=Path, required=True)
    given = parser.parse_args()
    cells = [("slates", 1.0), *product(DESIGNS, SHARES)]
    found = []
    with ProcessPoolExecutor(given.jobs) as pool:
        for slates in given.slates:
            tasks = [(cell, seed, slates) for seed in range(given.seeds) for cell in cells]
            found.append(compare(list(pool.map(_run, tasks)), slates))
    given.out.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
