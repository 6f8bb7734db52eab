"""The pictures of dashboards: of today's panels, small, and with what the queries answered in them."""

from __future__ import annotations

import doctest
import re
from itertools import pairwise
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pictures import units
from pictures.answers import Line, Shown
from pictures.board import draw
from pictures.bodies import ticks
from tests.documents import ROOT
from tests.grafana.boards import BOARDS, panels

FIGURES = ROOT / "docs" / "figures"
NUMBERS = st.floats(-1e7, 1e7, allow_nan=False).map(lambda value: round(value, 6))


def panel(kind: str, title: str, **ways: Any) -> dict[str, Any]:
    """Return a committed panel of a type and title, with other defaults."""
    found = next(p for board in BOARDS.values() for p in panels(board) if (p["type"], p["title"]) == (kind, title))
    config = found["fieldConfig"]
    return found | {"fieldConfig": config | {"defaults": config["defaults"] | ways}}


def words(shown: Shown) -> list[str]:
    """Return the texts of a drawn panel, the dashboard's title left out."""
    root = ElementTree.fromstring(draw("Board", [shown]))
    return [one.text or "" for one in root.iter("{http://www.w3.org/2000/svg}text")][1:]


@pytest.mark.parametrize("name", BOARDS)
def test_committed_picture_has_the_panels_of_the_dashboard(name: str) -> None:
    """Stale: run `make pictures`. A reader looks for the panel that is in the picture."""
    text = (FIGURES / f"{name}.svg").read_text(encoding="utf-8")
    ElementTree.fromstring(text)
    drawn = re.findall(r"<text [^>]*font-weight=\"600\"[^>]*>([^<]+)</text>", text)
    for one in panels(BOARDS[name]):
        pattern = re.sub(r"\\\$\w+", ".+", re.escape(one["title"]))
        assert any(re.fullmatch(pattern, title) for title in drawn), f"{one['title']}: run `make pictures`"


@pytest.mark.parametrize(
    "path", sorted([*FIGURES.glob("lis-*.svg"), *FIGURES.glob("*.png")]), ids=lambda path: path.name
)
def test_picture_is_small_and_is_shown_on_a_page(path: Path) -> None:
    """The repository holds every version of it; one that no page shows is nobody's."""
    assert path.stat().st_size < 200_000
    pages = [*(ROOT / "docs").glob("*.md"), ROOT / "README.md"]
    assert any(re.search(rf"!\[[^\]]+\]\([\w/]*{re.escape(path.name)}\)", page.read_text("utf-8")) for page in pages)


@given(st.lists(NUMBERS, min_size=1, max_size=20))
def test_axis_holds_every_value_between_few_equal_steps(values: list[float]) -> None:
    """A line that leaves its chart is not seen."""
    found = ticks(values, {})
    beyond = 1e-6 * (found[-1] - found[0])
    assert found[0] - beyond <= min(values) and max(values) <= found[-1] + beyond
    assert 2 <= len(found) <= 8
    steps = [after - before for before, after in pairwise(found)]
    assert max(steps) == pytest.approx(min(steps))


def test_axis_ends_where_the_panel_says() -> None:
    """One interval of thousands of percent would flatten all others."""
    found = ticks([0.8, 52.0, -3.0], {"min": -1.0, "max": 4.0})
    assert (found[0], found[-1]) == (-1.0, 4.0)


def test_figures_and_states_are_told_by_the_words_of_the_panel() -> None:
    """A code of a diagnosis means nothing to a reader."""
    states = Shown(
        panel("state-timeline", "Diagnosis"), "Diagnosis", (0, 0, 20, 7), [Line("", [(0, 1), (9, 7), (30, 7)])]
    )
    assert {"insufficient_data", "aligned"} <= set(words(states))
    ages = Shown(panel("stat", "Age of the newest window"), "Age", (0, 0, 4, 4), [Line("age", [(0, 9), (1, 90)])])
    assert words(ages) == ["Age", "1.5 min"]


def test_band_lies_between_its_edges_and_they_are_not_in_the_legend() -> None:
    """As Grafana draws it by the same overrides."""
    lines = [Line(name, [(0, at), (60, at)]) for name, at in (("adjusted LIS", 0.02), ("lower", 0.01), ("upper", 0.03))]
    text = draw("Board", [Shown(panel("timeseries", "Adjusted LIS"), "Adjusted LIS", (0, 0, 8, 9), lines)])
    assert len(re.findall("<polygon ", text)) == 1
    assert len(re.findall("<polyline ", text)) == 1
    assert ">adjusted LIS<" in text and ">lower<" not in text


def test_rows_are_told_by_their_shown_names_and_no_data_by_its_reason() -> None:
    """Rows stand for what was answered; an empty panel says why it is."""
    rows = [{"version": "2", "Value #A": "0.0123"}]
    table = panel("table", "Versions side by side")
    shown = words(Shown(table, "Versions", (0, 0, 8, 7), [], rows))
    assert shown == ["Versions", "version", "2", "adjusted AIS", "0.0123"]
    assert words(Shown(panel("table", "Drift events"), "Drift", (0, 0, 8, 7)))[1] == "nothing drifted in the time shown"


def test_examples_hold() -> None:
    """What a docstring shows is what the function returns."""
    found = doctest.testmod(units)
    assert found.attempted and not found.failed


def test_hidden_columns_stay_hidden_and_shares_are_told_in_percent() -> None:
    """A table's overrides hold in the picture: a column of ones says nothing, and 0.2255 is no lift that is read."""
    row = {"kind": "source", "number": "bound", "Value": "1"}
    absent = words(Shown(panel("table", "Numbers that are absent"), "Absent", (0, 0, 8, 7), [], [row]))
    assert absent == ["Absent", "kind", "source", "number", "bound"]
    lift = Shown(panel("table", "Against control"), "Against", (0, 0, 24, 7), [], [{"arm": "b", "lift": "0.2255"}])
    assert words(lift) == ["Against", "arm", "b", "lift", "22.55%"]


@pytest.mark.parametrize("unit", ["s", "bytes"])
@given(high=st.floats(1, 5e7))
def test_axis_of_times_and_sizes_is_read_without_arithmetic(unit: str, high: float) -> None:
    """Marks at 6.94 h or 19.1 MiB are those of a decimal system that clocks and memories have not."""
    marks = ticks([0.0, high], {"unit": unit})
    assert marks[-1] >= 0.999 * high and 2 <= len(marks) <= 8
    assert all(len(units.written(mark, unit).split()[0]) <= 4 for mark in marks)
