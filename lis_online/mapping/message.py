"""One message of another format: its fields by our names, or what is wrong with it in one sentence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from lis_online.errors import EventRefused
from lis_online.events import reasons
from lis_online.mapping.fields import MappedField
from lis_online.mapping.formats import JSON, Format
from lis_online.mapping.kinds import Convert
from lis_online.mapping.paths import EACH, Path, breaks_at, find, format_path
from lis_online.mapping.skip import SkipRule

OTHER_SHAPE: Final = (ValueError, AttributeError, TypeError, LookupError)
"""What `Parts` raise where a message is not as their paths expect, and a converter of what it does not take."""


class _Slot(NamedTuple):
    """A field that is read. each: it has one value, and its path leads to several."""

    name: str
    path: Path
    convert: Convert
    default: Any
    needed: bool
    each: bool


class MessageFields:
    """Some fields of messages of a format, read together. needed: those without which a message is refused."""

    def __init__(
        self,
        fields: Mapping[str, MappedField],
        needed: Sequence[str] = (),
        skip: Sequence[SkipRule] = (),
        form: Format = JSON,
    ) -> None:
        self._form = form
        self._slots = [
            _Slot(name, one.path, one.convert, one.default, name in needed, EACH in one.path and not one.many)
            for name, one in fields.items()
            if one.path is not None
        ]
        self._constants = {name: one.value for name, one in fields.items() if one.path is None}
        self._skip = tuple(skip)
        self._decode, gets = form.parts([slot.path for slot in self._slots] + [rule.path for rule in self._skip])
        self._names = [slot.name for slot in self._slots]
        self._steps = [(get, _whole(slot)) for get, slot in zip(gets, self._slots, strict=False)]
        marks = gets[len(self._slots) :]
        self._marks = [(get, rule.skips) for get, rule in zip(marks, self._skip, strict=True)]

    def read(self, value: bytes) -> dict[str, Any] | None:
        """Return name -> value, None for what is not there; None altogether where a rule skips the message.

        A field of one value whose path has [*] is a list. Raises EventRefused: TOO_LARGE, or MALFORMED where it is not
        of the format, a needed field is missing, or a value is of another kind; and RegistryError.
        """
        self._form.check(value)
        try:
            document = self._decode(value)
            for get, skips in self._marks:
                if skips(get(document)):
                    return None
            values = [convert(get(document)) for get, convert in self._steps]
        except OTHER_SHAPE:
            return self._explained(value)
        found = dict(zip(self._names, values, strict=True))
        return self._constants | found if self._constants else found

    def _explained(self, value: bytes) -> dict[str, Any] | None:
        """Read a message whole, step by step: what is wrong with it is said in one sentence."""
        try:
            document = self._form.document(value)
        except ValueError as exc:
            raise EventRefused(reasons.MALFORMED, str(exc)[:200]) from exc
        if any(rule.skips(find(document, rule.path)) for rule in self._skip):
            return None
        found = dict(self._constants)
        for slot in self._slots:
            raw = find(document, slot.path)
            if raw is None and slot.needed and slot.default is None:
                raise EventRefused(reasons.MALFORMED, missing(slot.name, slot.path, document))
            try:
                found[slot.name] = _whole(slot)(raw)
            except ValueError as exc:
                raise EventRefused(reasons.MALFORMED, f"{slot.name} {exc} at {format_path(slot.path)}") from exc
        return found


def _whole(slot: _Slot) -> Convert:
    """Return the function of what stands at a field's path, nothing included. Raises ValueError."""
    convert, default = slot.convert, slot.default
    if default is None and slot.needed:
        one = convert
    else:

        def one(raw: Any) -> Any:
            return default if raw is None else convert(raw)

    if not slot.each:
        return one

    def all_of(raw: Any) -> Any:
        return one(raw) if raw is None else [one(element) for element in raw]

    return all_of


def missing(name: str, path: Path, document: Any) -> str:
    """Return the sentence on a field that is not there: how far its path leads.

    >>> missing("user_id", ("viewer", "uid"), {"viewer": {}}), missing("user_id", ("viewer", "uid"), {})
    ('user_id must be at $.viewer.uid, got nothing', 'user_id must be at $.viewer.uid, got nothing at $.viewer')
    """
    end = breaks_at(document, path)
    where = "" if end == path and find(document, path[:-1]) is not None else f" at {format_path(end)}"
    return f"{name} must be at {format_path(path)}, got nothing{where if len(end) < len(path) else ''}"
