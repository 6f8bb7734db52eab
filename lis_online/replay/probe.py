"""One conversation with a broker: address, TLS, login, and in one sentence what is wrong with which of them.

Clients that are given a wrong password try for half a minute and then say that they are unable to bootstrap. Here each
step is asked alone: TLS, the versions of the broker, the login. The requests are those of https://kafka.apache.org/protocol.
"""

from __future__ import annotations

import socket
import ssl
import struct
from typing import Any, Final

from kafka.net.sasl import get_sasl_mechanism

from lis_online.errors import BrokerError
from lis_online.settings.model import KafkaSettings
from lis_online.tls import client_context

METADATA: Final = (3, 5)
SASL_HANDSHAKE: Final = (17, 1)
API_VERSIONS: Final = (18, 0)
SASL_AUTHENTICATE: Final = (36, 0)
"""Keys and versions of requests."""

UNSUPPORTED_MECHANISM: Final = 33
ILLEGAL_SASL_STATE: Final = 34  # a listener without logins

NO_TOPIC: Final = struct.pack(">i?", 0, False)
LARGEST: Final = 1 << 20
"""Bytes of an answer; something else than Kafka announces any size."""
TLS_ALERT: Final = b"\x15\x03"


def client_tls(kafka: KafkaSettings) -> ssl.SSLContext | None:
    """Return the TLS context of every client of these settings, None in plain text. Raises SettingsError."""
    if not kafka.security_protocol.endswith("SSL"):
        return None
    return client_context("kafka", kafka.ca_file, kafka.certificate_file, kafka.key_file)


def probe(kafka: KafkaSettings, host: str, port: int, timeout: float) -> None:
    """Connect, shake hands, log in, leave. timeout: seconds that each step may take.

    Raises OSError where the address does not answer, BrokerError with the reason where TLS or login is refused.
    """
    context = client_tls(kafka)
    with socket.create_connection((host, port), timeout=timeout) as plain:
        if context is None:
            _talk(kafka, plain)
            return
        try:
            with context.wrap_socket(plain, server_hostname=host) as wrapped:
                _talk(kafka, wrapped)
        except ssl.SSLError as exc:
            raise BrokerError(_tls_reason(exc, kafka)) from exc
        except ConnectionResetError as exc:
            raise BrokerError(_no_answer(kafka)) from exc


class _GoneError(Exception):
    """The other side closed the connection, or answered what is no answer of Kafka."""

    def __init__(self, said: bytes = b"") -> None:
        self.said = said
        super().__init__("no answer")


def _talk(kafka: KafkaSettings, connection: socket.socket) -> None:
    known = False
    try:
        _ask(connection, API_VERSIONS, b"")
        known = True
        if kafka.password is None:
            _ask(connection, METADATA, NO_TOPIC)
        else:
            _log_in(kafka, connection)
    except (_GoneError, ConnectionError) as exc:
        speaks_tls = isinstance(exc, _GoneError) and exc.said.startswith(TLS_ALERT)
        raise BrokerError(_no_answer(kafka, known, speaks_tls)) from exc


def _no_answer(kafka: KafkaSettings, known: bool = False, speaks_tls: bool = False) -> str:
    protocol = f"kafka.security_protocol is {kafka.security_protocol}"
    if known:
        return f"the broker asks for a login, and {protocol}"
    if kafka.security_protocol.endswith("SSL"):
        return f"closed the connection: does it speak TLS? {protocol}"
    if speaks_tls:
        return f"it speaks TLS, and {protocol}"
    return f"no answer of Kafka, closed the connection: does it ask for TLS? {protocol}"


def _log_in(kafka: KafkaSettings, connection: socket.socket) -> None:
    assert kafka.password is not None
    wanted = (kafka.sasl_mechanism or "").encode()
    answer = _ask(connection, SASL_HANDSHAKE, struct.pack(">h", len(wanted)) + wanted)
    (error,) = struct.unpack(">h", answer[:2])
    if error == ILLEGAL_SASL_STATE:
        raise BrokerError(f"the broker has no logins here, and kafka.security_protocol is {kafka.security_protocol}")
    if error == UNSUPPORTED_MECHANISM:
        raise BrokerError(
            f"the broker takes kafka.sasl_mechanism {', '.join(_texts(answer[2:]))}, got {wanted.decode()}"
        )
    mechanism = get_sasl_mechanism(kafka.sasl_mechanism)(
        security_protocol="SASL_SSL",  # with the other one it warns, once a look
        sasl_mechanism=kafka.sasl_mechanism,
        sasl_plain_username=kafka.username,
        sasl_plain_password=kafka.password.get_secret_value(),
    )
    while not mechanism.is_done():
        said = mechanism.auth_bytes()
        answer = _ask(connection, SASL_AUTHENTICATE, struct.pack(">i", len(said)) + said)
        (error,) = struct.unpack(">h", answer[:2])
        if error:
            raise BrokerError(f"the broker refuses the password of {kafka.username!r} with {kafka.sasl_mechanism}")
        _hear(mechanism, answer)


def _hear(mechanism: Any, answer: bytes) -> None:
    (length,) = struct.unpack(">h", answer[2:4])
    try:
        mechanism.receive(answer[8 + max(0, length) :])
    except (ValueError, KeyError) as exc:
        raise BrokerError("the broker does not know the password that it asks for") from exc


def _ask(connection: socket.socket, request: tuple[int, int], body: bytes) -> bytes:
    """Return an answer's body."""
    message = struct.pack(">hhih", *request, 0, -1) + body
    connection.sendall(struct.pack(">i", len(message)) + message)
    size = _receive(connection, 4)
    (length,) = struct.unpack(">i", size)
    if size.startswith(TLS_ALERT) or not 4 <= length <= LARGEST:
        raise _GoneError(size)
    return _receive(connection, length)[4:]


def _receive(connection: socket.socket, count: int) -> bytes:
    found = b""
    while len(found) < count:
        piece = connection.recv(count - len(found))
        if not piece:
            raise _GoneError(found)
        found += piece
    return found


def _texts(array: bytes) -> list[str]:
    """Return the texts of an array, as Kafka writes one."""
    (count,) = struct.unpack(">i", array[:4])
    found, at = [], 4
    for _ in range(count):
        (length,) = struct.unpack(">h", array[at : at + 2])
        found.append(array[at + 2 : at + 2 + length].decode())
        at += 2 + length
    return found


def _tls_reason(exc: ssl.SSLError, kafka: KafkaSettings) -> str:
    """Compose what a failed handshake means. TLS 1.3 refuses a client's certificate after it: at the first answer."""
    reason = exc.reason or str(exc)
    if isinstance(exc, ssl.SSLCertVerificationError):
        return f"TLS: {exc.verify_message.rstrip('.')} (kafka.ca_file {kafka.ca_file or 'is not set'})"
    if isinstance(exc, ssl.SSLEOFError) or reason in ("WRONG_VERSION_NUMBER", "UNEXPECTED_EOF_WHILE_READING"):
        return _no_answer(kafka)
    if "ALERT" in reason or "HANDSHAKE_FAILURE" in reason:
        said = reason.partition("ALERT_")[2].replace("_", " ").lower()
        if kafka.certificate_file is None:
            return f"TLS: the broker asks for a certificate, and kafka.certificate_file is not set ({said})"
        return (
            f"TLS: the broker refuses the certificate of kafka.certificate_file ({said}), got {kafka.certificate_file}"
        )
    return f"TLS: {reason}"
