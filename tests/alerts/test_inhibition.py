"""Who mutes whom, asked of a real Alertmanager: its own rules decide, not a reading of the file."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.documents import ROOT
from tests.streams.processes import wait_until

PROGRAM = shutil.which("prometheus-alertmanager") or shutil.which("alertmanager")
pytestmark = pytest.mark.skipif(PROGRAM is None, reason="Alertmanager is not installed")

DRIFT = {"alertname": "LisAlignmentDrift", "severity": "page", "number": "pair_alignment", "source": "coclick"}
DRIFT |= {"kind": "variant", "subject": "title", "variant": "title"}
GAIN = {**DRIFT, "number": "adjusted_ais"}
FELL = {"alertname": "LisAlignmentFell", "severity": "ticket", "number": "adjusted_ais", "source": "coclick"}
FELL |= {"variant": "title", "version": "1"}
STALE = {"alertname": "LisOutputStale", "severity": "page", "mutes": "drift", "sign": "still"}
GONE = {"alertname": "LisWorkerGone", "severity": "page", "mutes": "drift", "role": "rank"}
ONE_GONE = {"alertname": "LisWorkerGone", "severity": "ticket", "instance": "b"}
BASELINE = {"alertname": "LisInvalidBaseline", "severity": "ticket", "source": "coclick"}
BREACH = {"alertname": "LisGuardrailBreached", "severity": "page", "experiment": "mllm-q4", "variant": "title"}
LETTERS = {"alertname": "LisDeadLetters", "severity": "page", "mutes": "drift"}
FEW_LETTERS = {"alertname": "LisDeadLetters", "severity": "ticket"}
HISTORY = {"alertname": "LisHistoryFailing", "severity": "page"}
PAUSED = {"alertname": "LisShardPaused", "severity": "ticket", "mutes": "drift", "reason": "history_unreachable"}

STORIES: dict[str, tuple[list[dict[str, str]], list[dict[str, str]]]] = {
    "nothing else": ([], [DRIFT, GAIN, BREACH]),
    "output stands still": ([DRIFT, GAIN, FELL], [STALE, BREACH]),
    "role gone": ([STALE, DRIFT, ONE_GONE], [GONE]),
    "one worker of several": ([], [ONE_GONE, DRIFT]),
    "invalid baseline": ([GAIN, FELL], [BASELINE, DRIFT]),
    "detector and interval": ([FELL], [GAIN]),
    "interval of another number": ([], [FELL, DRIFT]),
    "refused records": ([DRIFT, FEW_LETTERS], [LETTERS]),
    "few refused records": ([], [DRIFT, FEW_LETTERS]),
    "database away": ([STALE, PAUSED], [HISTORY]),
}
"""By what happens: the alerts that are muted, and those that are sent."""


@pytest.fixture(scope="module")
def alertmanager(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Yield the address of an Alertmanager with the project's configuration; its receivers answer nothing."""
    folder: Path = tmp_path_factory.mktemp("alertmanager")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        at = f"127.0.0.1:{free.getsockname()[1]}"
    words = [str(PROGRAM), f"--config.file={ROOT / 'prometheus' / 'alertmanager.yml'}", f"--storage.path={folder}"]
    words += [f"--web.listen-address={at}", "--cluster.listen-address="]
    with subprocess.Popen(words, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        said = next((line for line in process.stderr if "Listening" in line or "address=" in line), None)
        assert said is not None, "Alertmanager ended"
        try:
            yield f"http://{at}/api/v2/alerts"
        finally:
            process.terminate()
            process.stderr.read()


@pytest.mark.parametrize("story", STORIES)
def test_alerts_that_another_one_explains_are_muted(alertmanager: str, story: str) -> None:
    """Each story is a job of its own, and a drift of another job beside it is never muted."""
    muted, sent = STORIES[story]
    told = [{**labels, "job": story} for labels in (*muted, *sent)]
    others = {**DRIFT, "job": "other"}
    _ask(alertmanager, [{"labels": labels} for labels in [*told, others]])
    explained = told[: len(muted)]  # Alertmanager takes alerts in one by one
    wait_until(lambda: all(_muted(alertmanager, explained)), 30, lambda: f"must be muted: {explained}")
    assert _muted(alertmanager, [*told[len(muted) :], others]) == [False] * (len(sent) + 1)


def _muted(address: str, alerts: list[dict[str, str]]) -> list[bool]:
    """Return which of the alerts another one mutes."""
    found = {json.dumps(one["labels"], sort_keys=True): one["status"] for one in _ask(address)}
    return [bool(found[json.dumps(labels, sort_keys=True)]["inhibitedBy"]) for labels in alerts]


def _ask(address: str, body: Any = None) -> Any:
    """Post alerts, or return those that there are."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(address, data, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=20) as answer:
        content = answer.read()
    return json.loads(content) if data is None else None
