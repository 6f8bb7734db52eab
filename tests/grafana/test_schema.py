"""The committed JSON against Grafana's schema."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from tests.grafana.boards import BOARDS
from tests.grafana.schema import problems


@pytest.mark.parametrize("name", BOARDS)
def test_dashboard_obeys_the_schema(name: str) -> None:
    """Grafana ignores a field that it does not know: what was meant by it is then not there."""
    assert problems(BOARDS[name]) == []


@pytest.mark.parametrize(
    ("path", "value", "problem"),
    [
        (("titel",), "x", "dashboard.titel is not a field of Dashboard"),
        (("title",), 7, "dashboard.title must be"),
        (("graphTooltip",), 9, "must be a DashboardCursorSync, got 9"),
        (("panels", 1, "gridPos", "w"), "8", "panels[1].gridPos.w must be int, got '8'"),
        (("panels", 1, "targets", 0, "exp"), "up", "is not a field of Dataquery"),
        (("panels", 1, "options", "graphMode"), "lines", "must be a BigValueGraphMode, got 'lines'"),
        (
            ("panels", 1, "fieldConfig", "defaults", "thresholds", "mode"),
            "none",
            "must be a ThresholdsMode, got 'none'",
        ),
        (("templating", "list", 2, "refresh"), 7, "VariableRefresh"),
        (("annotations", "list", 0, "target", "sql"), "", "target must have"),
    ],
)
def test_what_the_schema_does_not_know_is_found(path: tuple[Any, ...], value: Any, problem: str) -> None:
    """A check that finds nothing would pass the test above as well."""
    board = copy.deepcopy(BOARDS["lis-overview"])
    place: Any = board
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    assert any(problem in found for found in problems(board)), problems(board)
