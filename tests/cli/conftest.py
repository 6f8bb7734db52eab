"""Fixtures of the command line's tests."""

from __future__ import annotations

import os

import pytest

from tests.cli.terminal import Terminal


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Terminal:
    """A terminal without the developer's own LIS_... variables."""
    for name in [name for name in os.environ if name.startswith("LIS_")]:
        monkeypatch.delenv(name)
    return Terminal(monkeypatch, capfd)
