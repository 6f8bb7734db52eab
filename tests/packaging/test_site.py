"""The documentation as a site: built strictly, whole, and asking nobody for anything."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest

from grafana.places import SITE
from tests.alerts.rules import alerts, name_of
from tests.documents import ROOT

LOADS = re.compile(r"<(?:script|img|iframe|source|link)\b[^>]*?\b(?:src|href)=[\"']?((?:https?:)?//[^\"' >]+)")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of the built site. A page without a place, a link or an anchor that leads nowhere fails."""
    folder = tmp_path_factory.mktemp("site")
    program = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)]
    environment = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    done = subprocess.run(program, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stderr
    return folder


def test_every_page_is_on_the_site(site: Path) -> None:
    """And what pages link to beside them: the README, the example of settings, the compose file."""
    pages = [path for path in (ROOT / "docs").rglob("*.md") if path.name != "README.md"]
    missing = [p for p in pages if not (site / p.relative_to(ROOT / "docs").with_suffix(".html")).exists()]
    assert missing == []
    assert (site / "runbooks" / "index.html").exists()
    assert {"index.html", "CONTRIBUTING.html", "compose.yaml"} <= {
        path.name for path in (site / "repository").iterdir()
    }
    assert not (site / "hooks").exists()


@pytest.mark.parametrize("rule", alerts(), ids=name_of)
def test_runbook_of_an_alert_is_a_page_of_the_site(site: Path, rule: dict[str, Any]) -> None:
    """Whoever is woken up opens it from the alert."""
    page = rule["annotations"]["runbook_url"].removeprefix(f"{SITE}/")
    assert (site / page).is_file(), page


def test_site_asks_no_other_host(site: Path) -> None:
    """Fonts, scripts, pictures: whoever reads it behind a wall reads all of it, and nobody learns that they do."""
    for page in site.rglob("*.html"):
        found = LOADS.findall(page.read_text(encoding="utf-8"))
        assert found == [], page
    for sheet in site.rglob("*.css"):
        assert not re.search(r"(@import|url\()\s*[\"']?(https?:)?//", sheet.read_text(encoding="utf-8")), sheet


def test_links_between_pages_and_files_lead_somewhere(site: Path) -> None:
    """Those out of docs are rewritten: MkDocs cannot check what it does not know."""
    for page in site.rglob("*.html"):
        for link in re.findall(r"href=\"?([^\"> ]+)", page.read_text(encoding="utf-8")):
            target = unquote(link.partition("#")[0])
            if target and ":" not in target and page.name != "404.html":
                assert (page.parent / target).exists(), f"{page.relative_to(site)}: {link}"


def test_lists_and_blocks_inside_of_them_are_those_of_the_repository(site: Path) -> None:
    """GitHub indents by what the item's mark is wide, Python-Markdown by four; a block in a list stays in it."""
    text = (site / "kubernetes.html").read_text(encoding="utf-8")
    first = text[text.index("Build the images") : text.index("A volume for checkpoints")]
    assert "docker build --target worker" in re.sub(r"<[^>]+>", "", first)
    assert "</ol>" not in first
    assert "<code>variant|item_id</code>" in (site / "operations.html").read_text(encoding="utf-8")
