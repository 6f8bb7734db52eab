"""Paths compiled: only what they lead to is read out of a message's bytes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import attrgetter
from typing import Any

import msgspec

from lis_online.mapping.paths import EACH, Path, find

Get = Callable[[Any], Any]


class Reader:
    """What stands at some paths of JSON messages.

    The paths become the types of `msgspec`, so that everything else is skipped and never becomes an object.
    `decode` returns a message for the functions of `gets`, one for each path, which return what `paths.find` does on
    the whole message; both raise ValueError, AttributeError, TypeError or LookupError where the message has another
    shape than the paths expect, or is no JSON.
    """

    def __init__(self, paths: Sequence[Path]) -> None:
        self.decode: Get = msgspec.json.Decoder(_type(list(paths)) if paths else Any).decode
        self.gets = [_get(list(paths), path) for path in paths]


_untyped = msgspec.json.Decoder()


def read_document(value: bytes) -> Any:
    """Return a whole message. Raises ValueError where it is no JSON."""
    return _untyped.decode(value)


def _type(paths: list[Path]) -> Any:
    """Return the type of a value that only these paths are wanted of."""
    if any(not path for path in paths):
        return Any
    firsts = [path[0] for path in paths]
    if all(isinstance(first, str) for first in firsts):
        keys = list(dict.fromkeys(firsts))
        kinds = [_type([path[1:] for path in paths if path[0] == key]) | None for key in keys]
        fields = [(f"f{number}", kind, None) for number, kind in enumerate(kinds)]
        names = {f"f{number}": key for number, key in enumerate(keys)}
        return msgspec.defstruct("Part", fields, rename=names, gc=False)
    if not any(isinstance(first, str) for first in firsts):
        return list[_type([path[1:] for path in paths]) | None]  # type: ignore[misc]
    return Any


def _get(paths: list[Path], path: Path) -> Get:
    """Return the function from a decoded value to what stands at a path."""
    names: list[str] = []
    rest = path
    while rest and _is_struct(paths):
        keys = list(dict.fromkeys(other[0] for other in paths))
        names.append(f"f{keys.index(rest[0])}")
        paths = [other[1:] for other in paths if other[0] == rest[0]]
        rest = rest[1:]
    head: Get = attrgetter(".".join(names)) if names else _itself
    if len(names) > 1:
        head = _or_nothing(head)
    return _behind(head, paths, rest) if rest else head


def _or_nothing(get: Get) -> Get:
    """Return the same function, with None where nothing stands on the way."""

    def safe(document: Any) -> Any:
        try:
            return get(document)
        except AttributeError:
            return None

    return safe


def _behind(head: Get, paths: list[Path], rest: Path) -> Get:
    """Return the function that goes on where a list begins, or a value that is read whole."""
    if any(not path for path in paths) or any(isinstance(path[0], str) for path in paths):
        return lambda document: find(head(document), rest)
    tail = _get([path[1:] for path in paths], rest[1:])
    if rest[0] is EACH:
        return lambda document: None if (found := head(document)) is None else list(map(tail, found))
    index = rest[0]

    def one(document: Any) -> Any:
        found = head(document)
        at = None if found is None or not -len(found) <= index < len(found) else found[index]
        return None if at is None else tail(at)

    return one


def _is_struct(paths: list[Path]) -> bool:
    return all(path and isinstance(path[0], str) for path in paths)


def _itself(document: Any) -> Any:
    return document
