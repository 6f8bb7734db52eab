"""Kafka with TLS and logins: workers that get in, and the sentence for each who does not."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from lis_online.errors import BrokerError, SettingsError
from lis_online.replay.connection import admin_client, check_connection
from lis_online.settings import Settings
from lis_online.settings.model import KafkaSettings
from lis_online.simulate.toml import to_toml
from streams.lag import ends
from streams.topics import create_topics
from tests.fixtures.certificates import Certificates
from tests.fixtures.kafka import ROOT, table_of
from tests.fixtures.secure_kafka import PASSWORD, SecureBroker, certified, login
from tests.streams.processes import Inputs, ToyWorkers, outcome, wait_until

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(180)]

Way = Callable[..., dict[str, Any]]
"""Returns the keys of the table kafka for a way in."""


@pytest.fixture
def workers(tmp_path: Path) -> Iterator[Callable[[dict[str, Any]], ToyWorkers]]:
    """Return what makes worker processes, which are gone after the test."""
    made: list[ToyWorkers] = []

    def make(table: dict[str, Any]) -> ToyWorkers:
        made.append(ToyWorkers(table, tmp_path))
        return made[-1]

    yield make
    for each in made:
        each.kill_all()


def test_workers_with_a_certificate_do_their_work(
    secure_broker: SecureBroker, certificates: Certificates, tmp_path: Path, workers: Any
) -> None:
    """Every client of ours gets in: topics, producer, consumers, lag; and what comes out is what came in.

    One with a password is in test_secure_worker.py.
    """
    kafka = {"session_timeout": "3s", "idle_after": "10m", **certified(secure_broker, certificates)}
    table = table_of(secure_broker, tmp_path, checkpoints={"every": "300ms"}, kafka=kafka)
    settings = Settings.of(table)
    assert len(create_topics(settings)) == 7
    inputs = Inputs(settings)
    running = workers(table)
    try:
        for role in ("join", "rank", "publish"):
            running.start(role)
        inputs.send(20)
        *_, rows = outcome(inputs.records, settings.kafka.partitions)
        wait_until(lambda: running.rows() == rows, 60, running.log)
        found = ends(settings.kafka, [(settings.kafka.impressions, 0)])
        assert found[settings.kafka.impressions, 0] == (0, 20)
        with admin_client(settings.kafka) as admin:
            assert settings.kafka.impressions in admin.list_topics()
    finally:
        inputs.close()


PLAIN = {"security_protocol": "PLAINTEXT", "sasl_mechanism": None, "username": None, "password": None}

REFUSED: dict[str, tuple[Way, Callable[[SecureBroker, Certificates], dict[str, Any]], str]] = {
    "wrong password": (
        login,
        lambda broker, files: {"password": PASSWORD + "x"},
        r"the broker refuses the password of 'lis' with SCRAM-SHA-512$",
    ),
    "unknown user": (login, lambda broker, files: {"username": "ghost"}, r"refuses the password of 'ghost'"),
    "mechanism that it does not take": (
        login,
        lambda broker, files: {"sasl_mechanism": "PLAIN"},
        r"the broker takes kafka\.sasl_mechanism SCRAM-SHA-512, got PLAIN$",
    ),
    "unknown authority": (
        login,
        lambda broker, files: {"ca_file": str(files.other_ca)},
        r"TLS: (self-signed certificate|unable to get local issuer certificate).* \(kafka\.ca_file .*other_ca\.pem\)$",
    ),
    "authorities of the system": (login, lambda broker, files: {"ca_file": None}, r"\(kafka\.ca_file is not set\)$"),
    "another host name": (
        login,
        lambda broker, files: {"bootstrap": f"127.0.0.1:{broker.ports['SASL_SSL']}"},
        r"TLS: IP address mismatch, certificate is not valid for '127\.0\.0\.1' \(",
    ),
    "expired certificate": (
        certified,
        lambda broker, files: {"bootstrap": broker.address("EXPIRED")},
        r"TLS: certificate has expired \(",
    ),
    "plain text to a port with TLS": (
        login,
        lambda broker, files: PLAIN,
        r"(it speaks TLS, and|closed the connection: does it ask for TLS\?) kafka\.security_protocol is PLAINTEXT$",
    ),
    "TLS to a port without": (
        certified,
        lambda broker, files: {"bootstrap": broker.bootstrap},
        r"closed the connection: does it speak TLS\? kafka\.security_protocol is SSL$",
    ),
    "no login where one is asked for": (
        login,
        lambda broker, files: {**PLAIN, "security_protocol": "SSL"},
        r"the broker asks for a login, and kafka\.security_protocol is SSL$",
    ),
    "a login where none is taken": (
        login,
        lambda broker, files: {"bootstrap": broker.bootstrap, "security_protocol": "SASL_PLAINTEXT"},
        r"the broker has no logins here, and kafka\.security_protocol is SASL_PLAINTEXT$",
    ),
    "no certificate where one is asked for": (
        certified,
        lambda broker, files: {"certificate_file": None, "key_file": None},
        r"TLS: the broker asks for a certificate, and kafka\.certificate_file is not set",
    ),
    "certificate of a stranger": (
        certified,
        lambda broker, files: {"certificate_file": str(files.stranger), "key_file": str(files.stranger_key)},
        r"TLS: the broker refuses the certificate of kafka\.certificate_file \(.*\), got .*stranger\.pem$",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_who_is_refused_learns_which_of_address_tls_and_login_it_is(
    secure_broker: SecureBroker, certificates: Certificates, case: str
) -> None:
    """One sentence, at once, without the password."""
    way, changes, said = REFUSED[case]
    kafka = KafkaSettings(**way(secure_broker, certificates, **changes(secure_broker, certificates)))
    with pytest.raises(BrokerError, match=said) as refused:
        check_connection(kafka)
    assert PASSWORD not in str(refused.value)


def test_wrong_password_ends_a_worker_in_one_line_and_2(
    secure_broker: SecureBroker, certificates: Certificates, tmp_path: Path
) -> None:
    """As a person sees it: no traceback, no half minute of tries, no password."""
    table = table_of(secure_broker, tmp_path, kafka=login(secure_broker, certificates, password="wrong-" + PASSWORD))
    file = tmp_path / "lis-online.toml"
    file.write_text(to_toml({**table, "history": {"url": ""}}))
    program = [sys.executable, "-m", "lis_online", "worker", "join", "-c", str(file)]
    done = subprocess.run(program, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 2, done.stderr
    assert done.stderr.splitlines()[-1].startswith("lis-online: kafka.bootstrap must name a broker that answers, got ")
    assert "Traceback" not in done.stderr
    assert PASSWORD not in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (
            {"ca_file": "/nowhere/ca.pem"},
            r"kafka\.ca_file: must be a file that can be read: No such file .*got /nowhere",
        ),
        ({"ca_file": __file__}, r"kafka\.ca_file: must be a PEM file of certificates, got "),
        (
            {"certificate_file": __file__},
            r"certificate_file and key_file: must be PEM files of a certificate and its key",
        ),
        ({"key_file": "/nowhere/key.pem"}, r"kafka\.key_file: must be a file that can be read"),
    ],
)
def test_file_that_cannot_be_used_is_named(
    secure_broker: SecureBroker, certificates: Certificates, changes: dict[str, str], said: str
) -> None:
    """Before anything is connected."""
    with pytest.raises(SettingsError, match=said):
        check_connection(KafkaSettings(**certified(secure_broker, certificates, **changes)))
