"""Who may ask over HTTP: the rule of the address, and the token."""

from __future__ import annotations

import base64
import logging
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lis_online.access import Gate, address, check_access, listening_tls
from lis_online.errors import SettingsError
from lis_online.settings.model import HttpSettings
from tests.fixtures.certificates import Certificates

TOKEN = "0123456789abcdef-token"
FILES = {"certificate_file": "lis.pem", "key_file": "lis.key"}
BEYOND = ("0.0.0.0", "::", "", "10.0.0.5", "example.org", "::ffff:0.0.0.0")


@pytest.mark.parametrize("host", ["127.0.0.1", "127.3.2.1", "::1", "localhost"])
def test_this_machine_needs_neither_token_nor_certificate(host: str, caplog: pytest.LogCaptureFixture) -> None:
    """The default must work, and quietly."""
    with caplog.at_level(logging.WARNING):
        check_access(HttpSettings(host=host))
    assert caplog.text == ""


@pytest.mark.parametrize("host", BEYOND)
@pytest.mark.parametrize(
    ("given_", "missing"),
    [
        ({}, "http.token and http.certificate_file and key_file"),
        ({"token": TOKEN}, "http.certificate_file and key_file"),  # it would cross the network in clear
        (FILES, "http.token"),
    ],
)
def test_address_beyond_it_is_refused_with_what_is_missing(host: str, given_: dict[str, str], missing: str) -> None:
    """Half of it protects nobody."""
    with pytest.raises(SettingsError, match=rf"http\.host: .*, got '{host}' without {missing}: set them, or http.inse"):
        check_access(HttpSettings(host=host, **given_))  # type: ignore[arg-type]


def test_with_both_or_where_it_is_meant_it_is_let(caplog: pytest.LogCaptureFixture) -> None:
    """What is meant to be open is said loudly, with what it lacks."""
    with caplog.at_level(logging.WARNING):
        check_access(HttpSettings(host="0.0.0.0", token=TOKEN, **FILES))  # type: ignore[arg-type]
        assert caplog.text == ""
        check_access(HttpSettings(host="0.0.0.0", token=TOKEN, insecure=True))  # type: ignore[arg-type]
        assert "answers others than this machine in plain text (http.insecure)" in caplog.text
        check_access(HttpSettings(host="0.0.0.0", insecure=True))
        assert "answers others than this machine without a token and in plain text" in caplog.text
    assert TOKEN not in caplog.text


def test_token_that_can_be_guessed_is_refused() -> None:
    """A word is tried in seconds; the rule and the length, not the word."""
    with pytest.raises(ValueError, match="must have at least 16 bytes, got 6") as refused:
        HttpSettings(token="secret")  # type: ignore[arg-type]
    assert "secret" not in str(refused.value)
    for token in ("with a space in it", "zwölf Bömben werfen", "line\nline-line-line"):
        with pytest.raises(ValueError, match="must be ASCII without spaces"):
            HttpSettings(token=token)  # type: ignore[arg-type]


def test_gate_takes_the_token_in_both_forms() -> None:
    """Programs send Bearer; a browser that asked for a password sends Basic, with whatever user."""
    gate = Gate(HttpSettings(token=TOKEN))  # type: ignore[arg-type]
    basic = [base64.b64encode(f"{user}:{TOKEN}".encode()).decode() for user in ("", "me")]
    for allowed in (f"Bearer {TOKEN}", f"bearer  {TOKEN} ", f"Basic {basic[0]}", f"BASIC {basic[1]}"):
        assert gate.lets("/metrics", allowed)
    assert Gate(HttpSettings()).lets("/metrics", "")


@given(
    header=st.one_of(
        st.text(),
        st.sampled_from(["", "Bearer", "Bearer ", "Basic", "Basic ", "Basic !", f"Token {TOKEN}", TOKEN]),
        st.text().map(lambda text: f"Bearer {text}"),
        st.binary().map(lambda raw: "Basic " + base64.b64encode(raw).decode()),
        st.binary().map(lambda raw: "Basic " + raw.decode("latin-1")),
        st.integers(0, len(TOKEN) - 1).map(lambda end: f"Bearer {TOKEN[:end]}"),
    ),
    path=st.sampled_from(["/", "/metrics", "/healthz/", "//healthz", "/HEALTHZ", "/readyz?", "/api/v1/live", ""]),
)
def test_gate_lets_nothing_else_pass(header: str, path: str) -> None:
    """Whatever comes, it answers, and no."""
    gate = Gate(HttpSettings(token=TOKEN))  # type: ignore[arg-type]
    assert not gate.lets(path, header)
    assert gate.lets("/healthz", header) and gate.lets("/readyz", header)


def test_address_says_how_it_is_reached(certificates: Certificates) -> None:
    """What the log names can be opened."""
    files = {"certificate_file": str(certificates.server), "key_file": str(certificates.server_key)}
    assert address(HttpSettings(host="::1", **files), 1) == "https://[::1]:1"  # type: ignore[arg-type]
    assert listening_tls(HttpSettings()) is None


@pytest.mark.parametrize("which", ["certificate_file", "key_file"])
def test_certificate_that_cannot_be_read_is_one_sentence(
    certificates: Certificates, which: str, tmp_path: Path
) -> None:
    """Before the port is taken."""
    files = {"certificate_file": str(certificates.server), "key_file": str(certificates.server_key)}
    with pytest.raises(SettingsError, match=rf"http\.{which}: must be a file that can be read: No such file"):
        listening_tls(HttpSettings(**{**files, which: str(tmp_path / "none")}))  # type: ignore[arg-type]
    with pytest.raises(SettingsError, match="must be PEM files of a certificate and its key"):
        listening_tls(HttpSettings(**{**files, which: __file__}))  # type: ignore[arg-type]


def test_key_with_a_passphrase_is_refused_and_not_asked_for(certificates: Certificates, tmp_path: Path) -> None:
    """A worker has no terminal; OpenSSL would wait at one."""
    from cryptography.hazmat.primitives.serialization import (
        BestAvailableEncryption,
        Encoding,
        PrivateFormat,
        load_pem_private_key,
    )

    key = load_pem_private_key(certificates.server_key.read_bytes(), None)
    locked = tmp_path / "locked.pem"
    locked.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"recognisable")))
    with pytest.raises(SettingsError, match="must be a key without a passphrase"):
        listening_tls(HttpSettings(certificate_file=str(certificates.server), key_file=str(locked)))
