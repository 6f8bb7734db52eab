"""The rule files as data, for the tests of alerts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from tests.documents import ROOT

RULES = sorted((ROOT / "prometheus" / "rules").glob("*.yml"))
CASES = sorted(Path(__file__).parent.glob("*.yml"))
RUNBOOKS = ROOT / "docs" / "runbooks"


def load(path: Path) -> Any:
    """Return a YAML file's content."""
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def every_rule() -> list[dict[str, Any]]:
    """Return every rule of every group of every file."""
    return [rule for path in RULES for group in load(path)["groups"] for rule in group["rules"]]


def alerts() -> list[dict[str, Any]]:
    """Return the alerting rules."""
    return [rule for rule in every_rule() if "alert" in rule]


def name_of(rule: object) -> str:
    """Name a test's parameter by the alert and its severity."""
    return f"{rule['alert']}-{rule['labels']['severity']}" if isinstance(rule, dict) else ""
