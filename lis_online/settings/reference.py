"""The reference of all settings, docs/settings.md: `python -m lis_online.settings.reference > docs/settings.md`."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from annotated_types import Ge, Gt, Le, Lt
from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from lis_online.mapping.fields import MappedField
from lis_online.mapping.skip import SkipRule
from lis_online.settings.durations import Duration, format_duration
from lis_online.settings.load import Settings
from lis_online.settings.mapping import Arms
from lis_online.settings.meanings import MEANINGS, SECTIONS
from lis_online.settings.model import Name

INTRODUCTION = """\
# Settings

One TOML file, given with `-c`. [lis-online.example.toml](../lis-online.example.toml) is a whole one. Every key is
checked: an unknown one, a wrong kind and a broken rule are refused, all of them in one message, by `lis-online config
check -c FILE`. `lis-online config show -c FILE` prints what comes out, secrets masked, durations in milliseconds.

An environment variable overrides the file: `LIS_` and the path, with two underscores between table and key
(`LIS_KAFKA__BOOTSTRAP`, `LIS_HTTP__PORT`). Lists are JSON: `LIS_METRICS__WINDOWS='["15m", "1h"]'`. A variable that
looks like a setting and is none is refused. A secret can also be in a file, whose path is in a variable that ends in
`_FILE`: `LIS_KAFKA__PASSWORD_FILE`, `LIS_HISTORY__URL_FILE`, `LIS_HTTP__TOKEN_FILE`, `LIS_PRIVACY__USER_KEY_FILE`.

A *duration* is a whole number and a unit: `250ms`, `90s`, `10m`, `6h`, `14d`. A *name* is letters, digits, `-`, `_`
and `.`.

*Kept*: the state of the shards depends on it. A checkpoint of another value is refused, so a change needs a fresh start
(another `kafka.prefix` and `checkpoints.directory`). The others may change from one start of a worker to the next.

This page is made by `python -m lis_online.settings.reference > docs/settings.md`; a test holds it to the code.
"""

KINDS: dict[Any, str] = {
    bool: "`true` or `false`",
    int: "whole number",
    float: "number",
    str: "text",
    SecretStr: "text, secret",
    datetime: "time with a zone",
    MappedField: "[path or table](own-data.md#fields)",
    Arms: "[path or table](own-data.md#experiments), of one or of all",
    tuple[SkipRule, ...]: "[table or list of tables](own-data.md#messages-that-are-not-yours)",
}
SIGNS = {Ge: ("ge", ">="), Gt: ("gt", ">"), Le: ("le", "<="), Lt: ("lt", "<")}


@dataclass(frozen=True)
class Key:
    """One key of the settings file. section: its table's path; name: the rest; hint: its annotated type."""

    section: str
    name: str
    hint: Any
    field: FieldInfo

    @property
    def path(self) -> str:
        """The whole path, such as "experiment.arm.share"."""
        return f"{self.section}.{self.name}"

    @property
    def rule(self) -> str:
        """What its value may be."""
        return ", ".join([kind_of(self.hint), *_bounds(self.field.metadata)])

    @property
    def default(self) -> str:
        """What it is where the file does not say, as TOML; "needed" where it must."""
        value = self.field.default
        if value is PydanticUndefined:
            return "needed"
        return "none" if value is None or value == () else f"`{_toml(value, is_duration=_has_duration(self.hint))}`"


def keys(model: type[BaseModel] = Settings, section: str = "", prefix: str = "") -> Iterator[Key]:
    """Yield every key, table by table."""
    hints = get_type_hints(model, include_extras=True)
    nested = []
    for name, field in model.model_fields.items():
        inner = _model_in(hints[name])
        if inner is None:
            yield Key(section, prefix + name, hints[name], field)
        else:
            nested.append((name, inner, get_origin(hints[name]) is list))
    for name, inner, is_list in nested:
        if section and not is_list:  # an inline table, such as a metric's guardrail
            yield from keys(inner, section, f"{prefix}{name}.")
        else:
            yield from keys(inner, f"{section}.{name}" if section else name)


def kind_of(hint: Any) -> str:
    """Return the kind of a value in words.

    >>> kind_of(Duration), kind_of(list[Name]), kind_of(Literal["auc", "gauc"])
    ('duration', 'list of names', '`"auc"` or `"gauc"`')
    """
    if hint == Duration:
        return "duration"
    if hint == Name:
        return "name"
    if hint in KINDS:
        return KINDS[hint]
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Annotated:
        return ", ".join(
            [kind_of(arguments[0]), *(b for info in arguments[1:] for b in _bounds(getattr(info, "metadata", ())))]
        )
    if origin is Literal:
        return " or ".join(f'`"{value}"`' for value in arguments)
    if origin in (Union, UnionType):
        return " or ".join(kind_of(one) for one in arguments if one is not NoneType)
    if origin is list:
        first, *rest = kind_of(arguments[0]).split(", ")
        return ", ".join([f"list of {first}s", *rest])
    raise KeyError(hint)


def reference() -> str:
    """Return the page as Markdown."""
    return "\n".join(_lines())


def _lines() -> Iterator[str]:
    yield INTRODUCTION
    kept = kept_keys()
    by_section: dict[str, list[Key]] = {}
    for key in keys():
        by_section.setdefault(key.section, []).append(key)
    for section, found in by_section.items():
        yield f"## {section}\n\n{SECTIONS[section]}\n"
        yield "| key | default | rule | kept | meaning |"
        yield "| --- | --- | --- | --- | --- |"
        for key in found:
            mark = "kept" if key.path in kept else ""
            yield f"| `{key.name}` | {key.default} | {key.rule} | {mark} | {MEANINGS[key.path]} |"
        yield ""


def kept_keys() -> set[str]:
    """Return the paths of the settings that a checkpoint must agree on."""
    from lis_online.shards.fingerprint import fingerprint

    arms = [{"name": "a", "share": 0.5}, {"name": "b", "share": 0.5}]
    settings = Settings.of(
        {
            "preference": [{"name": "one"}],
            "variant": [{"name": "one", "preference": "one", "dimension": 1}],
            "experiment": [{"name": "one", "control": "a", "arm": arms}],
            "privacy": {"user_key": "a key that differs"},
        }
    )
    found = {path.replace(".one.", ".") for path in fingerprint(settings)}
    columns = {f"experiment.metric.{key}" for key in ("kind", "numerator", "denominator", "action", "cap")}
    return found | columns | {"preference.name", "variant.name", "experiment.name", "experiment.arm.name"}


def _model_in(hint: Any) -> type[BaseModel] | None:
    """Return the table that a key holds, or holds a list of; None for a plain value."""
    if isinstance(hint, type) and issubclass(hint, BaseModel):
        return hint
    return next((found for one in get_args(hint) if (found := _model_in(one)) is not None), None)


def _bounds(metadata: Any) -> Iterator[str]:
    for rule in metadata:
        if type(rule) in SIGNS:
            attribute, sign = SIGNS[type(rule)]
            yield f"{sign} {getattr(rule, attribute):g}"


def _has_duration(hint: Any) -> bool:
    return hint == Duration or any(_has_duration(one) for one in get_args(hint))


def _toml(value: Any, *, is_duration: bool) -> str:
    if isinstance(value, list):
        return f"[{', '.join(_toml(one, is_duration=is_duration) for one in value)}]"
    if isinstance(value, SecretStr):
        return json.dumps(value.get_secret_value())
    return json.dumps(format_duration(value) if is_duration and isinstance(value, int) else value)


if __name__ == "__main__":
    sys.stdout.write(reference())
