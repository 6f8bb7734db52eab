"""A registry behind TLS and logins: who gets in, the sentence for each who does not, and no secret in any of it."""

from __future__ import annotations

import base64
import logging
import ssl
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from lis_online.doctor.registry import check_registry
from lis_online.errors import RegistryError
from lis_online.mapping.codec import Codec
from lis_online.mapping.registry import Registry
from lis_online.settings import Settings
from lis_online.settings.registry import RegistrySettings
from lis_online.tls import server_context
from tests.fixtures.certificates import Certificates
from tests.mapping.encodings import DEED, MAPPING, avro, registered
from tests.mapping.registry_server import RegistryServer

SECRET = "recognisable-secret"
MESSAGE = {"shelf": "s1", "reader": 7, "isbn": 5, "did": "open", "at": 5_000_000, "paid": None}


@pytest.fixture
def serving(certificates: Certificates) -> Iterator[Callable[..., RegistryServer]]:
    """Return what starts registries with a deed's schema, behind a certificate."""
    started: list[RegistryServer] = []

    def serve(certificate: str = "server", asks: bool = False) -> RegistryServer:
        files = (str(getattr(certificates, f"{certificate}{end}")) for end in ("", "_key"))
        context = server_context("http", *files)
        if asks:
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(certificates.ca)
        server = RegistryServer(context)
        server.schemas = {1: registered(DEED)}
        started.append(server.__enter__())
        return server

    yield serve
    for server in started:
        server.__exit__(None, None, None)


def registry_of(url: str, certificates: Certificates, **keys: Any) -> RegistrySettings:
    """Return settings of a registry, files by the names of their certificates."""
    files = {key: str(getattr(certificates, keys.pop(key))) for key in list(keys) if key.endswith("_file")}
    return Settings.of({"mapping": {"registry": {"url": url, **files, **keys}}}).mapping.registry


def refusal(settings: RegistrySettings) -> str:
    """Return why there is no answer, as doctor says."""
    with pytest.raises(RegistryError) as caught:
        Registry(settings).schema(1)
    assert caught.value.transient
    (finding,) = check_registry(settings)
    assert finding.state == "wrong"
    assert "\n" not in finding.said
    return finding.said.removeprefix(f"schema registry {settings.url} must answer: ")


def test_message_is_read_by_a_registry_with_a_certificate_and_a_password(
    serving: Callable[..., RegistryServer], certificates: Certificates
) -> None:
    """A private authority, a certificate of ours, and a login, all at once."""
    server = serving(asks=True)
    server.authorization = f"Basic {base64.b64encode(f'lis:{SECRET}'.encode()).decode()}"
    table = {
        "url": server.url, "username": "lis", "password": SECRET, "ca_file": str(certificates.ca),
        "certificate_file": str(certificates.client), "key_file": str(certificates.client_key),
    }  # fmt: skip
    codec = Codec(Settings.of({"mapping": {"feedback": MAPPING["feedback"], "registry": table}}).mapping)
    (deed,) = codec.events("feedback", avro(1, DEED, MESSAGE))
    assert (deed.request_id, deed.ts) == ("s1", 5_000)


def test_each_who_does_not_get_in_is_told_why(
    serving: Callable[..., RegistryServer], certificates: Certificates
) -> None:
    """In one sentence, which names the setting. A refused certificate's alert may be lost: the request is under way."""
    server, asks = serving(), serving(asks=True)

    def why(url: str, **keys: Any) -> str:
        return refusal(registry_of(url, certificates, **keys))

    assert why(server.url, ca_file="other_ca") == (
        f"TLS: unable to get local issuer certificate (mapping.registry.ca_file {certificates.other_ca})"
    )
    assert why(server.url).endswith("(mapping.registry.ca_file is not set)")
    by_number = server.url.replace("localhost", "127.0.0.1")
    assert "IP address mismatch" in why(by_number, ca_file="ca")
    assert why(serving("expired").url, ca_file="ca").startswith("TLS: certificate has expired")
    closed = "TLS: it closed the connection, as over a client's certificate (mapping.registry.certificate_file "
    assert why(asks.url, ca_file="ca") in {
        "TLS: it asks for a certificate, and mapping.registry.certificate_file is not set (certificate required)",
        f"{closed}is not set)",
    }
    stranger = {"certificate_file": "stranger", "key_file": "stranger_key"}
    assert why(asks.url, ca_file="ca", **stranger) in {
        "TLS: it refuses the certificate of mapping.registry.certificate_file (unknown ca)",
        f"{closed}{certificates.stranger})",
    }
    assert server.asked == asks.asked == []


@pytest.mark.parametrize("given", [{"username": "lis", "password": SECRET}, {"token": SECRET}])
def test_no_secret_is_told(
    serving: Callable[..., RegistryServer],
    certificates: Certificates,
    caplog: pytest.LogCaptureFixture,
    given: dict[str, str],
) -> None:
    """Not by what is printed of objects, not by errors and their causes, not by logs, whatever went wrong."""
    caplog.set_level(logging.DEBUG)
    server = serving()
    server.status = 401
    basic = base64.b64encode(f"lis:{SECRET}".encode()).decode()
    for settings in (
        registry_of(server.url, certificates, ca_file="ca", **given),
        registry_of(server.url, certificates, ca_file="other_ca", **given),
        registry_of("http://127.0.0.1:1", certificates, **given),
    ):
        registry = Registry(settings)
        with pytest.raises(RegistryError) as caught:
            registry.schema(1)
        told: list[Any] = [registry, settings, settings.model_dump_json(), *check_registry(settings)]
        cause: BaseException | None = caught.value
        while cause is not None:
            told += [cause, str(cause)]
            cause = cause.__cause__
        texts = [repr(one) for one in told] + [record.getMessage() for record in caplog.records]
        assert [text for text in texts if SECRET in text or basic in text] == []


def test_credentials_follow_nobody_elsewhere(certificates: Certificates) -> None:
    """A registry that sends on to another address gets an error, and the other nothing."""
    with RegistryServer() as other, RegistryServer() as server:
        server.elsewhere = f"{other.url}/schemas/types"
        settings = registry_of(server.url, certificates, token=SECRET)
        assert "got 307" in refusal(settings)
        assert (len(server.asked), other.asked) == (2, [])
