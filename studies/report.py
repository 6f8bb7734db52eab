"""`make study`: run what is missing, then write docs/validation.md, docs/validation.json and their figures."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from studies import (
    bound,
    calibration,
    decomposition,
    diagnosis,
    lift,
    mind,
    mutation_report,
    nulls,
    order,
    precision,
    seeds,
    sweeps,
    warm_up,
)
from studies.section import Section

RUNS = (calibration, order, lift, bound, seeds, warm_up, sweeps, mind)
SECTIONS = (
    calibration,
    nulls,
    diagnosis,
    precision,
    seeds,
    warm_up,
    order,
    decomposition,
    bound,
    lift,
    sweeps,
    mind,
    mutation_report,
)
"""In the order of the page."""

KEYS = (
    "worlds",
    "interval_coverage",
    "sources_ordered_right",
    "diagnosis_error",
    "ais_lift_rank_correlation",
    "mutation_score",
)
"""What docs/validation.json has in any case: null where that study has not been run."""

HEAD = """# Validation

What LIS, AIS and their intervals are worth, measured on simulated worlds with known truth and, where noted, on real
logged clicks. `make study` writes this page: every figure comes from a run, none is typed in. It takes hours on two
cores and goes on where it was stopped; `make study SCALE=0.1` runs a tenth. Definitions: [numbers](numbers.md).
"""


def main() -> None:
    """Run the studies and write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=Path, default=Path("run/study"), help="where results are kept")
    parser.add_argument("--out", type=Path, default=Path("docs"), help="where the page goes")
    parser.add_argument("--jobs", type=int, default=2, help="processes at a time")
    parser.add_argument("--scale", type=float, default=1.0, help="share of each study to run")
    parser.add_argument("--no-run", action="store_true", help="write the page from the results that are there")
    options = parser.parse_args()
    if not options.no_run:
        for study in RUNS:
            study.run(options.runs, options.jobs, options.scale)
    write(options.runs, options.out)


def write(runs: Path, out: Path) -> None:
    """Write the page and its figures from the results that are there."""
    figures = out / "figures"
    figures.mkdir(parents=True, exist_ok=True)
    sections = [section for study in SECTIONS if (section := study.section(runs, figures)) is not None]
    (out / "validation.md").write_text(page(sections))
    (out / "validation.json").write_text(json.dumps(facts(sections), indent=2, allow_nan=False) + "\n")


def page(sections: list[Section]) -> str:
    """Return the page."""
    contents = "\n".join(f"- [{s.title}](#{_anchor(s.title)})" for s in sections)
    body = "\n\n".join(f"## {s.title}\n\n{s.markdown.strip()}" for s in sections)
    return f"{HEAD}\n{contents}\n\n{body}\n"


def facts(sections: list[Section]) -> dict[str, Any]:
    """Return the figures by name, the expected ones first."""
    found = {name: fact for section in sections for name, fact in section.facts.items()}
    return {**{key: found.get(key) for key in KEYS}, **found}


def _anchor(title: str) -> str:
    kept = "".join(c for c in title.lower() if c.isalnum() or c in " -")
    return kept.replace(" ", "-")


if __name__ == "__main__":
    main()
