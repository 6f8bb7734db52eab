from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lis_online.settings import Settings
from studies import calibration, diagnosis, nulls, precision, report
from studies.cells import Cell, cells
from studies.coverage import NUMBERS, OF_SOURCE, OF_VARIANT, coverage, refused
from studies.rules import RULES, Deletions, rule_coverage
from studies.run import FOLDER

RANKERS = ["unleaked", "twin", "leaked:s", "past:s", "placebo:s", "thinned:s", "aligned:v", "permuted:v"]


def interval(value: float, stderr: float) -> dict[str, Any]:
    """Return an estimate as a summary has it."""
    return {"value": value, "stderr": stderr, "lower": value - 2.04 * stderr, "upper": value + 2.04 * stderr}


def made(rng: np.random.Generator, said: str, users: float = 900.0, stderr: float = 0.01) -> dict[str, Any]:
    """Return a world's result whose values lie around 0.1 with a spread of 0.01, whatever `stderr` claims."""

    def drawn() -> dict[str, Any]:
        return interval(0.1 + 0.01 * float(rng.normal()), stderr)

    groups, value = 32, rng.normal(0.6, 0.01, len(RANKERS))
    deleted = value[:, None] + rng.normal(0, 0.01, (len(RANKERS), groups)) / groups
    variant = {name: drawn() for name in (*OF_VARIANT, "efficiency")}
    return {
        "cell": "",
        "replicate": 0,
        "cpu_seconds": 1.0,
        "summary": {
            "samples": 10_000,
            "effective_users": users,
            "twin": interval(0.01 * float(rng.normal()), 0.01),
            "sources": {"s": {**{name: drawn() for name in OF_SOURCE}, "coverage": 0.5}},
            "variants": {"v": {**variant, "diagnosis": said, "sentence": ""}},
        },
        "levels": {
            "rankers": RANKERS,
            "value": value.tolist(),
            "user": deleted.tolist(),
            "time": deleted[:, :16].tolist(),
            "users_present": [True] * groups,
            "blocks_present": [True] * 16,
            "positives": 5_000,
        },
    }


def keep(runs: Path, cell: Cell, worlds: list[dict[str, Any]]) -> None:
    """Write results where a study looks for them."""
    folder = runs / FOLDER / cell.name
    folder.mkdir(parents=True)
    for replicate, world in enumerate(worlds):
        (folder / f"{replicate}.json").write_text(json.dumps(world))


def test_every_cell_has_settings_that_load_and_a_name_of_its_own() -> None:
    """A cell that cannot be run would be found after an hour."""
    every = cells()
    assert len({cell.name for cell in every}) == len(every)
    for cell in every:
        Settings.of(cell.settings)


@pytest.mark.parametrize(("stderr", "lowest", "highest"), [(0.01, 0.92, 0.98), (0.005, 0.6, 0.78), (0.03, 0.999, 1.0)])
def test_coverage_finds_intervals_that_are_too_narrow_or_too_wide(stderr: float, lowest: float, highest: float) -> None:
    """Of values with a spread of 0.01: right errors hold 95 %, half of them two thirds, threefold ones all."""
    rng = np.random.default_rng(3)
    worlds = [made(rng, "aligned", stderr=stderr) for _ in range(400)]
    for number in NUMBERS[:-1]:
        found = coverage(worlds, number)
        assert lowest <= found.share <= highest
        assert found.covered + found.below + found.above == found.worlds == 400
        assert found.spread == pytest.approx(0.01, rel=0.15)


def test_few_users_are_refused_not_counted() -> None:
    """What is answered with `insufficient_data` is neither right nor wrong."""
    rng = np.random.default_rng(4)
    worlds = [made(rng, "insufficient_data", users=150.0), made(rng, "aligned")]
    assert [refused(world, "ais") for world in worlds] == [True, False]
    assert (coverage(worlds, "ais").worlds, coverage(worlds, "ais").refused) == (1, 1)


def test_deletions_give_the_jackknife_of_the_difference() -> None:
    """By hand: 31/32 of the sum of squares of the deleted differences around their mean."""
    one = Deletions(made(np.random.default_rng(5), "aligned")["levels"])
    levels = made(np.random.default_rng(5), "aligned")["levels"]
    difference = np.array(levels["user"][2]) - np.array(levels["user"][4])
    expected = 31 / 32 * ((difference - difference.mean()) ** 2).sum()
    assert one.variances("adjusted_lis")[0] == pytest.approx(expected)
    assert one.value("adjusted_lis") == pytest.approx(levels["value"][2] - levels["value"][4])


def test_wider_rules_hold_more() -> None:
    """The sum holds at least what the larger holds, and that at least what users alone hold."""
    rng = np.random.default_rng(6)
    worlds = [made(rng, "aligned") for _ in range(60)]
    users, larger, both = (rule_coverage(worlds, "ais", RULES[n])[0] for n in ("users alone", "the larger", "the sum"))
    assert users <= larger <= both


def test_confusion_matrix_counts_what_was_said(tmp_path: Path) -> None:
    """Ten worlds deserve a label: seven say so, two wait, one is wrong: one in eight answers."""
    cell = next(cell for cell in cells() if cell.deserves == "misaligned")
    said = ["misaligned"] * 7 + ["insufficient_data"] * 2 + ["aligned"]
    rng = np.random.default_rng(7)
    keep(tmp_path, cell, [made(rng, one) for one in said])
    found = diagnosis.section(tmp_path, tmp_path)
    assert found is not None
    assert found.facts == {"diagnosis_error": 0.125, "diagnosis_worlds": 8}


def test_page_has_every_section_that_has_results(tmp_path: Path) -> None:
    """Calibration, nulls and precision of a few made-up worlds, and every expected key in the JSON."""
    rng = np.random.default_rng(8)
    for cell in cells():
        if cell.size == "large":
            keep(tmp_path / "runs", cell, [made(rng, cell.deserves or "aligned") for _ in range(12)])
    out = tmp_path / "docs"
    report.write(tmp_path / "runs", out)
    page, facts = (out / "validation.md").read_text(), json.loads((out / "validation.json").read_text())
    for study in (calibration, nulls, precision):
        section = study.section(tmp_path / "runs", out / "figures")
        assert section is not None and f"## {section.title}" in page
    assert set(report.KEYS) <= set(facts)
    assert facts["worlds"] == 48 and facts["interval_coverage"]["ais"] > 0.8
    assert (out / "figures" / "coverage.svg").exists()


def test_page_without_results_says_nothing(tmp_path: Path) -> None:
    """No runs, no figures: the keys are there, and null."""
    report.write(tmp_path, tmp_path)
    facts = json.loads((tmp_path / "validation.json").read_text())
    assert all(facts[key] is None for key in report.KEYS)
