from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from lis_online.errors import BrokerError
from lis_online.replay.connection import admin_client, check_connection, client_arguments, split_address
from lis_online.settings.model import KafkaSettings


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    """A port that accepts connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server


def test_arguments_carry_tls_and_sasl() -> None:
    """Every client of these settings connects in the same way."""
    kafka = KafkaSettings.model_validate(
        {
            "bootstrap": "a:1, b:2",
            "security_protocol": "SASL_SSL",
            "sasl_mechanism": "SCRAM-SHA-512",
            "username": "lis",
            "password": "secret",
            "ca_file": "ca.pem",
        }
    )
    assert client_arguments(kafka) == {
        "bootstrap_servers": ["a:1", "b:2"],
        "security_protocol": "SASL_SSL",
        "ssl_cafile": "ca.pem",
        "sasl_mechanism": "SCRAM-SHA-512",
        "sasl_plain_username": "lis",
        "sasl_plain_password": "secret",
    }


def test_second_address_may_answer(listener: socket.socket) -> None:
    """A list of brokers is there so that one may be down."""
    check_connection(KafkaSettings(bootstrap=f"127.0.0.1:1, 127.0.0.1:{listener.getsockname()[1]}"))


def test_each_dead_address_is_named() -> None:
    """All of them, each with what happened there."""
    with pytest.raises(BrokerError, match=r"got 127\.0\.0\.1:1: .*; no\.such\.host\.invalid:9092: "):
        check_connection(KafkaSettings(bootstrap="127.0.0.1:1,no.such.host.invalid"))


@pytest.mark.timeout(30)
def test_port_that_is_not_kafka_is_said(listener: socket.socket) -> None:
    """A port that accepts and stays silent ends in a sentence too, not in a hanging command."""
    kafka = KafkaSettings(bootstrap=f"127.0.0.1:{listener.getsockname()[1]}")
    with pytest.raises(BrokerError, match=r"Kafka at 127\.0\.0\.1:\d+ must answer, got "), admin_client(kafka):
        pytest.fail("it did not answer")


def test_half_an_address_is_refused() -> None:
    """The rule and the value, before anything is connected."""
    with pytest.raises(BrokerError, match="must be host:port, got 'kafka:'"):
        split_address("kafka:")
