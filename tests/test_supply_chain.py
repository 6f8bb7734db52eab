"""What is shipped and by whom: the bill of materials, the lock, the workflows."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.documents import ROOT

LOCKED = dict(
    re.findall(r"^([\w.-]+)==([^\s;]+)", (ROOT / "requirements.lock").read_text(encoding="utf-8"), re.MULTILINE)
)
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))


def bill(folder: Path, name: str) -> bytes:
    """Return what `make sbom` writes."""
    recipe = re.search(
        r"^sbom:.*\n(?:\t.*\n)*?\t@\$\(BIN\)/python (.+)$", (ROOT / "Makefile").read_text(), re.MULTILINE
    )
    assert recipe is not None
    out = folder / name
    arguments = recipe[1].replace("dist/sbom.json", str(out)).split()
    program = [sys.executable, *arguments, "--no-validate"]
    subprocess.run(program, cwd=ROOT, check=True, capture_output=True, timeout=120)
    return out.read_bytes()


def test_bill_of_materials_has_every_locked_package_with_its_hashes(tmp_path: Path) -> None:
    """And is the same bytes every time: no time, no random number."""
    first = bill(tmp_path, "first.json")
    assert first == bill(tmp_path, "second.json")
    components = json.loads(first)["components"]
    found = {one["name"]: one["version"] for one in components}
    assert found == LOCKED
    assert len(LOCKED) > 100
    for one in components:
        hashes = [h["alg"] for reference in one["externalReferences"] for h in reference.get("hashes", [])]
        assert "SHA-256" in hashes, one["name"]


def test_every_locked_package_has_a_hash_and_none_an_address() -> None:
    """From whatever mirror it comes, it is the same."""
    text = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    entries = re.split(r"^(?=[\w.-]+==)", text, flags=re.MULTILINE)[1:]
    assert [entry.partition("\n")[0] for entry in entries if "--hash=sha256:" not in entry] == []
    assert not re.search(r"^(-i|--index|--extra|--find|.*https?://)", text, re.MULTILINE)


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_workflow_asks_for_few_rights_and_runs_what_there_is(path: Path) -> None:
    """It reads unless it says why not; its commands are the project's; nothing of an event is put into a shell."""
    yaml = pytest.importorskip("yaml", reason="PyYAML is not installed")
    found: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert found["permissions"] == {"contents": "read"}
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for job in found["jobs"].values():
        assert job.get("permissions", {}).keys() <= {"contents", "packages"}
        for step in job["steps"]:
            if str(step.get("uses", "")).startswith("actions/checkout@"):
                assert step["with"]["persist-credentials"] is False
            said = step.get("run", "")
            assert "${{" not in said
            for target in re.findall(r"^make (\w+)$", said, re.MULTILINE):
                assert re.search(rf"^{target}:", makefile, re.MULTILINE)
            if said == ".ci/run":
                assert (ROOT / said).exists()


def test_audit_cannot_pass_without_having_asked() -> None:
    """Behind a mirror pip-audit skips every package, and without --strict calls that clean."""
    assert re.search(r"^audit:.*\n\t@\$\(BIN\)/pip-audit --strict .*-r requirements\.lock$", MAKEFILE, re.MULTILINE)
    audited = [path.name for path in WORKFLOWS if "run: make audit" in path.read_text(encoding="utf-8")]
    assert audited == ["ci.yml", "release.yml"]


MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
