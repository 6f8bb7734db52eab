"""Settings of the field mapping: where each field of an event is in messages that somebody else has designed."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from pydantic import PlainSerializer, PlainValidator, model_validator

from lis_online.mapping.fields import (
    LISTED,
    OPTIONS,
    ListedArms,
    MappedField,
    dump_field,
    dump_listed,
    parse_field,
    parse_listed,
)
from lis_online.mapping.skip import SkipRule, dump_skip, parse_skip
from lis_online.settings.model import Section
from lis_online.settings.registry import RegistrySettings


def _of(kind: str, *, several: bool = False) -> PlainValidator:
    return PlainValidator(lambda raw: parse_field(kind, raw, several=several))


_DUMPED: Final = PlainSerializer(dump_field)

One = Annotated[MappedField, _of("id"), _DUMPED]
OneOfEach = Annotated[MappedField, _of("id", several=True), _DUMPED]
Ids = Annotated[MappedField, _of("ids"), _DUMPED]
SparseIds = Annotated[MappedField, _of("sparse_ids"), _DUMPED]
Time = Annotated[MappedField, _of("time"), _DUMPED]
TimeOfEach = Annotated[MappedField, _of("time", several=True), _DUMPED]
SparseTimes = Annotated[MappedField, _of("sparse_times"), _DUMPED]
NumberOfEach = Annotated[MappedField, _of("number", several=True), _DUMPED]
Whole = Annotated[MappedField, _of("whole"), _DUMPED]
Positions = Annotated[MappedField, _of("positions"), _DUMPED]
Vector = Annotated[MappedField, _of("vector"), _DUMPED]

Arms = MappedField | dict[str, MappedField]


def _arms(raw: Any) -> Arms:
    """Return the experiments: a path to an object of names and arms, a table of LISTED, or one of a field for each."""
    if isinstance(raw, str) or (isinstance(raw, dict) and not set(raw) - set(OPTIONS)):
        return parse_field("arms", raw)
    if not isinstance(raw, dict):
        raise ValueError('must be a path such as "$.ab", or a table of experiments and paths')
    if set(raw) == set(LISTED):
        return parse_listed(raw)
    found = {}
    for name, field in raw.items():
        try:
            found[name] = parse_field("arm", field)
        except ValueError as exc:
            raise ValueError(f"{name}: {exc}") from exc
    return found


def _dump_arms(arms: Arms) -> Any:
    if isinstance(arms, ListedArms):
        return dump_listed(arms)
    return dump_field(arms) if isinstance(arms, MappedField) else {n: dump_field(one) for n, one in arms.items()}


Experiments = Annotated[Arms, PlainValidator(_arms), PlainSerializer(_dump_arms)]

Skip = Annotated[tuple[SkipRule, ...], PlainValidator(parse_skip), PlainSerializer(dump_skip)]


class TopicMapping(Section):
    """A topic in messages of another format. skip: which of them are not ours."""

    format: Literal["json", "json-schema", "avro", "protobuf"] = "json"
    skip: Skip = ()


class ImpressionMapping(TopicMapping):
    """Impressions in messages of another format."""

    request_id: One
    user_id: One
    ts: Time
    surface: One
    items: Ids
    positions: Positions | None = None
    experiments: Experiments | None = None
    authors: SparseIds | None = None
    categories: SparseIds | None = None
    created: SparseTimes | None = None
    history: Ids | None = None


class FeedbackMapping(TopicMapping):
    """Feedback in messages of another format: one action, or one of each element of a list."""

    request_id: OneOfEach
    user_id: One
    item_id: OneOfEach
    ts: TimeOfEach
    action: OneOfEach
    value: NumberOfEach | None = None


class RepresentationMapping(TopicMapping):
    """Vectors in messages of another format."""

    variant: One
    version: One
    item_id: One
    ts: Time
    vector: Vector


class PreferenceMapping(TopicMapping):
    """Item pairs in messages of another format."""

    source: One
    item_a: One
    item_b: One
    ts: Time
    user_id: One | None = None
    weight: Whole | None = None


class MappingSettings(Section):
    """What topics hold that do not hold the event schema; a topic without a table here does."""

    impressions: ImpressionMapping | None = None
    feedback: FeedbackMapping | None = None
    representations: RepresentationMapping | None = None
    preferences: PreferenceMapping | None = None
    registry: RegistrySettings = RegistrySettings()

    @model_validator(mode="after")
    def _has_a_registry(self) -> MappingSettings:
        for topic in TABLES:
            section: TopicMapping | None = getattr(self, topic)
            if section is not None and section.format in ENCODED and self.registry.url is None:
                raise ValueError(f"{topic}.format {section.format} needs registry.url")
        return self


ENCODED: Final = ("avro", "protobuf")
"""Formats that are read with a schema of a registry."""

TABLES: Final[dict[str, type[TopicMapping]]] = {
    "impressions": ImpressionMapping,
    "feedback": FeedbackMapping,
    "representations": RepresentationMapping,
    "preferences": PreferenceMapping,
}
"""Topic -> the table that maps it."""
