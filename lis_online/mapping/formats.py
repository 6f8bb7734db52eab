"""How the bytes of a topic's messages become what paths are followed in: JSON, or by a schema of a registry."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol

from lis_online.events.decode import check_length, check_size
from lis_online.mapping.framing import HEADER, schema_id
from lis_online.mapping.paths import Path, find
from lis_online.mapping.reader import Get, Reader, read_document

if TYPE_CHECKING:
    from lis_online.mapping.schemas import Schemas
    from lis_online.settings.registry import RegistrySettings


class Parts(NamedTuple):
    """What stands at some paths, as in a `Reader`: a message decoded, and a function of it for each path."""

    decode: Get
    gets: list[Get]


class Format(Protocol):
    """One way to read messages."""

    def check(self, value: bytes) -> None:
        """Refuse a message that is too long or too deep to be read. Raises EventRefused."""
        ...

    def parts(self, paths: Sequence[Path]) -> Parts:
        """Return how to read some paths of messages; its errors are those of a `Reader`, and EventRefused."""
        ...

    def document(self, value: bytes) -> Any:
        """Return a whole message. Raises ValueError or EventRefused where it is not of the format."""
        ...

    def prepare(self, value: bytes) -> None:
        """Fetch what reading a message needs, so that reading it waits for nothing. Raises RegistryError."""
        ...


class Json:
    """Messages that are JSON."""

    def check(self, value: bytes) -> None:
        """Refuse by length and by depth."""
        check_size(value)

    def parts(self, paths: Sequence[Path]) -> Parts:
        """Read what the paths lead to and nothing else."""
        reader = Reader(paths)
        return Parts(reader.decode, reader.gets)

    def document(self, value: bytes) -> Any:
        """Return a whole message."""
        return read_document(value)

    def prepare(self, value: bytes) -> None:
        """Nothing is needed."""


class FramedJson(Json):
    """JSON behind the id of a schema, as serializers for JSON Schema write it. The schema itself is not needed."""

    def parts(self, paths: Sequence[Path]) -> Parts:
        """Read what the paths lead to and nothing else."""
        decode, gets = super().parts(paths)
        return Parts(lambda value: decode(_behind_id(value)), gets)

    def document(self, value: bytes) -> Any:
        """Return a whole message."""
        return read_document(_behind_id(value))


class Encoded:
    """Messages by a schema of a registry: Avro or Protobuf. They are read whole."""

    def __init__(self, schemas: Schemas) -> None:
        self._schemas = schemas

    def check(self, value: bytes) -> None:
        """Refuse by length alone: a schema says how deep it goes."""
        check_length(value)

    def parts(self, paths: Sequence[Path]) -> Parts:
        """Read everything, and find the paths in it."""
        return Parts(self.document, [partial(find, path=path) for path in paths])

    def document(self, value: bytes) -> Any:
        """Return a whole message."""
        return self._schemas.document(value)

    def prepare(self, value: bytes) -> None:
        """Fetch its schema."""
        self._schemas.prepare(value)


JSON: Final = Json()


def format_of(name: str, registry: RegistrySettings) -> Format:
    """Return the format of that name in the settings."""
    if name == "json":
        return JSON
    if name == "json-schema":
        return FramedJson()
    from lis_online.mapping.registry import Registry
    from lis_online.mapping.schemas import Schemas

    return Encoded(Schemas(name, Registry(registry)))


def _behind_id(value: bytes) -> bytes:
    schema_id(value)
    return value[HEADER:]
