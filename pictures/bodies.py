"""What stands inside of a panel, by its type: lines, numbers, states, rows."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any, Final

from grafana.colours import PALETTE
from pictures.answers import Line, Shown
from pictures.elements import FAINT, INK, QUIET, area, box, polyline, rule, text, width_of
from pictures.units import clock, round_step, written

TOP, LEFT, RIGHT, BOTTOM = 34, 66, 10, 42
"""Pixels around a chart: the title, the axis of values, the axis of time and the legend."""
STEPS: Final = 4
"""Of an axis, about."""
ROW: Final = 22


def chart(one: Shown, width: float, height: float) -> Iterator[str]:
    """Draw lines over time, bands between those that a panel fills, and their names."""
    defaults = one.panel["fieldConfig"]["defaults"]
    shown = {line.name: line.points for line in one.lines if line.points}
    marks = ticks([value for points in shown.values() for _, value in points], defaults)
    low, high = marks[0], marks[-1]
    begin = min(points[0][0] for points in shown.values())
    span = max(1.0, max(points[-1][0] for points in shown.values()) - begin)
    wide, tall = width - LEFT - RIGHT, height - TOP - BOTTOM

    def at(points: list[tuple[float, float]]) -> list[tuple[float, float]]:
        kept = [(t, min(max(v, low), high)) for t, v in points]
        return [(LEFT + wide * (t - begin) / span, TOP + tall * (high - v) / (high - low)) for t, v in kept]

    for value in marks:
        y = TOP + tall * (high - value) / (high - low)
        yield rule(LEFT, y, width - RIGHT, y)
        yield text(
            LEFT - 6, y + 4, written(value, defaults["unit"], _fewest(marks, defaults)), 10.5, QUIET, anchor="end"
        )
    for step in range(STEPS):
        x = LEFT + wide * (step + 0.5) / STEPS
        yield text(
            x, height - BOTTOM + 15, clock(begin + span * (step + 0.5) / STEPS, span), 10.5, QUIET, anchor="middle"
        )
    named: list[tuple[str, str]] = []
    for number, (name, points) in enumerate(shown.items()):
        ways = _ways(one.panel, name)
        colour = ways.get("color", {}).get("fixedColor", PALETTE[number % len(PALETTE)])
        lower = shown.get(ways.get("custom.fillBelowTo", ""))
        if lower:
            yield area([*at(points), *reversed(at(lower))], colour)
        if ways.get("custom.lineWidth", 2):
            yield polyline(at(points), colour)
        if not ways.get("custom.hideFrom", {}).get("legend"):
            named.append((name, colour))
    yield from _legend(named, width, height)


def stat(one: Shown, width: float, height: float) -> Iterator[str]:
    """Draw the last value of each line, large."""
    defaults = one.panel["fieldConfig"]["defaults"]
    beside = width > 240
    for number, line in enumerate(one.lines):
        value = line.points[-1][1]
        mapped = _mapping(defaults, value)
        words = mapped["text"] if mapped else written(value, defaults["unit"], defaults.get("decimals"))
        if one.panel["options"]["textMode"] == "name":
            words = line.name
        colour = (mapped or {}).get("color") or _threshold(defaults, value)
        plain = one.panel["options"]["colorMode"] == "none"
        share = (width if beside else height - 24) / len(one.lines)
        size = min(30.0, (share if beside else width) / 6)
        x = share * (number + 0.5) if beside else width / 2
        y = height / 2 + 18 if beside else 24 + share * (number + 0.62)
        named = one.panel["options"]["textMode"] == "value_and_name"
        if named:
            yield text(x, y - size, line.name, 11, QUIET, anchor="middle")
        yield text(x, y, words, size, INK if plain else colour, weight=600, anchor="middle")


def states(one: Shown, width: float, height: float) -> Iterator[str]:
    """Draw what held when, a lane for each line."""
    defaults = one.panel["fieldConfig"]["defaults"]
    lines = [line for line in one.lines if line.points]
    begin, end = lines[0].points[0][0], max(line.points[-1][0] for line in lines)
    left = 8 + max(width_of(line.name, 11) for line in lines)
    wide, lane = width - left - 16, (height - TOP - 26) / len(lines)
    for number, line in enumerate(lines):
        y = TOP + lane * number
        yield text(left, y + lane / 2 + 4, line.name, 11, QUIET, anchor="end")
        for start, until, value in _held(line, end):
            mapped = _mapping(defaults, value) or {"text": f"{value:g}", "color": FAINT}
            x, w = left + 8 + wide * (start - begin) / (end - begin), wide * (until - start) / (end - begin)
            yield box(x, y + lane * 0.1, w, lane * 0.8, mapped["color"])
            if w > width_of(mapped["text"], 11) + 8:
                yield text(x + 5, y + lane / 2 + 4, mapped["text"], 11, INK)
    for share in (0.0, 0.5, 1.0):
        anchor = {0.0: "start", 0.5: "middle", 1.0: "end"}[share]
        moment = clock(begin + share * (end - begin), end - begin)
        yield text(left + 8 + wide * share, height - 8, moment, 10.5, QUIET, anchor=anchor)


def table(one: Shown, width: float, height: float) -> Iterator[str]:
    """Draw the rows for which there is room; columns as wide as their longest words, the wide ones cut."""
    columns = {name: _ways(one.panel, name) for row in one.rows for name in row}
    columns = {name: ways for name, ways in columns.items() if not ways.get("custom.hidden")}
    words = {name: [_told(row.get(name, ""), ways) for row in one.rows] for name, ways in columns.items()}
    heads = {name: ways.get("displayName", name) for name, ways in columns.items()}
    sizes = {name: 18 + max(width_of(word, 11.5) for word in (heads[name], *words[name])) for name in columns}
    scale = (width - 16) / sum(sizes.values())
    if scale < 1:
        fair = (width - 16) / len(sizes)
        spare = sum(fair - size for size in sizes.values() if size < fair)
        over = sum(size - fair for size in sizes.values() if size > fair)
        sizes = {name: size if size <= fair else fair + (size - fair) * spare / over for name, size in sizes.items()}
    sizes = {name: size * max(1.0, scale) for name, size in sizes.items()}
    kept = min(len(one.rows), int((height - 56) / ROW))
    x = 8.0
    for name, size in sizes.items():
        yield text(x, 44, heads[name], 11.5, QUIET, weight=600, room=0.94 * size - 6)
        for line in range(kept):
            yield text(x, 44 + ROW * (line + 1), words[name][line], 11.5, room=0.94 * size - 6)
        x += size
    for line in range(kept + 1):
        yield rule(8, 50 + ROW * line, width - 8, 50 + ROW * line)


BODIES: Final[dict[str, Callable[[Shown, float, float], Iterator[str]]]] = {
    "timeseries": chart,
    "stat": stat,
    "state-timeline": states,
    "table": table,
}
"""Type of a panel, as in its JSON -> what draws it."""


def ticks(values: list[float], defaults: dict[str, Any]) -> list[float]:
    """Return the marks of an axis, round numbers around the values, or those that the panel sets."""
    values = [value for value in values if math.isfinite(value)] or [0.0]
    least, most = defaults.get("min", -math.inf), defaults.get("max", math.inf)
    low, high = max(min(values), least), min(max(values), most)
    if low == high:
        low, high = min(low, 0.0), max(high, 0.0) or (0.0 if low else 1.0)
    elif 0 <= low < 0.4 * high:
        low = 0.0
    if defaults.get("unit") == "s":
        low = min(low, 0.0)
    step = round_step((high - low) / STEPS, defaults.get("unit", "none"))
    first, last = math.floor(low / step + 1e-6), max(math.ceil(high / step - 1e-6), math.floor(low / step + 1e-6) + 1)
    return [min(max(step * at, least), most) for at in range(first, last + 1)]


def _fewest(marks: list[float], defaults: dict[str, Any]) -> int | None:
    """Return how many decimals tell an axis's marks apart, where its unit asks for any."""
    scale = 100 if defaults["unit"] == "percentunit" else 1
    if defaults["unit"] not in ("none", "percentunit"):
        return None
    return next(places for places in range(9) if all(abs(round(v * scale, places) - v * scale) < 1e-9 for v in marks))


def _ways(panel: dict[str, Any], name: str) -> dict[str, Any]:
    """Return how a line or column of this name is shown: what later overrides say counts."""
    found: dict[str, Any] = {}
    for override in panel["fieldConfig"]["overrides"]:
        if override["matcher"] == {"id": "byName", "options": name}:
            found |= {one["id"]: one["value"] for one in override["properties"]}
    return found


def _told(word: str, ways: dict[str, Any]) -> str:
    """Return a cell in the unit that its column has, where it has one."""
    return written(float(word), ways["unit"], ways.get("decimals")) if word and "unit" in ways else word


def _mapping(defaults: dict[str, Any], value: float) -> dict[str, str] | None:
    for one in defaults["mappings"]:
        if one["type"] == "value" and f"{value:g}" in one["options"]:
            found: dict[str, str] = one["options"][f"{value:g}"]
            return found
    return None


def _threshold(defaults: dict[str, Any], value: float) -> str:
    steps = defaults["thresholds"]["steps"]
    return str([one["color"] for one in steps if one["value"] is None or value >= one["value"]][-1])


def _held(line: Line, end: float) -> Iterator[tuple[float, float, float]]:
    """Yield from when to when a line had which value."""
    start, held = line.points[0]
    for moment, value in line.points[1:]:
        if value != held:
            yield start, moment, held
            start, held = moment, value
    yield start, end, held


def _legend(named: list[tuple[str, str]], width: float, height: float) -> Iterator[str]:
    x = 12.0
    for name, colour in named:
        wide = 26 + width_of(name, 11)
        if x + wide > width:
            yield text(x, height - 8, "\N{HORIZONTAL ELLIPSIS}", 11, QUIET)
            return
        yield box(x, height - 13, 12, 3, colour)
        yield text(x + 17, height - 8, name, 11, INK)
        x += wide
