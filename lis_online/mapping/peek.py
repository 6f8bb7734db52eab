"""How real messages map: what each field was found to be, what is missing or refused and why, and where it may be."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec

from lis_online.errors import EventRefused
from lis_online.events import forget_request
from lis_online.events.decode import check_not_ahead
from lis_online.events.wire import END_TICK
from lis_online.mapping.candidates import Candidate, candidates, unit_of
from lis_online.mapping.codec import Codec, fields_of, needed_of
from lis_online.mapping.events import ARM
from lis_online.mapping.fields import MappedField, parse_field
from lis_online.mapping.marks import Mark, mark_of, split
from lis_online.mapping.paths import EACH, find, format_path
from lis_online.mapping.refusals import count_refusal
from lis_online.records import Record
from lis_online.settings import Settings

SCHEMA: Final[dict[str, dict[str, str]]] = {
    "impressions": {
        "request_id": "id",
        "user_id": "id",
        "ts": "time",
        "surface": "id",
        "items": "ids",
        "positions": "positions",
        "experiments": "arms",
    },
    "feedback": {
        "request_id": "id",
        "user_id": "id",
        "item_id": "id",
        "ts": "time",
        "action": "id",
        "value": "number",
    },
    "representations": {"variant": "id", "version": "id", "item_id": "id", "ts": "time", "vector": "vector"},
    "preferences": {
        "source": "id",
        "item_a": "id",
        "item_b": "id",
        "ts": "time",
        "user_id": "id",
        "weight": "whole",
    },
}
"""Topic -> field -> kind: where the event schema itself has them, at the top."""

NOTHING: Final = "nothing at"


@dataclass(slots=True)
class FieldView:
    """One field over some messages.

    source: its path, or its constant. found: messages in which something stands there; value: an example of what it
    became; problems: sentence -> messages. guesses: where else it may be.
    """

    name: str
    source: str
    needed: bool
    found: int = 0
    value: Any = None
    problems: Counter[str] = field(default_factory=Counter)
    guesses: list[Candidate] = field(default_factory=list)


@dataclass(slots=True)
class TopicView:
    """One topic over some messages.

    accepted, skipped, refused (sentence -> messages), controls add up to them all. mark: what tells the messages that
    have every field from others.
    """

    topic: str
    name: str
    mapped: bool
    messages: int
    fields: list[FieldView]
    accepted: int = 0
    skipped: int = 0
    controls: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    mark: Mark | None = None

    @property
    def lacking(self) -> list[FieldView]:
        """The needed fields that some message lacks."""
        return [one for one in self.fields if one.needed and one.problems]

    @property
    def start(self) -> str | None:
        """A table of the settings to begin with, where a topic that is not mapped is not of the event schema either."""
        if self.mapped or not self.lacking:
            return None
        lines = [f"[mapping.{self.topic}]"]
        for one in self.fields:
            if one.guesses:
                first, *others = (guess.toml for guess in one.guesses)
                other = f"  # or {', '.join(others)}" if others and one.needed else ""
                lines.append(f"{one.name} = {first}{other}")
            elif one.needed:
                lines.append(f"# {one.name} = ")
        if self.mark is not None:
            lines.append(self.mark.toml)
        return "\n".join(lines)


def peek(settings: Settings, topic: str, name: str, records: Sequence[Record]) -> TopicView:
    """Look at messages of a topic as a join shard of these settings would. name: what Kafka calls it."""
    section = getattr(settings.mapping, topic)
    if section is None:
        fields = {one: parse_field(kind, f"$.{one}") for one, kind in SCHEMA[topic].items()}
    else:
        fields = fields_of(section)
    needed = needed_of(topic)
    views = [FieldView(one, _source(mapped), one in needed) for one, mapped in fields.items()]
    view = TopicView(topic, name, section is not None, len(records), views)
    documents, keys = _judge(view, settings, records)
    for document in documents:
        for seen, mapped in zip(views, fields.values(), strict=True):
            _look(seen, mapped, document)
    for seen, mapped in zip(views, fields.values(), strict=True):
        if seen.problems or (section is None and view.refused and not seen.name.startswith(ARM)):
            guesses = candidates(seen.name, mapped.kind, documents, keys)
            seen.guesses = [one for one in guesses if (one.path, one.unit or "ms") != _place(mapped)]
    view.mark = _mark(views, list(fields.values()), documents)
    for seen in views:
        if section is not None and view.mark is not None and all(map(_is_absence, seen.problems)):
            seen.guesses = []
    return view


def _is_absence(problem: str) -> bool:
    return problem.startswith(NOTHING)


def _place(mapped: MappedField) -> tuple[Any, str]:
    """Return a field's path as a guess has it, without the [*] that a list may end in, and its unit."""
    return mapped.path, mapped.unit


def _mark(views: Sequence[FieldView], fields: Sequence[MappedField], documents: Sequence[Any]) -> Mark | None:
    """Return what tells messages with every needed field, where it is or is guessed to be, from those without."""
    places = []
    for seen, mapped in zip(views, fields, strict=True):
        if not seen.needed or mapped.path is None or mapped.default is not None:
            continue
        guessed = seen.guesses[0].path if seen.guesses and not seen.found else mapped.path
        places.append(guessed if EACH not in guessed else guessed[: guessed.index(EACH)])
    return mark_of(*split(documents, places))


def _judge(view: TopicView, settings: Settings, records: Sequence[Record]) -> tuple[list[Any], list[bytes | None]]:
    """Count what becomes of records; return the messages that can be read and are not skipped, and their keys."""
    codec = Codec(settings.mapping)
    documents, keys = [], []
    for record in records:
        value = record.value
        if value is None or value == END_TICK or forget_request.is_request(value):
            view.controls += 1
            continue
        try:
            events = codec.events(view.topic, value)
            if not events:
                view.skipped += 1
                continue
            if record.timestamp >= 0:
                for event in events:
                    check_not_ahead(event.ts, record.timestamp, settings.events.max_ahead)
            view.accepted += 1
        except EventRefused as refused:
            count_refusal(view.refused, str(refused))
        try:
            documents.append(codec.document(view.topic, value))
            keys.append(record.key)
        except (EventRefused, ValueError, RecursionError):
            continue
    return documents, keys


def _look(seen: FieldView, mapped: MappedField, document: Any) -> None:
    if mapped.path is None:
        seen.found += 1
        seen.value = mapped.value
        return
    raw = find(document, mapped.path)
    if raw is None:
        if mapped.default is not None:
            seen.value = mapped.default if seen.value is None else seen.value
        elif seen.needed:
            seen.problems[f"{NOTHING} {format_path(mapped.path)}"] += 1
        return
    seen.found += 1
    try:
        several = isinstance(raw, list) and not mapped.many and mapped.kind != "arms"
        seen.value = [_one(seen, mapped, one) for one in raw] if several else mapped.convert(raw)
        unit = unit_of(raw[0] if several and raw else raw) if mapped.kind == "time" else None
        if unit not in (None, mapped.unit):
            seen.problems[f'looks like unit = "{unit}", and is read as "{mapped.unit}"'] += 1
    except ValueError as exc:
        seen.problems[str(exc)] += 1


def _one(seen: FieldView, mapped: MappedField, raw: Any) -> Any:
    """Return one of several values; where a message may lack the field an element may as well."""
    return mapped.default if raw is None and (mapped.default is not None or not seen.needed) else mapped.convert(raw)


def _source(mapped: MappedField) -> str:
    if mapped.path is None:
        return f"= {msgspec.json.encode(mapped.value).decode()}"
    found = format_path(mapped.path)
    return f"{found} ({mapped.unit})" if mapped.unit != "ms" else found
