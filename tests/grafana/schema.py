"""Grafana's schema for dashboards, as the types of its builders' library (made from Grafana's own CUE) have it."""

from __future__ import annotations

import enum
import inspect
import re
import types
import typing
from collections.abc import Iterator
from functools import cache
from typing import Any

from grafana_foundation_sdk.cog.variants import Dataquery
from grafana_foundation_sdk.models import (
    dashboard,
    prometheus,
    stat,
    statetimeline,
    table,
    timeseries,
)

OPTIONS = {"timeseries": timeseries, "stat": stat, "state-timeline": statetimeline, "table": table}
"""Types of panels, and the module of their options."""


def problems(board: Any) -> list[str]:
    """Return what in a dashboard's JSON the schema does not know, or has another type for."""
    found = list(_check(board, dashboard.Dashboard, "dashboard"))
    for number, panel in enumerate(board["panels"]):
        where = f"dashboard.panels[{number}]"
        if panel["type"] != "row":
            module = OPTIONS[panel["type"]]
            found += _check(panel["options"], module.Options, f"{where}.options")
            custom = panel["fieldConfig"]["defaults"].get("custom")
            if custom is not None:
                found += _check(custom, module.FieldConfig, f"{where}.custom")
    return found


def _check(value: Any, kind: Any, where: str) -> Iterator[str]:
    origin, parts = typing.get_origin(kind), typing.get_args(kind)
    if kind is Any or kind is object:
        return
    if origin in (typing.Union, types.UnionType):
        tried = [list(_check(value, one, where)) for one in parts]
        if all(tried):
            yield min(tried, key=len)[0]
    elif kind is type(None):
        yield from [] if value is None else [f"{where} must be null, got {value!r}"]
    elif origin is typing.Literal:
        yield from [] if value in parts else [f"{where} must be one of {parts}, got {value!r}"]
    elif origin is list:
        yield from _check_list(value, parts[0], where)
    elif origin is dict:
        yield from _check_map(value, parts[1], where)
    elif inspect.isclass(kind) and issubclass(kind, enum.Enum):
        yield from [] if value in [one.value for one in kind] else [f"{where} must be a {kind.__name__}, got {value!r}"]
    elif kind in (str, int, float, bool):
        allowed = (int, float) if kind is float else kind
        fits = isinstance(value, allowed) and (kind is bool or not isinstance(value, bool))
        yield from [] if fits else [f"{where} must be {kind.__name__}, got {value!r}"]
    elif kind is Dataquery:
        yield from _check_query(value, where)
    else:
        yield from _check_object(value, kind, where)


def _check_list(value: Any, kind: Any, where: str) -> Iterator[str]:
    if not isinstance(value, list):
        yield f"{where} must be a list, got {value!r}"
        return
    for number, one in enumerate(value):
        yield from _check(one, kind, f"{where}[{number}]")


def _check_map(value: Any, kind: Any, where: str) -> Iterator[str]:
    if not isinstance(value, dict):
        yield f"{where} must be an object, got {value!r}"
        return
    for name, one in value.items():
        yield from _check(one, kind, f"{where}.{name}")


def _check_query(value: Any, where: str) -> Iterator[str]:
    """The library has no type of PostgreSQL's queries; these are the fields that Grafana's plugin reads."""
    if "expr" in value:
        yield from _check_object(value, prometheus.Dataquery, where)
    else:
        wanted = {"datasource", "editorMode", "format", "rawQuery", "rawSql", "refId"}
        yield from [] if set(value) == wanted else [f"{where} must have {sorted(wanted)}, got {sorted(value)}"]


def _check_object(value: Any, kind: Any, where: str) -> Iterator[str]:
    if not isinstance(value, dict):
        yield f"{where} must be a {kind.__name__}, got {value!r}"
        return
    known = _fields(kind)
    for name, one in value.items():
        if name not in known:
            yield f"{where}.{name} is not a field of {kind.__name__}"
        elif kind is dashboard.AnnotationQuery and name == "target":
            yield from _check_query(one, f"{where}.target")
        elif kind is dashboard.Threshold and name == "value" and one is None:
            continue  # the lowest step: Grafana reads null as minus infinity
        else:
            yield from _check(one, known[name], f"{where}.{name}")


@cache
def _fields(kind: Any) -> dict[str, Any]:
    """Return a type's fields as JSON spells them: as the library's own encoder does."""
    source = inspect.getsource(kind.to_json)
    found = {attribute: name for name, attribute in re.findall(r'"(\w+)"\]? ?[:=] self\.(\w+)', source)}
    return {found[attribute]: hint for attribute, hint in typing.get_type_hints(kind).items()}
