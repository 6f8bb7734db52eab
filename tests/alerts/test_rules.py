"""The rules against promtool: well-formed, and each alert fires, holds still and resolves when it should."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.alerts.rules import CASES, RULES, alerts, load
from tests.documents import ROOT
from tests.programs import needs

pytestmark = needs("promtool")


def promtool(*words: str | Path) -> None:
    """Run promtool; fail with what it says."""
    done = subprocess.run(["promtool", *map(str, words)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_rules_are_clean() -> None:
    """No rule twice, no expression that Prometheus does not understand."""
    promtool("check", "rules", "--lint=all", "--lint-fatal", *RULES)


def test_prometheus_takes_the_configuration() -> None:
    """With the rule files it names, which must be all that there are."""
    path = ROOT / "prometheus" / "prometheus.yml"
    promtool("check", "config", path)
    named = {found for pattern in load(path)["rule_files"] for found in path.parent.glob(pattern)}
    assert named == set(RULES)


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_alerts_fire_hold_still_and_resolve(path: Path) -> None:
    """Stories with their alerts, to the last word of each summary."""
    promtool("test", "rules", path)


@pytest.mark.parametrize("name", sorted({rule["alert"] for rule in alerts()}))
def test_every_alert_has_a_story_in_which_it_is_quiet_fires_and_resolves(name: str) -> None:
    """An alert that nothing has seen resolve may never do so."""
    stories = [_fired(test, name) for path in CASES for test in load(path)["tests"]]
    assert any(_changes(story)[-2:] == [True, False] and story[0] is False for story in stories if story), stories


@pytest.mark.parametrize("rule", alerts(), ids=lambda rule: f"{rule['alert']}-{rule['labels']}")
def test_every_rule_fires_in_a_story(rule: dict[str, Any]) -> None:
    """Several rules may have one name: each must be seen."""
    expected = [
        found["exp_labels"] for one in _tests() if one["alertname"] == rule["alert"] for found in one["exp_alerts"]
    ]
    assert any(rule["labels"].items() <= labels.items() for labels in expected)


def _tests() -> list[dict[str, Any]]:
    return [one for path in CASES for test in load(path)["tests"] for one in test.get("alert_rule_test", [])]


def _fired(test: dict[str, Any], name: str) -> list[bool]:
    """Return whether the alert was expected, in the order of time of one story."""
    return [bool(one["exp_alerts"]) for one in test.get("alert_rule_test", []) if one["alertname"] == name]


def _changes(story: list[bool]) -> list[bool]:
    return [fired for at, fired in enumerate(story) if at == 0 or story[at - 1] != fired]
