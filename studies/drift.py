"""The study of drift detection: `python -m studies.drift --out docs`.

Writes drift.md and drift.json. A few minutes on two cores.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Final

from lis_online.drift.tuning import Tuning
from studies import drift_page
from studies.drift_calibration import calibration, end_to_end
from studies.drift_changes import CASES
from studies.drift_choice import compare, standard_series
from studies.drift_runs import changed, share_found, stable

TRAFFIC: Final = (1_000.0, 10_000.0, 100_000.0, 1_000_000.0)
"""Samples an hour."""
MAIN: Final = 100_000.0
"""Where detectors are compared."""
CALIBRATION_SLATES: Final = 40_000
VERSIONS_SLATES: Final = 5_400


def study(spans: int, runs: int, jobs: int) -> dict[str, Any]:
    """Return what was measured. spans: stable ones, in all but the lowest traffic; runs: of each change and traffic."""
    tuning = Tuning()
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        real = pool.submit(calibration, CALIBRATION_SLATES)
        whole = pool.submit(end_to_end, VERSIONS_SLATES)
        quiet = [pool.submit(stable, TRAFFIC[1 + k % 3], k, tuning) for k in range(spans)]
        moved = [pool.submit(changed, n, 1000 + k, tuning) for n in TRAFFIC for k in range(runs)]
        series = [pool.submit(standard_series, MAIN, 500 + k, tuning) for k in range(max(spans // 5, 1))]
        compared = pool.submit(compare, _results(series), tuning).result()
        return {
            "calibration": real.result(),
            "end_to_end": whole.result(),
            "stable": _results(quiet),
            "changes": _by_case([row for rows in _results(moved) for row in rows]),
            "detectors": compared,
        }


def summary(found: dict[str, Any]) -> dict[str, Any]:
    """Return the figures for programs."""
    alarms = [len(span["alarms"]) for span in found["stable"]]
    return {
        "false_alarms_per_30_days": sum(alarms) / len(alarms),
        "spans": len(alarms),
        "series": found["stable"][0]["series"],
        "detectors": {
            row["detector"]: {"threshold": row["threshold"], "false_alarms": row["alarms"], "delays": row["delays"]}
            for row in found["detectors"]
        },
        "delays_hours": _picked(found["changes"], "median"),
        "found": _picked(found["changes"], "found"),
        "cause_right": _picked(found["changes"], "cause_right"),
        "events_per_change": _picked(found["changes"], "events"),
    }


def _results(futures: Sequence[Future[Any]]) -> list[Any]:
    return [future.result() for future in futures]


def _by_case(rows: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Return what is told of each change, by its name and the traffic."""
    return {
        case.name: {
            f"{n:.0f}": share_found([r for r in rows if r["case"] == case.name and r["samples"] == n], case)
            for n in TRAFFIC
        }
        for case in CASES
    }


def _picked(changes: dict[str, dict[str, Any]], figure: str) -> dict[str, dict[str, Any]]:
    return {case: {n: row[figure] for n, row in by_traffic.items()} for case, by_traffic in changes.items()}


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the study and write it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--spans", type=int, default=21, help="of 30 days, stable")
    parser.add_argument("--runs", type=int, default=6, help="of each change and traffic")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--out", type=Path, default=Path("docs"), help="folder of drift.md and drift.json")
    options = parser.parse_args(arguments)
    for name in ("spans", "runs", "jobs"):
        if getattr(options, name) < 1:
            parser.error(f"--{name} must be >= 1, got {getattr(options, name)}")
    found = study(options.spans, options.runs, options.jobs)
    figures = summary(found)
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "drift.json").write_text(json.dumps(figures, indent=2) + "\n")
    (options.out / "drift.md").write_text(drift_page.page(found, figures))
    sys.stdout.write(json.dumps(figures, indent=2) + "\n")


if __name__ == "__main__":
    main()
