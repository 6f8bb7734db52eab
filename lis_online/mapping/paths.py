"""Paths into a JSON document: the part of JSONPath that says where one value, or one of each element, is."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Final

EACH: Final = object()
"""The step into every element of a list, `[*]`; a key of that name is written `["*"]`."""

Path = tuple[Any, ...]
"""Steps: a text is a key, a whole number an index (negative from the end), EACH all elements."""

_STEP: Final = re.compile(
    r"""\.(?P<key>[^.\[\]"'\s]+)|\[(?P<index>-?[0-9]{1,9})\]|\[(?P<each>\*)\]|\["(?P<double>[^"]+)"\]|\['(?P<single>[^']+)'\]"""
)


def parse_path(text: str) -> Path:
    """Return the steps of a path.

    Raises ValueError with the rule: `$`, then `.key`, `["any key"]`, `[0]` or `[*]`, the last at most once.

    >>> parse_path("$.viewer.uid"), parse_path('$.tags[-1]["a.b"]')
    (('viewer', 'uid'), ('tags', -1, 'a.b'))
    >>> parse_path("viewer.uid")
    Traceback (most recent call last):
    ValueError: must be a path that begins with $, such as "$.viewer.uid", got 'viewer.uid'
    """
    if not text.startswith("$"):
        raise ValueError(f'must be a path that begins with $, such as "$.viewer.uid", got {text[:60]!r}')
    steps: list[Any] = []
    at = 1
    while at < len(text):
        found = _STEP.match(text, at)
        if found is None:
            raise ValueError(
                f'must go on with .key, ["any key"], [0] or [*] after {text[:at]!r}, got {text[at:][:60]!r}'
            )
        at = found.end()
        if found["index"]:
            steps.append(int(found["index"]))
        else:
            steps.append(EACH if found["each"] else found["key"] or found["double"] or found["single"])
    if not steps:
        raise ValueError("must lead somewhere, got '$', which is the whole message")
    if steps.count(EACH) > 1:
        raise ValueError(f"must have [*] at most once, got {text[:60]!r}")
    return tuple(steps)


def format_path(path: Path) -> str:
    """Return a path as `parse_path` reads it.

    >>> format_path(("cards", EACH, "note id", 0))
    '$.cards[*]["note id"][0]'
    """
    return "$" + "".join(map(_format_step, path))


def _format_step(step: Any) -> str:
    if step is EACH:
        return "[*]"
    if isinstance(step, int):
        return f"[{step}]"
    if _STEP.fullmatch(f".{step}"):
        return f".{step}"
    return f"['{step}']" if '"' in step else f'["{step}"]'


def is_many(path: Path) -> bool:
    """Say whether a path leads to one value of each element of a list."""
    return EACH in path


def find(document: Any, path: Sequence[Any]) -> Any:
    """Return what stands at a path of a document, None where nothing or null does.

    Behind `[*]` it is a list, with None for the elements that have nothing there.

    >>> find({"cards": [{"id": 1}, {}]}, parse_path("$.cards[*].id")), find({"a": 5}, parse_path("$.a.b"))
    ([1, None], None)
    """
    for number, step in enumerate(path):
        if step is EACH:
            return [find(one, path[number + 1 :]) for one in document] if isinstance(document, list) else None
        document = _step(document, step)
        if document is None:
            return None
    return document


def _step(document: Any, step: Any) -> Any:
    if isinstance(document, dict) and isinstance(step, str):
        return document.get(step)
    if isinstance(document, list) and isinstance(step, int):
        return document[step] if -len(document) <= step < len(document) else None
    return None


def breaks_at(document: Any, path: Path) -> Path:
    """Return how far a path can be followed: the steps up to the first that leads nowhere, that one included."""
    for number in range(1, len(path) + 1):
        if path[number - 1] is EACH:
            break
        if find(document, path[:number]) is None:
            return path[:number]
    return path
