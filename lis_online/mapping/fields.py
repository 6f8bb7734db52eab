"""Where a field of an event is in somebody else's message, as the settings say it: a path, or a table of options."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from functools import partial
from typing import Any, Final

from lis_online.mapping.kinds import CONVERTERS, NUMBERS, TEXTS, TIMES, UNITS, Convert, word_of
from lis_online.mapping.paths import EACH, Path, find, format_path, is_many, parse_path

OPTIONS: Final = ("path", "value", "default", "unit", "scale", "rename")


@dataclass(frozen=True, slots=True)
class MappedField:
    """One field of an event.

    kind: what it is (`kinds.CONVERTERS`). path: where it stands, None for a constant. value: the constant. default:
    what it is where nothing stands at the path. unit: of a time. scale: what a number is multiplied by. rename: their
    word -> ours. Constants and defaults are given as a message would have them, and kept converted.
    """

    kind: str
    path: Path | None = None
    value: Any = None
    default: Any = None
    unit: str = "ms"
    scale: float = 1.0
    rename: Mapping[str, str] = field(default_factory=dict)

    @property
    def convert(self) -> Convert:
        """The function from what stands in a message to what the event has. Raises ValueError with the rule."""
        return CONVERTERS[self.kind](self)

    @property
    def many(self) -> bool:
        """Whether it is a list."""
        return self.kind in LISTS


@dataclass(frozen=True, slots=True)
class ListedArms(MappedField):
    """Experiments as a list of objects, one for each. path: to the list. name, arm: where they are in an object."""

    name: MappedField | None = None
    arm: MappedField | None = None

    @property
    def convert(self) -> Convert:
        """The function from the list to experiments and arms. Raises ValueError with the rule."""
        return partial(_arms_of_list, self)


LISTS: Final = ("ids", "sparse_ids", "positions", "sparse_times", "vector")
"""Kinds that have several values: a path to a list, or with [*]."""


def parse_field(kind: str, raw: Any, *, several: bool = False) -> MappedField:
    """Return a field of the settings: a path as text, or a table of OPTIONS.

    several: one value of each element ([*]) is allowed where the kind has one value. Raises ValueError with the rule.

    >>> parse_field("id", "$.viewer.uid").path, parse_field("id", {"value": "feed"}).value
    (('viewer', 'uid'), 'feed')
    >>> parse_field("id", {"path": "$.a", "unit": "s"})
    Traceback (most recent call last):
    ValueError: unit is for times alone
    """
    if isinstance(raw, str):
        raw = {"path": raw}
    if not isinstance(raw, dict):
        raise ValueError('must be a path such as "$.a.b", or a table of path, value and their options')
    unknown = sorted(set(raw) - set(OPTIONS))
    if unknown:
        raise ValueError(f"must have the options {', '.join(OPTIONS)} alone, got {unknown[0]!r}")
    if ("path" in raw) == ("value" in raw):
        raise ValueError("must have either path or value")
    if "path" not in raw and len(raw) > 1:
        raise ValueError(f"value must stand alone, got {sorted(set(raw) - {'value'})[0]!r} beside it")
    _check_options(kind, raw)
    path = _path(kind, raw["path"], several) if "path" in raw else None
    names = dict(raw.get("rename", {}))
    bare = MappedField(kind, path, None, None, raw.get("unit", "ms"), float(raw.get("scale", 1.0)), names)
    value, default = (_constant(bare, raw, option) for option in ("value", "default"))
    return replace(bare, value=value, default=default)


LISTED: Final = ("list", "name", "arm")
"""The keys of a table that says where the experiments of a list are."""


def parse_listed(raw: dict[str, Any]) -> ListedArms:
    """Return experiments as a list of objects: a table of LISTED. Raises ValueError with the rule.

    >>> tests = parse_listed({"list": "$.tests", "name": "$.test", "arm": "$.group"})
    >>> tests.convert([{"test": "q4", "group": "b"}, {"test": "q5", "group": None}])
    {'q4': 'b'}
    """
    path = _path("ids", raw["list"], several=False)
    if is_many(path):
        raise ValueError(f"list must be a path to one list, got {raw['list'][:60]!r}")
    parts = {}
    for key in LISTED[1:]:
        try:
            parts[key] = parse_field("arm" if key == "arm" else "id", raw[key])
        except ValueError as exc:
            raise ValueError(f"{key}: {exc}") from exc
        if parts[key].path is None or parts[key].default is not None:
            raise ValueError(f"{key} must have a path and no default")
    return ListedArms("arms", path, name=parts["name"], arm=parts["arm"])


def _arms_of_list(listed: ListedArms, raw: Any) -> dict[str, str]:
    if type(raw) is not list:
        raise ValueError(f"must be a list of experiments and arms, got {word_of(raw)}")
    found: dict[str, str] = {}
    for element in raw:
        arm = _in(element, listed.arm)
        if arm is None:
            continue
        name = _in(element, listed.name)
        if name is None:
            raise ValueError("must have a name for each arm, got nothing")
        if found.setdefault(name, arm) != arm:
            raise ValueError("must have one arm of an experiment, got two")
    return found


def _in(element: Any, part: MappedField | None) -> str | None:
    raw = None if part is None or part.path is None else find(element, part.path)
    return None if raw is None or part is None else part.convert(raw)


def dump_listed(listed: ListedArms) -> dict[str, Any]:
    """Return experiments as a list as the settings file has them."""
    parts = {"name": listed.name, "arm": listed.arm}
    return {"list": format_path(listed.path or ()), **{key: dump_field(one) for key, one in parts.items() if one}}


def dump_field(mapped: MappedField) -> Any:
    """Return a field as the settings file has it."""
    if mapped.path is not None and _is_plain(mapped):
        return format_path(mapped.path)
    found = {option.name: getattr(mapped, option.name) for option in fields(mapped) if option.name in OPTIONS}
    plain = {"unit": "ms", "scale": 1.0, "rename": {}, "path": None, "value": None, "default": None}
    table = {name: value for name, value in found.items() if value != plain[name]}
    if mapped.path is not None:
        table["path"] = format_path(mapped.path)
    return table


def _is_plain(mapped: MappedField) -> bool:
    return mapped.default is None and mapped.unit == "ms" and mapped.scale == 1.0 and not mapped.rename


def _check_options(kind: str, raw: dict[str, Any]) -> None:
    for option, kinds, whose in (("unit", TIMES, "times"), ("scale", NUMBERS, "numbers"), ("rename", TEXTS, "names")):
        if option in raw and kind not in kinds:
            raise ValueError(f"{option} is for {whose} alone")
    if raw.get("unit", "ms") not in UNITS:
        raise ValueError(f"unit must be one of {', '.join(UNITS)}, got {raw['unit']!r}")
    scale = raw.get("scale", 1.0)
    if isinstance(scale, bool) or not isinstance(scale, int | float) or not scale or not abs(scale) < 1e300:
        raise ValueError(f"scale must be a number other than 0, got {scale!r}")
    rename = raw.get("rename", {})
    if not isinstance(rename, dict) or not all(isinstance(word, str) for word in rename.values()):
        raise ValueError("rename must be a table of their words and ours")


def _path(kind: str, raw: Any, several: bool) -> Path:
    if not isinstance(raw, str):
        raise ValueError(f"path must be text, got {raw!r}")
    path = parse_path(raw)
    if is_many(path) and kind not in LISTS and not several:
        raise ValueError(f"must have one value, and [*] leads to several, got {raw[:60]!r}")
    return path[:-1] if path[-1] is EACH and kind in LISTS else path


def _constant(bare: MappedField, raw: dict[str, Any], option: str) -> Any:
    if option not in raw:
        return None
    try:
        return bare.convert(raw[option])
    except ValueError as exc:
        raise ValueError(f"{option} {exc}") from exc
