"""How the settings of two configurations differ, in words."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, Final

from lis_online.settings.durations import format_duration
from lis_online.settings.reference import keys, kind_of

MISSING: Final = object()
NAME: Final = "name"


def changed(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """Return what differs between the settings of two configurations, as `history.configuration.described` gives them.

    >>> changed({"leakage": {"horizon": 1_800_000, "folds": 8}}, {"leakage": {"horizon": 3_600_000, "folds": 8}})
    ['leakage.horizon: 30m -> 1h']
    """
    return list(_changed("", "", before, after))


def _changed(path: str, key: str, before: Any, after: Any) -> Iterator[str]:
    """Yield the differences. path: with the names of tables in it; key: without, as in the settings' reference."""
    before, after = _by_name(before, after), _by_name(after, before)
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for name in [*before, *(name for name in after if name not in before)]:
            listed = isinstance(before, _Named) or isinstance(after, _Named)
            inner = key if listed else f"{key}.{name}".removeprefix(".")
            yield from _changed(
                f"{path}.{name}".removeprefix("."), inner, before.get(name, MISSING), after.get(name, MISSING)
            )
    elif before is not after and before != after:
        yield f"{path}: {_said(key, before)} -> {_said(key, after)}"


class _Named(dict[str, Any]):
    """A list of tables, by their names."""


def _by_name(value: Any, other: Any) -> Any:
    """Return a list of tables by their names, an empty one too where the other side's has some; else the value."""
    if isinstance(value, list) and (value or isinstance(other, list)):
        tables = value or other
        if tables and all(isinstance(one, Mapping) and NAME in one for one in tables):
            return _Named({one[NAME]: one for one in value})
    return value


def _said(key: str, value: Any) -> str:
    if value is MISSING:
        return "not there"
    if isinstance(value, Mapping):
        return "there"
    if value is None:
        return "none"
    if key in _durations():
        values = value if isinstance(value, list) else [value]
        return ", ".join(format_duration(one) if isinstance(one, int) else str(one) for one in values)
    return value if isinstance(value, str) else json.dumps(value)


@cache
def _durations() -> frozenset[str]:
    """Return the paths of the settings that are durations."""
    return frozenset(key.path for key in keys() if "duration" in kind_of(key.hint))
