"""Experiments as a person reads them: who is in the arms, then every lift."""

from __future__ import annotations

import io
import re
from dataclasses import replace
from typing import Any

import pytest
from rich.console import Console

from lis_online.cli.report import report
from lis_online.experiments.srm import sample_ratio
from lis_online.shards.experiment_summary import experiment_summary
from tests.cli.test_report import SUMMARY
from tests.exporter.examples import experiment

GIVEN = experiment()


def summary_of(**change: Any) -> dict[str, Any]:
    """Return a summary with one experiment, as it is made of what is published."""
    return {**SUMMARY, "experiments": {"mllm-q4": {**experiment_summary(GIVEN), **change}}}


def shown(summary: dict[str, Any], colour: bool = False) -> str:
    """Return what is printed on 110 columns, from the experiment on."""
    out = io.StringIO()
    system = "standard" if colour else None
    Console(file=out, width=110, force_terminal=colour, color_system=system).print(report(summary))
    return out.getvalue()[out.getvalue().index("Experiment mllm-q4") :]


def row(text: str, metric: str) -> str:
    """Return the row of a metric, blanks as one."""
    (line,) = [" ".join(line.split()) for line in text.splitlines() if f" {metric} " in line]
    return line


def test_a_row_has_the_figures_of_its_comparison() -> None:
    """Levels, lift in percent with the always-valid interval, adjusted p, guardrail, users needed in all."""
    one = GIVEN.analysis.get("treatment", "dwell")
    assert one.relative.value is not None and one.p_adjusted is not None
    low, high = one.relative.sequence.lower, one.relative.sequence.upper
    lift = f"{100 * one.relative.value:+.2f}% [{100 * (low or 0):+.2f}%, {100 * (high or 0):+.2f}%]"
    p = "<0.0001" if one.p_adjusted < 0.0001 else f"{one.p_adjusted:.4f}"
    found = row(shown(summary_of()), "dwell")
    assert found.startswith(f"treatment dwell {one.arm.value:.4g} {one.control.value:.4g} {lift} {p} holds ")
    assert one.users_needed is not None and found.endswith(f" {one.users_needed / 1e6:.1f}M")
    assert row(shown(summary_of()), "ctr").split()[-2:][0] == "-", "no guardrail is declared"


def test_every_line_fits_110_columns() -> None:
    """The figures of six columns are not folded into unreadable ones."""
    text = shown(summary_of())
    assert max(map(len, text.splitlines())) <= 110
    assert len([line for line in text.splitlines() if "treatment" in line]) == 3  # who is there, and two metrics


@pytest.mark.parametrize(("counts", "word", "colour"), [([500, 500], "ok", "32"), ([300, 700], "MISMATCH", "31")])
def test_the_sample_ratio_comes_first_and_says_so_in_words(counts: list[int], word: str, colour: str) -> None:
    """Colour is never alone, and a mismatch says what follows."""
    ratio = sample_ratio(counts, [0.5, 0.5])
    given = replace(GIVEN, analysis=replace(GIVEN.analysis, sample_ratio=ratio))
    summary = {**SUMMARY, "experiments": {"mllm-q4": experiment_summary(given)}}
    first = shown(summary).splitlines()[0]
    assert f"sample ratio {word}" in first
    assert ("no lift is to be trusted" in first) == (word == "MISMATCH")
    assert re.search(rf"\x1b\[(1;)?{colour}msample ratio {word}", shown(summary, colour=True))


def test_users_and_crossers_are_named_by_arm() -> None:
    """Who is in two arms is in neither; an arm without any is not named."""
    arms = experiment_summary(GIVEN)["arms"]
    assert "crossed: none" in shown(summary_of())
    arms["treatment"]["crossed"] = 1_234
    text = " ".join(shown(summary_of(arms=arms)).split())
    assert "users: control 2,000, treatment 2,000 crossed: treatment 1,234" in text


def test_what_there_is_not_has_its_reason() -> None:
    """Before the first user, too few users, nothing to compare: never a 0."""
    early = experiment_summary(experiment(0))
    assert "sample ratio - no users" in shown({**SUMMARY, "experiments": {"mllm-q4": early}})
    assert row(shown({**SUMMARY, "experiments": {"mllm-q4": early}}), "dwell") == (
        "treatment dwell - - - no users - undecided -"
    )
    few = shown({**SUMMARY, "experiments": {"mllm-q4": experiment_summary(experiment(40))}})
    assert "too few users for a sequence" in few
    nothing = shown(summary_of(reason="no metric is declared", comparisons={}))
    assert "no metric is declared" in nothing and "users needed" not in nothing
    without = dict(zip(("users", "assigned"), (None, None), strict=True))
    arms = {name: {**arm, **without} for name, arm in experiment_summary(GIVEN)["arms"].items()}
    assert "users: control -, treatment -" in shown(summary_of(arms=arms, reason="old", comparisons={}))


@pytest.mark.parametrize(("direction", "colour"), [("decrease", "32"), ("increase", "31")])
def test_a_rise_of_what_must_not_rise_is_red(direction: str, colour: str) -> None:
    """Green is for the better, whichever way that is."""
    guardrails = {"treatment": {"dwell": {"direction": direction, "margin": 0.1, "status": "breached"}}}
    text = shown(summary_of(guardrails=guardrails), colour=True)
    assert re.search(rf"dwell.*\x1b\[{colour}m\+[\d.]+%.*breached", text)


def test_a_summary_without_experiments_shows_none() -> None:
    """Most feeds run none at a time."""
    out = io.StringIO()
    Console(file=out, width=110).print(report(SUMMARY))
    assert "Experiment" not in out.getvalue()
