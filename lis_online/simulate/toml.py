"""Tables as TOML text: as much of the format as a settings file needs."""

from __future__ import annotations

import json
from typing import Any


def to_toml(table: dict[str, Any], path: str = "") -> str:
    """Return a table as TOML. Values are text, numbers, booleans, flat lists, tables and lists of tables.

    >>> print(to_toml({"a": {"b": 1, "c": [{"d": "x"}]}}).strip())
    [a]
    b = 1
    <BLANKLINE>
    [[a.c]]
    d = "x"
    """
    lines = [f"{key} = {_value(value)}" for key, value in table.items() if not _nested(value)]
    text = "".join(line + "\n" for line in lines)
    for key, value in table.items():
        name = f"{path}.{key}" if path else key
        if isinstance(value, dict):
            text += f"\n[{name}]\n" + to_toml(value, name)
        elif _nested(value):
            text += "".join(f"\n[[{name}]]\n" + to_toml(row, name) for row in value)
    return text


def _nested(value: Any) -> bool:
    return isinstance(value, dict) or (isinstance(value, list) and bool(value) and isinstance(value[0], dict))


def _value(value: Any) -> str:
    """Return a value as JSON, which is TOML but for two things: surrogate pairs, and DEL unescaped."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
