"""What a reader sees chosen when a dashboard is opened."""

from __future__ import annotations

import re
from typing import Any

import psycopg

from tests.grafana.boards import BOARDS, variables
from tests.grafana.expand import expand
from tests.grafana.prometheus import Prometheus


def chosen(
    board: str, prometheus: Prometheus, history: psycopg.Connection, start: int, end: int
) -> dict[str, list[str]]:
    """Return the first value, or all, of each variable. start, end: time shown, ms.

    Raises ValueError where a variable has none.
    """
    found: dict[str, list[str]] = {}
    for name, variable in variables(board).items():
        if variable["type"] != "query":
            continue
        values = _values(variable, found, prometheus, history, start, end)
        if not values:
            raise ValueError(f"{board}: the variable {name} has no value")
        repeated = any(panel.get("repeat") == name for panel in BOARDS[board]["panels"])
        found[name] = values if variable["multi"] and not repeated else values[:1]
    return found


def every_value(
    board: str, name: str, found: dict[str, list[str]], prometheus: Prometheus, history: psycopg.Connection
) -> list[str]:
    """Return all values of a variable that rows are repeated by. found: what is chosen of the others."""
    return _values(variables(board)[name], found, prometheus, history, 0, 0)


def _values(
    variable: dict[str, Any],
    found: dict[str, list[str]],
    prometheus: Prometheus,
    history: psycopg.Connection,
    start: int,
    end: int,
) -> list[str]:
    if isinstance(variable["query"], str):
        return [str(row[0]) for row in history.execute(expand(variable["query"], found, start, end)).fetchall()]  # type: ignore[arg-type]
    asked = re.fullmatch(r"label_values\((.+), (\w+)\)", expand(variable["query"]["query"], found, start, end))
    assert asked is not None
    kept = re.compile(variable.get("regex", "").strip("/") or ".*")
    return [value for value in prometheus.label_values(asked[1], asked[2]) if kept.search(value)]
