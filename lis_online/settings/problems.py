"""What is wrong with settings, in our words: argument, rule, value."""

from __future__ import annotations

import re
from typing import Any, Final

from pydantic import ValidationError

from lis_online.settings.environment import BETWEEN, PREFIX

SECRET: Final = (
    "kafka.password",
    "history.url",
    "http.token",
    "privacy.user_key",
    "mapping.registry.password",
    "mapping.registry.token",
)
"""Settings whose value no message repeats."""

OWN_PARTS: Final = ("literal[", "function-")
"""How pydantic's names for the alternatives of a type begin; they are no keys."""

WORDS: Final = (
    (r"^Value error, ", ""),
    (r"^Input should be", "must be"),
    (r"^String should match pattern", "must match"),
    (r"^List should have", "must have"),
    (r"greater than or equal to", ">="),
    (r"less than or equal to", "<="),
    (r"greater than", ">"),
    (r"less than", "<"),
    (r"a valid dictionary or instance of \w+", "a table"),
)
"""Patterns of pydantic's sentences, and what we say instead."""


def problems_of(exc: ValidationError) -> list[tuple[str, str]]:
    """Return (path, sentence) of each wrong key; one sentence where a value could have been one thing or another."""
    found: dict[str, str] = {}
    for error in exc.errors():
        path = _path(error["loc"])
        sentence = _sentence(path, error)
        if path in found:
            sentence = f"{found[path].partition(', got ')[0]} or {sentence.removeprefix('must be ')}"
        found[path] = sentence
    return list(found.items())


def _path(location: tuple[int | str, ...]) -> str:
    return ".".join(str(part) for part in location if not str(part).startswith(OWN_PARTS))


def _sentence(path: str, error: Any) -> str:
    if error["type"] == "extra_forbidden":
        hint = f": a variable is {PREFIX}TABLE{BETWEEN}KEY" if path.startswith(PREFIX) else ""
        return f"is not a setting{hint}"
    if error["type"] == "missing":
        return "is missing"
    sentence = str(error["msg"])
    for theirs, ours in WORDS:
        sentence = re.sub(theirs, ours, sentence)
    value = error.get("input")
    if path in SECRET or ", got " in sentence or isinstance(value, dict | list) or value is None:
        return sentence
    return f"{sentence}, got {value!r}"
