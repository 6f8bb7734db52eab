from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator

import pytest

from lis_online.errors import BrokerError
from lis_online.replay.connection import check_connection, client_arguments
from lis_online.settings.model import KafkaSettings
from tests.fixtures.certificates import Certificates
from tests.fixtures.kafka import KafkaBroker


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    """A port that accepts connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server


def test_arguments_carry_tls_and_sasl(certificates: Certificates) -> None:
    """Every client of these settings connects in the same way; TLS 1.2 at least, names checked."""
    kafka = KafkaSettings.model_validate(
        {
            "bootstrap": "a:1, b:2",
            "security_protocol": "SASL_SSL",
            "sasl_mechanism": "SCRAM-SHA-512",
            "username": "lis",
            "password": "secret",
            "ca_file": str(certificates.ca),
        }
    )
    arguments = client_arguments(kafka)
    context = arguments.pop("ssl_context")
    assert context.check_hostname
    assert (context.verify_mode, context.minimum_version) == (ssl.CERT_REQUIRED, ssl.TLSVersion.TLSv1_2)
    assert arguments == {
        "bootstrap_servers": ["a:1", "b:2"],
        "security_protocol": "SASL_SSL",
        "sasl_mechanism": "SCRAM-SHA-512",
        "sasl_plain_username": "lis",
        "sasl_plain_password": "secret",
    }


@pytest.mark.kafka
def test_second_address_may_answer(kafka_broker: KafkaBroker) -> None:
    """A list of brokers is there so that one may be down."""
    check_connection(KafkaSettings(bootstrap=f"127.0.0.1:1, {kafka_broker.bootstrap}"))


def test_each_dead_address_is_named() -> None:
    """All of them, each with what happened there."""
    with pytest.raises(BrokerError, match=r"got 127\.0\.0\.1:1: .*; no\.such\.host\.invalid:9092: "):
        check_connection(KafkaSettings(bootstrap="127.0.0.1:1,no.such.host.invalid"))


@pytest.mark.timeout(30)
def test_port_that_is_not_kafka_is_said(listener: socket.socket) -> None:
    """A port that accepts and stays silent ends in a sentence too, not in a hanging command."""
    kafka = KafkaSettings(bootstrap=f"127.0.0.1:{listener.getsockname()[1]}")
    with pytest.raises(BrokerError, match=r"got 127\.0\.0\.1:\d+: timed out$"):
        check_connection(kafka, timeout=0.2)


@pytest.mark.parametrize("said", [b"", b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\x00\x00\x00\x02ab", b"\x7f\xff\xff\xff"])
def test_port_of_something_else_is_said(listener: socket.socket, said: bytes) -> None:
    """A web server, a port that hangs up, one that announces two gigabytes: one sentence each."""

    def answer() -> None:
        connection, _ = listener.accept()
        with connection:
            connection.recv(1000)
            connection.sendall(said)

    other = threading.Thread(target=answer)
    other.start()
    kafka = KafkaSettings(bootstrap=f"127.0.0.1:{listener.getsockname()[1]}")
    with pytest.raises(
        BrokerError, match=r"closed the connection: does it ask for TLS\? kafka\.security_protocol is PL"
    ):
        check_connection(kafka)
    other.join()
