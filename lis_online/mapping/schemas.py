"""The schemas of a topic's messages, fetched once each: from a message's bytes to its structure."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Final, Protocol

from lis_online.errors import EventRefused
from lis_online.events import reasons
from lis_online.mapping.framing import schema_id
from lis_online.mapping.registry import Reference, RegisteredSchema

ASKED_AGAIN_AFTER: Final = 60.0
"""Seconds after which an id that the registry did not know is asked for again: it may have been restored meanwhile."""

MOST_UNKNOWN: Final = 10_000
"""Unknown ids that are remembered: messages that are not of the registry name one each."""

MOST_REFERENCES: Final = 1_000

Decode = Callable[[bytes], Any]
"""From a message, what stands before it included, to its structure. Raises EventRefused."""


class Source(Protocol):
    """Where schemas are: `registry.Registry`."""

    def schema(self, number: int, serialized: bool = False) -> RegisteredSchema | None:
        """Return the schema of an id."""
        ...

    def referred(self, reference: Reference, serialized: bool = False) -> RegisteredSchema | None:
        """Return a schema that another refers to."""
        ...


class Schemas:
    """The decoders of the schemas seen so far. kind: "avro" or "protobuf". clock: monotonic seconds.

    A schema of an id never changes, so each is fetched once. One that cannot be used refuses its messages; a registry
    that does not answer refuses none.
    """

    def __init__(self, kind: str, source: Source, clock: Callable[[], float] = time.monotonic) -> None:
        self._kind = kind
        self._source = source
        self._clock = clock
        self._build = _builder(kind)
        self._decoders: dict[int, Decode | str] = {}
        self._unknown: dict[int, float] = {}

    def document(self, value: bytes) -> Any:
        """Return a message as objects, lists and values. Raises EventRefused, and RegistryError as `prepare` does."""
        decode = self._decoder(schema_id(value))
        return decode(value)

    def prepare(self, value: bytes) -> None:
        """Fetch the schema of a message. Raises RegistryError where the registry does not answer."""
        try:
            self._decoder(schema_id(value))
        except EventRefused:
            return

    def _decoder(self, number: int) -> Decode:
        known = self._decoders.get(number)
        if known is None:
            known = self._fetch(number)
        if isinstance(known, str):
            raise EventRefused(reasons.MALFORMED, known)
        return known

    def _fetch(self, number: int) -> Decode | str:
        missing = f"schema {number} must be in the registry, got none of that id"
        asked = self._unknown.get(number)
        if asked is not None and self._clock() - asked < ASKED_AGAIN_AFTER:
            return missing
        found = self._source.schema(number, self._serialized)
        if found is None:
            if len(self._unknown) >= MOST_UNKNOWN:
                self._unknown.clear()
            self._unknown[number] = self._clock()
            return missing
        self._unknown.pop(number, None)
        self._decoders[number] = built = self._built(number, found)
        return built

    def _built(self, number: int, found: RegisteredSchema) -> Decode | str:
        if found.schemaType.lower() != self._kind:
            return f"schema {number} must be of {self._kind}, got {found.schemaType[:20]}"
        try:
            return self._build(found, self._references(found))
        except ValueError as exc:
            return f"schema {number} {exc}"[:200]

    def _references(self, found: RegisteredSchema) -> list[tuple[str, RegisteredSchema]]:
        """Return name and schema of all that one builds upon, each behind those that it builds upon itself."""
        ordered: dict[str, RegisteredSchema] = {}
        on_the_way: set[str] = set()

        def visit(one: RegisteredSchema) -> None:
            for reference in one.references:
                if reference.name in ordered or reference.name in on_the_way:
                    continue
                on_the_way.add(reference.name)
                if len(on_the_way) > MOST_REFERENCES:
                    raise ValueError(f"must refer to at most {MOST_REFERENCES} others")
                other = self._source.referred(reference, self._serialized)
                if other is None:
                    raise ValueError(f"refers to {reference.name[:60]}, which the registry does not have")
                visit(other)
                ordered[reference.name] = other

        visit(found)
        return list(ordered.items())

    @property
    def _serialized(self) -> bool:
        return self._kind == "protobuf"


def _builder(kind: str) -> Callable[[RegisteredSchema, list[tuple[str, RegisteredSchema]]], Decode]:
    if kind == "avro":
        from lis_online.mapping.avro import decoder
    else:
        from lis_online.mapping.protobuf import decoder
    return decoder
