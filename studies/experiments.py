"""The study of the arms' statistics: `python -m studies.experiments --runs 2000 --out docs`.

Writes experiments.md, experiments.json and the figures under figures/. One core, a few minutes at 2,000 runs.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from lis_online.experiments.burn_in import BURN_IN
from studies import (
    experiments_caps,
    experiments_family,
    experiments_page,
    experiments_ranges,
    experiments_rare,
    experiments_ratio,
    experiments_trigger,
    open_bandit,
)
from studies.experiments_parts import Seeds, burn_in, chosen_burn_in, cuped, gain, null, sample_ratios

SEED: Final = 2026


def study(runs: int, seed: int) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the figures for programs and, for the page, all others. runs: of each world, at least 20."""
    seeds = Seeds(np.random.SeedSequence(seed))
    tried = burn_in(runs // 4, seeds)
    nulls, gains, adjusted = null(runs, seeds), gain(runs, seeds), cuped(runs, seeds)
    splits = [sample_ratios(runs, seeds, share) for share in (0.5, 0.49)]
    details = {
        "seed": seed,
        "burn_in_runs": runs // 4,
        "burn_in": tried,
        "burn_in_chosen": chosen_burn_in(tried),
        "null": nulls,
        "gain": gains,
        "cuped": adjusted,
        "sample_ratio": splits,
        "caps": experiments_caps.run(runs, seeds),
        "trigger": experiments_trigger.run(runs, seeds),
        "trigger_pulled": experiments_trigger.pulled(runs, seeds),
        "planned": experiments_ranges.planned(runs, seeds),
        "chosen": experiments_ranges.chosen(runs, seeds),
        "family": experiments_family.run(runs, seeds),
        "arms_ratio": experiments_ratio.run(runs, seeds),
        "rare": experiments_rare.run(runs, seeds),
        "open_bandit": open_bandit.run(),
    }
    summary = {
        "runs": runs,
        "aa_error_sequential": max(row["sequential"] for row in nulls),
        "aa_error_fixed_peeking": float(np.mean([row["fixed_peeking"] for row in nulls])),
        "coverage_sequential": min(row["coverage"] for row in gains),
        "srm_error": splits[0]["found"][-1],
        "srm_power_51_49": splits[1]["found"][-1],
        **_facts(details),
    }
    return summary, details


def _facts(details: dict[str, Any]) -> dict[str, float]:
    """Return what a program may want of caps, triggers, ranges, families and rare clicks."""
    uncapped, capped = details["caps"][:2]
    everybody, triggered = details["trigger"]
    family = {(row["lift"] > 0, row["correction"]): row for row in details["family"]}
    rare = {(row["rate"], row["lift"]): row["found"][BURN_IN] for row in details["rare"]}
    return {
        "cap_error": max(row["error"] for row in details["caps"]),
        "cap_power": capped["power"],
        "cap_power_without": uncapped["power"],
        "trigger_error": triggered["error"],
        "trigger_power": triggered["power"],
        "trigger_power_without": everybody["power"],
        "range_error": max(row["error"] for row in details["planned"]),
        "range_error_chosen": details["chosen"][-1]["sequential"],
        "range_error_chosen_fixed": details["chosen"][-1]["fixed"],
        "family_error_holm": max(family[lifted, "holm"]["family"] for lifted in (False, True)),
        "family_error_none": family[False, "none"]["family"],
        "false_discoveries_benjamini_hochberg": max(
            family[lifted, "benjamini-hochberg"]["discoveries"] for lifted in (False, True)
        ),
        "srm_error_three_arms": details["arms_ratio"][0]["found"],
        "rare_clicks_error": max(found for (_, lift), found in rare.items() if not lift),
        "rare_clicks_power_doubled": rare[experiments_rare.RATE, 1.0],
    }


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the study and write it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=2000, help="of each world")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--out", type=Path, default=Path("docs"), help="folder of experiments.md and experiments.json")
    options = parser.parse_args(arguments)
    if options.runs < 20:
        parser.error(f"--runs must be >= 20, got {options.runs}")
    summary, details = study(options.runs, options.seed)
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "experiments.json").write_text(json.dumps(summary, indent=2) + "\n")
    experiments_page.write(options.out, summary, details)
    sys.stdout.write(json.dumps(summary, indent=2) + "\n")


if __name__ == "__main__":
    main()
