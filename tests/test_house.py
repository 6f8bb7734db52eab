"""The house: no file too long to read, no code that nothing uses, no licence that nobody looked at."""

from __future__ import annotations

import re
import runpy
import subprocess
import sys
from typing import Any

from tests.documents import ROOT

LONGEST = 500
"""Lines of a file of code; one that comes near is two things."""

ACCEPTED = r"Apache|MIT|BSD|PSF|ISC|Zlib|0BSD|CC0|LGPL|MPL|NVIDIA"
"""Licences that a user of lis-online can live with, by a word of theirs."""


def test_no_file_of_code_is_too_long() -> None:
    """It is split along what it does."""
    listed = subprocess.run(["git", "ls-files", "*.py"], cwd=ROOT, capture_output=True, text=True, check=True)
    files = [ROOT / name for name in listed.stdout.split() if (ROOT / name).exists()]
    lengths = {path.relative_to(ROOT): len(path.read_text(encoding="utf-8").splitlines()) for path in files}
    assert len(lengths) > 500
    assert {path: length for path, length in lengths.items() if length > LONGEST} == {}


def test_nothing_is_written_that_nothing_uses() -> None:
    """What vulture finds is removed, or named in pyproject.toml with who uses it by its name."""
    done = subprocess.run([sys.executable, "-m", "vulture"], cwd=ROOT, capture_output=True, text=True, timeout=240)
    assert done.returncode in (0, 3), done.stderr
    found = [line for line in done.stdout.splitlines() if not line.startswith("tests/")]
    assert found == []


def test_every_package_that_users_get_has_a_licence_that_was_looked_at() -> None:
    """And stands on the page with it; the page names nothing that is not locked."""
    found: dict[str, str] = _licences()["licences"]()
    page = dict(
        re.findall(
            r"^\| `(\S+)` \| (.+) \|$", (ROOT / "docs" / "licences.md").read_text(encoding="utf-8"), re.MULTILINE
        )
    )
    assert found.items() <= page.items()
    assert [name for name, licence in found.items() if not re.search(ACCEPTED, licence)] == []
    locked = set(re.findall(r"^([\w.-]+)==", (ROOT / "requirements.lock").read_text(encoding="utf-8"), re.MULTILINE))
    assert set(page) <= locked


def _licences() -> dict[str, Any]:
    return runpy.run_path(str(ROOT / "docs" / "hooks" / "licences.py"))
