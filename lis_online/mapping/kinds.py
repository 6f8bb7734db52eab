"""What stands in a message becomes what an event has: one converter for each kind of field.

Sentences say what kind of value stood there and never the value: a path that is wrong may lead to a user's id, and
what is said of a refused record goes into headers and logs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from math import isfinite
from typing import Any, Final, Protocol

Convert = Callable[[Any], Any]

UNITS: Final = {"s": (1000, 1), "ms": (1, 1), "us": (1, 1000), "ns": (1, 1_000_000), "rfc3339": (1, 1)}
"""Unit of a time -> what a number is multiplied by, and divided by, to be milliseconds."""

TIMES: Final = ("time", "sparse_times")
NUMBERS: Final = ("number",)
TEXTS: Final = ("id", "ids", "sparse_ids", "arm", "arms")
"""Kinds by what is in them: options are for one of these each."""


class Options(Protocol):
    """What a converter is made with (`MappedField` has it)."""

    @property
    def unit(self) -> str:
        """Unit of a time."""
        ...

    @property
    def scale(self) -> float:
        """What a number is multiplied by."""
        ...

    @property
    def rename(self) -> Mapping[str, str]:
        """Their word -> ours."""
        ...


_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND: Final = timedelta(milliseconds=1)
_MOST_DIGITS: Final = 25
_WORDS: Final = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "text",
    list: "a list",
    bytes: "bytes",
    Decimal: "a number",
}


def word_of(value: Any) -> str:
    """Return what kind of JSON value something is.

    >>> word_of(None), word_of({}), word_of(True)
    ('nothing', 'an object', 'true or false')
    """
    return "nothing" if value is None else _WORDS.get(type(value), "an object")


def _ill(rule: str, value: Any) -> ValueError:
    return ValueError(f"must be {rule}, got {word_of(value)}")


def _id(field: Options) -> Convert:
    rename = field.rename
    if not rename:
        return _as_text

    def convert(raw: Any) -> str:
        found = _as_text(raw)
        return rename.get(found, found)

    return convert


def _as_text(raw: Any) -> str:
    if type(raw) is str:
        return raw
    if type(raw) is int:
        return str(raw)
    raise _ill("text or a whole number", raw)


def _arm(field: Options) -> Convert:
    rename = field.rename

    def convert(raw: Any) -> str:
        if type(raw) not in (str, int, bool):
            raise _ill("text, a whole number, true or false", raw)
        found = str(raw).lower() if type(raw) is bool else str(raw)
        return rename.get(found, found)

    return convert


def _ids(field: Options) -> Convert:
    rename = field.rename

    def convert(raw: Any) -> list[str]:
        if type(raw) is not list:
            raise _ill("a list", raw)
        found = raw if set(map(type, raw)) == {str} else [_as_text(one) for one in raw]
        return [rename.get(one, one) for one in found] if rename else found

    return convert


def _sparse_ids(field: Options) -> Convert:
    one_of = _id(field)
    return lambda raw: [None if one is None else one_of(one) for one in _list(raw)]


def _list(raw: Any) -> list[Any]:
    if type(raw) is not list:
        raise _ill("a list", raw)
    return raw


def _time(field: Options) -> Convert:
    if field.unit == "rfc3339":
        return _rfc3339
    times, over = UNITS[field.unit]

    def convert(raw: Any) -> int:
        number = raw if type(raw) is int else _number_of(raw)
        return number * times // over if isinstance(number, int) else round(number * times / over)

    return convert


def _rfc3339(raw: Any) -> int:
    if type(raw) is not str:
        raise _ill("a time in RFC 3339 such as 2026-11-01T08:00:00Z", raw)
    try:
        found = datetime.fromisoformat(raw)
    except ValueError as exc:
        raise ValueError("must be a time in RFC 3339 such as 2026-11-01T08:00:00Z, got other text") from exc
    if found.tzinfo is None:
        raise ValueError("must be a time in RFC 3339 with its zone, got one without")
    return int((found - _EPOCH) // _MILLISECOND)


def _number_of(raw: Any) -> int | float:
    """Return a number, also one that stands there as text, as JSON writers do with long ones."""
    if type(raw) is str and len(raw) <= _MOST_DIGITS:
        try:
            raw = int(raw) if raw.lstrip("-").isdigit() else float(raw)
        except ValueError as exc:
            raise ValueError("must be a number, got text") from exc
    elif type(raw) is Decimal:  # Avro's, of money
        raw = float(raw)
    if (type(raw) is int and abs(raw) < 10**_MOST_DIGITS) or (type(raw) is float and isfinite(raw)):
        return raw
    raise _ill("a number", raw)


def _number(field: Options) -> Convert:
    scale = field.scale
    return lambda raw: _number_of(raw) * scale


def _whole(field: Options) -> Convert:
    del field

    def convert(raw: Any) -> int:
        if type(raw) is not int:
            raise _ill("a whole number", raw)
        return raw

    return convert


def _positions(field: Options) -> Convert:
    one_of = _whole(field)
    return lambda raw: raw if set(map(type, _list(raw))) == {int} else [one_of(one) for one in raw]


def _sparse_times(field: Options) -> Convert:
    one_of = _time(field)
    return lambda raw: [None if one is None else one_of(one) for one in _list(raw)]


def _arms(field: Options) -> Convert:
    one_of = _arm(field)

    def convert(raw: Any) -> dict[str, str]:
        if type(raw) is not dict:
            raise _ill("an object of experiments and arms", raw)
        return {name: one_of(arm) for name, arm in raw.items() if arm is not None}

    return convert


def _vector(field: Options) -> Convert:
    del field
    return lambda raw: [float(_number_of(one)) for one in _list(raw)]


CONVERTERS: Final[dict[str, Callable[[Options], Convert]]] = {
    "id": _id,
    "ids": _ids,
    "sparse_ids": _sparse_ids,
    "time": _time,
    "sparse_times": _sparse_times,
    "number": _number,
    "whole": _whole,
    "positions": _positions,
    "arm": _arm,
    "arms": _arms,
    "vector": _vector,
}
"""Kind of a field -> what makes its converter. "sparse": elements may be missing."""
