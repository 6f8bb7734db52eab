"""`lis-online evaluate open-bandit`: two real policies in, an experiment for each campaign out."""

from __future__ import annotations

import json
from pathlib import Path

from tests.cli.terminal import Terminal
from tests.replay.test_open_bandit import HEADER, ROWS


def test_the_command_reports_both_policies_of_every_campaign(terminal: Terminal, tmp_path: Path) -> None:
    """Without a settings file: an experiment for each campaign in the data, and reasons where there is no number."""
    for name, rows in ROWS.items():
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / f"{name.split('/')[1]}.csv").write_text(HEADER + rows)
    printed = terminal.run("evaluate", "open-bandit", str(tmp_path), "--json")
    assert (printed.code, printed.err) == (0, "")
    summary = json.loads(printed.out)
    men = summary["arms"]["open-bandit-men"]
    assert {arm: (men[arm]["users"], men[arm]["impressions"]) for arm in men} == {"random": (2, 2), "bts": (2, 2)}
    assert list(summary["arms"]["open-bandit-women"]) == ["random", "bts"]
    lift = summary["experiments"]["open-bandit-men"]["comparisons"]["bts"]["ctr"]
    assert lift["relative"]["sequence"]["lower"] is None and lift["p_adjusted"] is None
    assert lift["relative"]["sequence"]["reason"] == "too few users for a sequence: 1 of 100 effective ones"
    assert summary["sources"] == {}
    assert summary["unleaked"]["auc"] == {"value": None, "reason": "no samples after the warm-up"}
