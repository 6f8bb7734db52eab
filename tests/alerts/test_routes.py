"""The Alertmanager's configuration: amtool takes it, and sends each severity where it belongs."""

from __future__ import annotations

import subprocess
from typing import Any

import pytest

from tests.alerts.rules import alerts, name_of
from tests.documents import ROOT
from tests.programs import needs

pytestmark = needs("amtool")
CONFIG = ROOT / "prometheus" / "alertmanager.yml"


def amtool(*words: str) -> str:
    """Run amtool; fail with what it says."""
    done = subprocess.run(["amtool", *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_alertmanager_takes_the_configuration() -> None:
    """A configuration that does not load leaves the old one in place, silently."""
    assert "3 receivers" in amtool("check-config", str(CONFIG))


@pytest.mark.parametrize("rule", alerts(), ids=name_of)
def test_alert_goes_to_the_receiver_of_its_severity(rule: dict[str, Any]) -> None:
    """A page that lands in the tracker wakes nobody."""
    labels = {"alertname": rule["alert"], "job": "lis-online", **rule["labels"]}
    words = [f"{name}={value}" for name, value in labels.items()]
    route = ["config", "routes", "test", f"--config.file={CONFIG}"]
    assert amtool(*route, *words).strip() == rule["labels"]["severity"]


def test_what_has_no_severity_is_not_lost() -> None:
    """Somebody else's alert, or one whose label was forgotten, goes to the quiet receiver."""
    assert amtool("config", "routes", "test", f"--config.file={CONFIG}", "alertname=Other").strip() == "info"
