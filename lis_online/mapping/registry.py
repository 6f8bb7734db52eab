"""A schema registry asked over HTTP: the API of Confluent's, which Karapace, Apicurio and Redpanda answer too."""

from __future__ import annotations

import base64
import ssl
from http.client import HTTPException
from typing import Final
from urllib.error import HTTPError, URLError
from urllib.parse import quote
from urllib.request import (
    BaseHandler,
    HTTPDefaultErrorHandler,
    HTTPErrorProcessor,
    HTTPHandler,
    HTTPSHandler,
    OpenerDirector,
    Request,
)

import msgspec

from lis_online.errors import RegistryError
from lis_online.settings.registry import RegistrySettings
from lis_online.tls import client_context

TIMEOUT: Final = 5.0
"""Seconds that an answer may take."""

LARGEST: Final = 8 << 20
"""Bytes of the longest answer that is read."""

NOT_FOUND: Final = (40401, 40402, 40403)
"""What the API says where a subject, a version or a schema is not there: another 404 is not the API's."""

FORMAT: Final = "?format=serialized"
"""Asks for a schema of Protobuf as the descriptor that a library reads; its source would need a compiler."""

CUT_OFF: Final = ssl.SSLEOFError, ConnectionResetError, BrokenPipeError
"""What is left of a refused client's certificate where the request was under way: the reset overtakes the alert."""

SERIALIZED: Final = f"schema registry must give Protobuf's schemas serialized ({FORMAT})"
"""What no waiting brings to a registry that cannot: Redpanda's before 25.2 answers 501, others with the source."""


class Reference(msgspec.Struct, frozen=True):
    """Another schema that one builds upon, by the name that it is imported under."""

    name: str
    subject: str
    version: int


class RegisteredSchema(msgspec.Struct, frozen=True):
    """A schema as the registry has it. schemaType: AVRO, PROTOBUF or JSON; schema: its source, of Protobuf serialized.

    The names are those of the API.
    """

    schema: str
    schemaType: str = "AVRO"  # noqa: N815
    references: tuple[Reference, ...] = ()


class _Failure(msgspec.Struct):
    error_code: int = 0


_schema = msgspec.json.Decoder(RegisteredSchema)
_failure = msgspec.json.Decoder(_Failure)


class Registry:
    """The schemas of a registry, asked for one by one. Nothing is kept, no connection stays.

    Raises SettingsError where the files of the settings cannot be used.
    """

    def __init__(self, settings: RegistrySettings) -> None:
        if settings.url is None:
            raise ValueError("settings.url must be given, got None")
        self._settings = settings
        self._url = settings.url.rstrip("/")
        self._headers = {"Accept": "application/vnd.schemaregistry.v1+json, application/json"}
        if settings.token is not None:
            self._headers["Authorization"] = f"Bearer {settings.token.get_secret_value()}"
        elif settings.username is not None and settings.password is not None:
            pair = f"{settings.username}:{settings.password.get_secret_value()}"
            self._headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
        self._opener = _opener(settings)

    def schema(self, number: int, serialized: bool = False) -> RegisteredSchema | None:
        """Return the schema of an id, None where the registry has none. serialized: as Protobuf is needed.

        Raises RegistryError where that cannot be learnt now.
        """
        return self._schema(f"/schemas/ids/{number}", serialized)

    def referred(self, reference: Reference, serialized: bool = False) -> RegisteredSchema | None:
        """Return a schema that another refers to, None where the registry has none. Raises RegistryError."""
        return self._schema(f"/subjects/{quote(reference.subject, safe='')}/versions/{reference.version}", serialized)

    def check(self) -> None:
        """Ask which types it has. Raises RegistryError where it does not answer."""
        self._get("/schemas/types")

    def _schema(self, path: str, serialized: bool) -> RegisteredSchema | None:
        found = self._get(f"{path}{FORMAT}" if serialized else path)
        if found is None:
            return None
        try:
            return _schema.decode(found)
        except ValueError as exc:
            raise RegistryError(f"schema registry {self._url} must answer with a schema: {exc}") from exc

    def _get(self, path: str) -> bytes | None:
        try:
            with self._opener.open(Request(self._url + path, headers=self._headers), timeout=TIMEOUT) as answer:
                found: bytes = answer.read(LARGEST + 1)
        except HTTPError as exc:
            with exc:
                if exc.code == 404 and _reason(exc) in NOT_FOUND:
                    return None
                if exc.code == 501 and path.endswith(FORMAT):
                    raise RegistryError(f"{SERIALIZED}, got {exc.code} {exc.reason}", transient=False) from exc
            raise RegistryError(f"schema registry {self._url} must answer, got {exc.code} {exc.reason}") from exc
        except (OSError, HTTPException) as exc:
            raise RegistryError(f"schema registry {self._url} must answer: {self._why_not(exc)}") from exc
        if len(found) > LARGEST:
            raise RegistryError(f"schema registry {self._url} must answer with at most {LARGEST} bytes")
        return found

    def _why_not(self, exc: Exception) -> str:
        """Compose why there is no answer."""
        cause = exc.reason if isinstance(exc, URLError) else exc
        if self._url.startswith("https:") and isinstance(cause, CUT_OFF):
            file = f"(mapping.registry.certificate_file {self._settings.certificate_file or 'is not set'})"
            return f"TLS: it closed the connection, as over a client's certificate {file}"
        return _tls_reason(cause, self._settings) if isinstance(cause, ssl.SSLError) else str(cause)


def _tls_reason(exc: ssl.SSLError, settings: RegistrySettings) -> str:
    """Compose what a failed handshake means. TLS 1.3 refuses a client's certificate after it: at the first answer."""
    reason = exc.reason or str(exc)
    if isinstance(exc, ssl.SSLCertVerificationError):
        return f"TLS: {exc.verify_message.rstrip('.')} (mapping.registry.ca_file {settings.ca_file or 'is not set'})"
    if "ALERT_" in reason:
        said = reason.partition("ALERT_")[2].replace("_", " ").lower()
        if settings.certificate_file is None:
            return f"TLS: it asks for a certificate, and mapping.registry.certificate_file is not set ({said})"
        return f"TLS: it refuses the certificate of mapping.registry.certificate_file ({said})"
    return f"TLS: {reason}"


def _opener(settings: RegistrySettings) -> OpenerDirector:
    """Return what asks over HTTP and follows nothing: credentials are for the registry's own address."""
    opener = OpenerDirector()
    handlers: list[BaseHandler] = [HTTPHandler(), HTTPErrorProcessor(), HTTPDefaultErrorHandler()]
    if (settings.url or "").startswith("https:"):
        files = settings.ca_file, settings.certificate_file, settings.key_file
        handlers.append(HTTPSHandler(context=client_context("mapping.registry", *files)))
    for handler in handlers:
        opener.add_handler(handler)
    return opener


def _reason(exc: HTTPError) -> int:
    """Return the API's own number of a failure, 0 where it has none."""
    try:
        return _failure.decode(exc.read(LARGEST)).error_code
    except (OSError, HTTPException, ValueError):
        return 0
