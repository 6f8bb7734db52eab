"""The committed dashboards, and what is in them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from grafana.places import DASHBOARDS

BOARDS: dict[str, dict[str, Any]] = {
    path.stem: json.loads(path.read_text(encoding="utf-8")) for path in sorted(DASHBOARDS.rglob("*.json"))
}


@dataclass(frozen=True)
class Query:
    """One query of one panel, variable or annotation, and where it stands."""

    where: str
    target: dict[str, Any]

    @property
    def text(self) -> str:
        """The query itself, not expanded."""
        found: str = self.target["rawSql"] if "rawSql" in self.target else self.target["expr"]
        return found

    @property
    def is_sql(self) -> bool:
        """Whether it asks PostgreSQL."""
        return "rawSql" in self.target


def panels(board: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the panels that show something: no row is."""
    return [panel for panel in board["panels"] if panel["type"] != "row"]


def queries(name: str) -> Iterator[Query]:
    """Yield every query of a dashboard's panels and annotations."""
    board = BOARDS[name]
    for panel in panels(board):
        for target in panel["targets"]:
            yield Query(f"{name}, {panel['title']} {target['refId']}", target)
    for note in board["annotations"]["list"]:
        yield Query(f"{name}, annotation {note['name']}", note["target"])


def variables(name: str) -> dict[str, dict[str, Any]]:
    """Return a dashboard's variables, in order."""
    return {one["name"]: one for one in BOARDS[name]["templating"]["list"]}


def used_variables(text: str) -> set[str]:
    """Return the names of variables in a text, those that Grafana makes itself left out."""
    found = re.findall(r"\$\{(\w+)(?::[\w:]+)?\}|\$(\w+)", text)
    return {one for pair in found for one in pair if one and not one.startswith("__")}
