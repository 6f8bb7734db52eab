"""The demo as a person walks it: on the embedded broker and database, to its first numbers, then Ctrl-C."""

import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

PATIENCE = 240
"""Seconds until the first numbers at most: a guard against hanging, not a claim about speed."""


@pytest.mark.timeout(PATIENCE + 120)
def test_the_demo_shows_numbers_and_ctrl_c_ends_it_with_a_summary(tmp_path: Path) -> None:
    """First numbers come by themselves; one Ctrl-C drains, writes the summary and ends every worker cleanly."""
    summary, log = tmp_path / "out.json", tmp_path / "log"
    command = [sys.executable, "-m", "lis_online", "demo", "--summary", str(summary)]
    environment = os.environ | {"TMPDIR": str(tmp_path), "PYTHONUNBUFFERED": "1"}
    with log.open("wb") as out:
        demo = subprocess.Popen(command, stdout=out, stderr=out, env=environment, start_new_session=True)
    try:
        deadline = time.monotonic() + PATIENCE
        while "adjusted LIS" not in log.read_text() and demo.poll() is None and time.monotonic() < deadline:
            time.sleep(0.5)
        assert "adjusted LIS" in log.read_text(), log.read_text()
        assert "<title>lis-online, live</title>" in page_of(log.read_text())
        demo.send_signal(signal.SIGINT)
        assert demo.wait(100) == 0, log.read_text()
    finally:
        if demo.poll() is None:
            os.killpg(demo.pid, signal.SIGKILL)
    found = json.loads(summary.read_text())
    assert found["samples"] > 0
    assert found["events"]["dead_letters"] == found["events"]["late"] == 0
    assert set(found["sources"]) == {"coclick", "colike"}
    assert all(source["adjusted_lis"]["value"] is not None for source in found["sources"].values())
    assert set(found["variants"]) == {"good", "weak", "random"}
    assert "all workers ended cleanly" in log.read_text()
    assert not list(tmp_path.glob("lis-demo-*")), "the demo leaves nothing behind"


def page_of(log: str) -> str:
    """Return the live page at the address that the demo printed."""
    found = re.search(r"^live page (\S+)$", log, re.MULTILINE)
    assert found is not None, log
    with urllib.request.urlopen(urllib.request.Request(found[1], headers={"Accept": "text/html"}), timeout=5) as answer:
        return str(answer.read().decode())
