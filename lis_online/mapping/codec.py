"""From a record's bytes to events: of the event schema, or of another format as the settings map it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

from lis_online.errors import EventRefused
from lis_online.events.decode import decode_feedback, decode_impression, decode_preference, decode_representation
from lis_online.events.event_time import event_time
from lis_online.mapping.events import ARM, BUILDERS, Event, feedback_of_each
from lis_online.mapping.fields import MappedField
from lis_online.mapping.formats import JSON, Format, format_of
from lis_online.mapping.message import MessageFields
from lis_online.mapping.paths import is_many
from lis_online.records import Record
from lis_online.settings.mapping import ENCODED, TABLES, MappingSettings, TopicMapping

_PLAIN: Final[dict[str, Callable[[bytes], Event]]] = {
    "impressions": decode_impression,
    "feedback": decode_feedback,
    "representations": decode_representation,
    "preferences": decode_preference,
}

Decode = Callable[[bytes], Sequence[Event]]


class Codec:
    """The reading of every input topic. Topics are logical names.

    >>> codec = Codec(MappingSettings.model_validate({"preferences": {
    ...     "source": {"value": "search"}, "item_a": "$.a", "item_b": "$.b", "ts": {"path": "$.at", "unit": "s"}}}))
    >>> [(pair.item_a, pair.ts) for pair in codec.events("preferences", b'{"a": 7, "b": 8, "at": 5}')]
    [('7', 5000)]
    """

    def __init__(self, mapping: MappingSettings) -> None:
        self._sections: dict[str, TopicMapping] = {
            topic: section for topic in _PLAIN if (section := getattr(mapping, topic)) is not None
        }
        self._formats: dict[str, Format] = {
            topic: format_of(section.format, mapping.registry) for topic, section in self._sections.items()
        }
        self._encoded = {topic for topic, section in self._sections.items() if section.format in ENCODED}
        self._decoders = {topic: self._decoder(topic) for topic in _PLAIN}
        self._parts: dict[tuple[str, tuple[str, ...]], MessageFields] = {}

    def events(self, topic: str, value: bytes) -> Sequence[Event]:
        """Return the events of a record's value; none where the mapping skips it.

        Raises EventRefused; of a topic with a schema registry RegistryError where it does not answer.
        """
        return self._decoders[topic](value)

    def prepare(self, records: Iterable[Record]) -> None:
        """Fetch the schemas that records need, so that `events` does not wait. Raises RegistryError."""
        if self._encoded:
            for record in records:
                if record.topic in self._encoded:
                    self._formats[record.topic].prepare(record.value or b"")

    def document(self, topic: str, value: bytes) -> Any:
        """Return a whole message as objects, lists and values.

        Raises ValueError and EventRefused where it is not of the topic's format, and RegistryError.
        """
        return self._formats.get(topic, JSON).document(value)

    def is_mapped(self, topic: str) -> bool:
        """Say whether a topic is in another format."""
        return topic in self._sections

    def time(self, topic: str, value: bytes | None) -> int | None:
        """Return a record's event time, ms since 1970, the latest of several; None where it has none."""
        if topic not in self._sections:
            return event_time(value)
        found = self.part(topic, value, ("ts",)).get("ts")
        return max(found, default=None) if isinstance(found, list) else found

    def part(self, topic: str, value: bytes | None, names: tuple[str, ...]) -> dict[str, Any]:
        """Return some fields of a record of a mapped topic, as far as they can be read."""
        key = topic, names
        if key not in self._parts:
            fields = fields_of(self._sections[topic])
            wanted = {name: fields[name] for name in names if name in fields}
            self._parts[key] = MessageFields(wanted, form=self._formats[topic])
        try:
            return self._parts[key].read(value or b"") or {}
        except EventRefused:
            return {}

    def _decoder(self, topic: str) -> Decode:
        section = self._sections.get(topic)
        if section is None:
            plain = _PLAIN[topic]
            return lambda value: (plain(value),)
        fields = fields_of(section)
        read = MessageFields(fields, needed_of(topic), section.skip, self._formats[topic]).read
        several = any(is_many(one.path) and not one.many for one in fields.values() if one.path is not None)
        build = feedback_of_each if several else BUILDERS[topic]

        def decode(value: bytes) -> Sequence[Event]:
            found = read(value)
            return () if found is None else build(found)

        return decode


def fields_of(section: TopicMapping) -> dict[str, MappedField]:
    """Return name -> field of a topic's mapping; an experiment of its own path is "experiments.NAME"."""
    found: dict[str, MappedField] = {}
    for name in type(section).model_fields:
        field = getattr(section, name)
        if isinstance(field, MappedField):
            found[name] = field
        elif isinstance(field, dict):
            found |= {f"{ARM}{experiment}": one for experiment, one in field.items()}
    return found


def needed_of(topic: str) -> list[str]:
    """Return the fields of a topic without which a message is refused."""
    return [name for name, field in TABLES[topic].model_fields.items() if field.is_required()]
