"""The committed JSON against the code that makes it."""

from __future__ import annotations

import doctest
import re
import shutil
from pathlib import Path
from types import ModuleType

import pytest
from grafana_foundation_sdk.builders.dashboard import Dashboard

from grafana import promql
from grafana.build import BOARDS, point, text_of, write
from grafana.layout import Line, Section, place
from grafana.panels import Ask, chart, prom
from grafana.places import DASHBOARDS, RULES
from grafana.promql import pick
from lis_online.exporter import names
from tests.documents import ROOT
from tests.grafana import expand


@pytest.mark.parametrize("name", BOARDS)
def test_committed_dashboard_is_what_the_code_makes(name: str) -> None:
    """Stale: run `make dashboards`. What is changed by hand is lost with the next change of the code."""
    committed = (DASHBOARDS / f"{name}.json").read_text(encoding="utf-8")
    assert committed == text_of(BOARDS[name]), "run `make dashboards`"


def test_no_other_dashboard_is_committed() -> None:
    """One that no code makes would be provisioned for ever."""
    found = {path.relative_to(DASHBOARDS).as_posix() for path in DASHBOARDS.rglob("*") if path.is_file()}
    assert found == {f"{name}.json" for name in BOARDS}


def test_writing_makes_the_folders(tmp_path: Path) -> None:
    """Each folder is one of Grafana's."""
    folder = tmp_path / "new"
    write(folder)
    assert {path.parent.name for path in folder.rglob("*.json")} == {"Overview", "Alignment", "Experiments", "Pipeline"}


def test_runbooks_are_those_of_the_site_that_is_named(tmp_path: Path) -> None:
    """Of dashboards and alerts alike, and again from one site to another."""
    rules = shutil.copytree(RULES, tmp_path / "rules")
    write(tmp_path / "boards", "https://docs.example/lis")
    for site in ("https://first.example", "https://docs.example/lis"):
        point(rules, site)
    for path in [*rules.glob("*.yml"), *(tmp_path / "boards").rglob("*.json")]:
        found = re.findall(r'https?://[^\s"]*/runbooks', path.read_text(encoding="utf-8"))
        assert set(found) == ({"https://docs.example/lis/runbooks"} if path.stem != "record" else set()), path


def test_committed_alerts_lead_to_the_same_site(tmp_path: Path) -> None:
    """As the dashboards do."""
    rules = shutil.copytree(RULES, tmp_path / "rules")
    point(rules)
    for path in rules.glob("*.yml"):
        assert path.read_text(encoding="utf-8") == (RULES / path.name).read_text(encoding="utf-8"), path.name


def test_a_label_that_a_series_does_not_have_is_refused() -> None:
    """It would select nothing, without an error."""
    with pytest.raises(ValueError, match=r"label of lis_samples must be one of .*, got 'variant'"):
        pick(names.SAMPLES, 'variant="title"')


def test_a_line_that_is_not_as_wide_as_the_grid_is_refused() -> None:
    """A gap at the right, or a panel that Grafana would move."""
    panel = chart("Samples", Ask("How many?", "None."), [prom("lis_samples")], "short")
    with pytest.raises(ValueError, match="a line of 'All' must be 24 columns wide, got 12"):
        place(Dashboard("x"), [Section("All", [Line(4, [(panel, 12)])])])


def test_page_names_every_dashboard() -> None:
    """One that nobody reads about is one that nobody opens."""
    page = (ROOT / "docs" / "dashboards.md").read_text(encoding="utf-8")
    assert re.findall(r"^\| `([\w-]+)` \|", page, re.MULTILINE) == [name.split("/")[1] for name in BOARDS]


@pytest.mark.parametrize("module", [promql, expand], ids=lambda module: str(module.__name__))
def test_examples_hold(module: ModuleType) -> None:
    """What a docstring shows is what the function returns."""
    found = doctest.testmod(module)
    assert found.attempted and not found.failed
