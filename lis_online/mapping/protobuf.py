"""Messages of Protobuf, by the descriptor of the schema that they were written with."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from typing import Any, Final

from google.protobuf import (
    any_pb2,
    duration_pb2,
    empty_pb2,
    field_mask_pb2,
    struct_pb2,
    timestamp_pb2,
    wrappers_pb2,
)
from google.protobuf.descriptor import Descriptor, FieldDescriptor, FileDescriptor
from google.protobuf.descriptor_pb2 import FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message import DecodeError, Message
from google.protobuf.message_factory import GetMessageClass

from lis_online.errors import EventRefused, RegistryError
from lis_online.events import reasons
from lis_online.mapping.framing import message_indexes
from lis_online.mapping.registry import SERIALIZED, RegisteredSchema
from lis_online.mapping.schemas import Decode

SHIPPED: Final = (
    any_pb2, duration_pb2, empty_pb2, field_mask_pb2, struct_pb2, timestamp_pb2, wrappers_pb2
)  # fmt: skip
"""Files that every schema may import and no registry keeps."""

TIMES: Final = ("google.protobuf.Timestamp", "google.protobuf.Duration")
WRAPPERS: Final = tuple(f"google.protobuf.{name}" for name in wrappers_pb2.DESCRIPTOR.message_types_by_name)

Write = Callable[[Any], Any]
"""From what the library has to what paths are followed in."""


def decoder(schema: RegisteredSchema, references: list[tuple[str, RegisteredSchema]]) -> Decode:
    """Return the function from a message to its structure. references: those that come first in front.

    Fields have the names of the schema; enumerations are the names of their values; `google.protobuf.Timestamp` is text
    in RFC 3339, and a wrapper what it wraps. What has a presence of its own and was not set is not there. Raises
    ValueError where the schema cannot be used.
    """
    pool = DescriptorPool()
    for shipped in SHIPPED:
        pool.AddSerializedFile(shipped.DESCRIPTOR.serialized_pb)
    try:
        for name, other in references:
            if not name.startswith("google/protobuf/"):
                pool.AddSerializedFile(_file(other.schema, name))
        name = "lis-online-message.proto"
        pool.AddSerializedFile(_file(schema.schema, name))
        file = pool.FindFileByName(name)
    except (TypeError, KeyError) as exc:  # of a file that is missing, or of names that are there twice
        raise ValueError(f"must be a whole schema of Protobuf: {exc}") from exc
    return _Decoder(file)


def _file(text: str, name: str) -> bytes:
    """Return a serialized file under the name that it is imported by."""
    try:
        file = FileDescriptorProto.FromString(base64.b64decode(text, validate=True))
    except (ValueError, DecodeError) as exc:
        raise RegistryError(f"{SERIALIZED}, got other text", transient=False) from exc
    file.name = name
    return file.SerializeToString()


class _Decoder:
    """The reading of the messages of one file."""

    def __init__(self, file: FileDescriptor) -> None:
        self._file = file
        self._kinds: dict[tuple[int, ...], tuple[type[Message], Write]] = {}
        self._writers: dict[str, Write] = {}

    def __call__(self, value: bytes) -> Any:
        indexes, at = message_indexes(value)
        if indexes not in self._kinds:
            descriptor = _message(self._file, indexes)
            self._kinds[indexes] = GetMessageClass(descriptor), self._writer(descriptor)
        kind, write = self._kinds[indexes]
        try:
            return write(kind.FromString(value[at:]))
        except DecodeError as exc:
            raise EventRefused(reasons.MALFORMED, "value must be Protobuf of its schema, got other bytes") from exc

    def _writer(self, descriptor: Descriptor) -> Write:
        """Return the function from a message of a kind to its structure."""
        name = descriptor.full_name
        if name in TIMES:
            return _time
        if name in WRAPPERS:
            return lambda message: message.value
        if name not in self._writers:
            fields: list[tuple[str, bool, Write]] = []
            self._writers[name] = lambda message: dict(_written(message, fields))
            fields += [(one.name, one.has_presence, self._field(one)) for one in descriptor.fields]
        return self._writers[name]

    def _field(self, field: FieldDescriptor) -> Write:
        kind = field.message_type
        if kind is not None and kind.GetOptions().map_entry:
            one = self._one(kind.fields_by_name["value"])
            return lambda entries: {str(key): one(entries[key]) for key in entries}
        one = self._one(field)
        return (lambda values: list(map(one, values))) if field.is_repeated else one

    def _one(self, field: FieldDescriptor) -> Write:
        if field.message_type is not None:
            return self._writer(field.message_type)
        if field.enum_type is not None:
            names = {number: one.name for number, one in field.enum_type.values_by_number.items()}
            return lambda number: names.get(number, number)
        return _itself


def _written(message: Message, fields: list[tuple[str, bool, Write]]) -> Iterator[tuple[str, Any]]:
    for name, has_presence, write in fields:
        if not has_presence or message.HasField(name):
            yield name, write(getattr(message, name))


def _message(file: FileDescriptor, indexes: tuple[int, ...]) -> Descriptor:
    kinds = list(file.message_types_by_name.values())
    for number, index in enumerate(indexes):
        if not 0 <= index < len(kinds):
            raise EventRefused(reasons.MALFORMED, f"value must name a message of its schema, got index {index}")
        found = kinds[index]
        if number + 1 < len(indexes):
            kinds = list(found.nested_types)
    return found


def _time(message: Any) -> Any:
    """Return a time as text, nothing where it is outside of what text can say."""
    try:
        return message.ToJsonString()
    except ValueError:
        return None


def _itself(value: Any) -> Any:
    return value
