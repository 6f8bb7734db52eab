"""What is wrong with settings, in our words: argument, rule, value."""

from __future__ import annotations

import re
from difflib import get_close_matches
from typing import Any, Final, get_args

from pydantic import BaseModel, ValidationError

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


def problems_of(exc: ValidationError, model: type[BaseModel]) -> list[tuple[str, str]]:
    """Return (path, sentence) of each wrong key; one sentence where a value could have been one thing or another."""
    found: dict[str, str] = {}
    for error in exc.errors():
        path = _path(error["loc"])
        sentence = _sentence(path, error, model)
        if path in found:
            sentence = f"{found[path].partition(', got ')[0]} or {sentence.removeprefix('must be ')}"
        found[path] = sentence
    return list(found.items())


def _path(location: tuple[int | str, ...]) -> str:
    return ".".join(str(part) for part in location if not str(part).startswith(OWN_PARTS))


def _sentence(path: str, error: Any, model: type[BaseModel]) -> str:
    if error["type"] == "extra_forbidden":
        if path.startswith(PREFIX):
            return f"is not a setting: a variable is {PREFIX}TABLE{BETWEEN}KEY"
        meant = _meant(model, error["loc"])
        return "is not a setting" if meant is None else f"is not a setting, but {meant} is"
    if error["type"] == "missing":
        return "is missing"
    sentence = str(error["msg"])
    for theirs, ours in WORDS:
        sentence = re.sub(theirs, ours, sentence)
    value = error.get("input")
    if path in SECRET or ", got " in sentence or isinstance(value, dict | list) or value is None:
        return sentence
    return f"{sentence}, got {value!r}"


def _meant(model: type[BaseModel], location: tuple[int | str, ...]) -> str | None:
    """Return the key that is spelled most like a wrong one, in the same table; None where none is like it."""
    table: type[BaseModel] | None = model
    for part in location[:-1]:
        if isinstance(part, str) and table is not None and part in table.model_fields:
            table = _table(table.model_fields[part].annotation)
    close = [] if table is None else get_close_matches(str(location[-1]), table.model_fields, n=1)
    return close[0] if close else None


def _table(annotation: Any) -> type[BaseModel] | None:
    """Return the first model in a type: of a table, a list of tables, or one of several."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for part in get_args(annotation) if (found := _table(part)) is not None), None)
