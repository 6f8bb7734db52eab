"""What a dashboard's own queries answer: lines and tables, panel by panel."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import psycopg

from tests.grafana.boards import BOARDS
from tests.grafana.choices import chosen, every_value
from tests.grafana.expand import expand
from tests.grafana.prometheus import Prometheus

POINTS: Final = 120
"""Of a line, about."""


@dataclass(frozen=True)
class Line:
    """A series. points: (s since 1970, value), in order."""

    name: str
    points: list[tuple[float, float]]


@dataclass(frozen=True)
class Shown:
    """A panel in its place. at: x, y, width and height in the grid's cells; title: with its variables' values."""

    panel: dict[str, Any]
    title: str
    at: tuple[int, int, int, int]
    lines: list[Line] = field(default_factory=list)
    rows: list[dict[str, str]] = field(default_factory=list)


@dataclass(frozen=True)
class Times:
    """What is shown: of Prometheus the run, of the history the feed's own time; s since 1970."""

    run: tuple[float, float]
    feed: tuple[float, float]


def answers(
    name: str, prometheus: Prometheus, history: psycopg.Connection, times: Times, window: str
) -> Iterator[Shown]:
    """Yield the panels of a dashboard from top to bottom, a repeated row once for each value."""
    start, end = (int(1000 * moment) for moment in times.feed)
    values = chosen(name, prometheus, history, start, end) | {"window": [window]}
    down = 0
    for row, panels in _rows(BOARDS[name]["panels"]):
        by = row.get("repeat")
        for value in every_value(name, by, values, prometheus, history) if by else [None]:
            known = values | ({by: [value]} if value is not None else {})
            ask = Ask(prometheus, history, times, known)
            height = max(panel["gridPos"]["y"] + panel["gridPos"]["h"] for panel in panels) - row["gridPos"]["y"]
            for panel in (row, *panels):
                at = panel["gridPos"]
                place = (at["x"], at["y"] - row["gridPos"]["y"] + down, at["w"], at["h"])
                title = expand(panel["title"], known, start, end)
                table = panel["type"] == "table"
                lines = [] if table else [one for target in panel.get("targets", ()) for one in ask.lines(target)]
                yield Shown(panel, title, place, lines, ask.rows(panel) if table else [])
            down += height


def _rows(panels: Sequence[dict[str, Any]]) -> Iterator[tuple[dict[str, Any], list[dict[str, Any]]]]:
    """Yield each row with what stands under it."""
    starts = [at for at, panel in enumerate(panels) if panel["type"] == "row"]
    for begin, end in zip(starts, [*starts[1:], len(panels)], strict=True):
        yield panels[begin], list(panels[begin + 1 : end])


@dataclass(frozen=True)
class Ask:
    """Both data sources, with the variables' values."""

    prometheus: Prometheus
    history: psycopg.Connection
    times: Times
    values: dict[str, list[str]]

    def lines(self, target: dict[str, Any]) -> list[Line]:
        """Return the series that a query gives over the time shown; an instant query's have one point."""
        if "rawSql" in target:
            columns, rows = self._sql(target)
            rows = rows[:: max(1, len(rows) // POINTS)]
            times = [row[0].timestamp() for row in rows]
            return [
                Line(name, [(t, float(row[at])) for t, row in zip(times, rows, strict=True) if row[at] is not None])
                for at, name in list(enumerate(columns))[1:]
            ]
        start, end = self.times.run
        asked = self._expanded(target["expr"])
        if target["instant"]:
            found = [(one["metric"], [one["value"]]) for one in self._now(asked)]
        else:
            span = {"start": f"{start}", "end": f"{end}", "step": f"{(end - start) / POINTS}"}
            answer = self.prometheus.ask("query_range", query=asked, **span)["result"]
            found = [(one["metric"], one["values"]) for one in answer]
        return [
            Line(_legend(target, labels), [(at, float(v)) for at, v in values if v != "NaN"])
            for labels, values in found
        ]

    def rows(self, panel: dict[str, Any]) -> list[dict[str, str]]:
        """Return a table's rows: the history's, or series by their labels, merged where they have the same."""
        merged: dict[tuple[tuple[str, str], ...], dict[str, str]] = {}
        for target in panel["targets"]:
            if "rawSql" in target:
                columns, rows = self._sql(target)
                return [dict(zip(columns, map(_cell, row), strict=True)) for row in rows]
            value = "Value" if len(panel["targets"]) == 1 else f"Value #{target['refId']}"
            for one in self._now(self._expanded(target["expr"])):
                labels = tuple(sorted(one["metric"].items()))
                merged.setdefault(labels, dict(labels))[value] = f"{float(one['value'][1]):.4g}"
        return list(merged.values())

    def _now(self, query: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.prometheus.ask("query", query=query, time=f"{self.times.run[1]}")["result"]
        return found

    def _sql(self, target: dict[str, Any]) -> tuple[list[str], list[tuple[Any, ...]]]:
        done = self.history.execute(self._expanded(target["rawSql"]))  # type: ignore[arg-type]
        return [column.name for column in done.description or ()], done.fetchall()

    def _expanded(self, query: str) -> str:
        start, end = (int(1000 * moment) for moment in self.times.feed)
        return expand(query, self.values, start, end)


def _legend(target: dict[str, Any], labels: dict[str, str]) -> str:
    return re.sub(r"\{\{(\w+)\}\}", lambda found: labels.get(found[1], ""), target.get("legendFormat") or "")


def _cell(value: Any) -> str:
    if hasattr(value, "strftime"):
        return str(value.strftime("%m-%d %H:%M"))
    return f"{value:.4g}" if isinstance(value, float) else "" if value is None else str(value)


def feed_times(history: psycopg.Connection) -> tuple[float, float]:
    """Return the first and the last time of the history's numbers, s since 1970."""
    (row,) = history.execute(
        "SELECT extract(epoch FROM min(time)), extract(epoch FROM max(time)) FROM lis_numbers"
    ).fetchall()
    return float(row[0]) - 60, float(row[1])
