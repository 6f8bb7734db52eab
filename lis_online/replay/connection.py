"""Connections to Kafka through kafka-python: arguments from the settings, and a broker that is there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from kafka import KafkaAdminClient
from kafka.errors import KafkaError

from lis_online.errors import BrokerError
from lis_online.replay.probe import client_tls, probe
from lis_online.settings.addresses import split_address
from lis_online.settings.model import KafkaSettings

CONNECT_SECONDS = 5.0
"""How long an address may take to accept a connection, and then the broker to answer in it."""


def client_arguments(kafka: KafkaSettings) -> dict[str, Any]:
    """Return the arguments that every kafka-python client of these settings takes. Raises SettingsError."""
    arguments: dict[str, Any] = {
        "bootstrap_servers": [address.strip() for address in kafka.bootstrap.split(",")],
        "security_protocol": kafka.security_protocol,
    }
    context = client_tls(kafka)
    if context is not None:
        arguments["ssl_context"] = context
    if kafka.password is not None:
        arguments["sasl_mechanism"] = kafka.sasl_mechanism
        arguments["sasl_plain_username"] = kafka.username
        arguments["sasl_plain_password"] = kafka.password.get_secret_value()
    return arguments


def check_connection(kafka: KafkaSettings, timeout: float = CONNECT_SECONDS) -> None:
    """Connect and log in at the first address that lets us. timeout: seconds per step.

    A client that is given a dead address or a wrong password waits half a minute and says little. Raises BrokerError
    naming each address and what happened there.
    """
    failures = []
    for address in kafka.bootstrap.split(","):
        host, port = split_address(address.strip())
        try:
            probe(kafka, host, port, timeout)
            return
        except BrokerError as exc:
            failures.append(f"{host}:{port}: {exc}")
        except (OSError, UnicodeError) as exc:  # UnicodeError: a host that is no name
            failures.append(f"{host[:60]}:{port}: {getattr(exc, 'strerror', None) or exc}")
    raise BrokerError(f"kafka.bootstrap must name a broker that answers, got {'; '.join(failures)}")


@contextmanager
def admin_client(kafka: KafkaSettings) -> Iterator[KafkaAdminClient]:
    """Open an admin client, and close it. Raises BrokerError on whatever Kafka or the network refuses."""
    check_connection(kafka)
    with broker_errors(kafka):
        client = KafkaAdminClient(
            **client_arguments(kafka),
            bootstrap_timeout_ms=int(CONNECT_SECONDS * 1000),
            client_id=f"{kafka.prefix}-admin",
        )
        try:
            yield client
        finally:
            client.close()


@contextmanager
def broker_errors(kafka: KafkaSettings) -> Iterator[None]:
    """Turn kafka-python's errors into a BrokerError that names the address and, with SASL, the likely cause."""
    try:
        yield
    except KafkaError as exc:
        hint = ""
        if kafka.username is not None:
            hint = f" (are the password of {kafka.username!r} and the mechanism {kafka.sasl_mechanism} right?)"
        raise BrokerError(f"Kafka at {kafka.bootstrap} must answer, got {exc}{hint}") from exc
