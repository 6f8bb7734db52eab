"""Secrets from files, and that no sentence repeats one."""

from __future__ import annotations

from operator import attrgetter
from pathlib import Path

import pytest
from pydantic import SecretStr

from lis_online.errors import SettingsError
from lis_online.settings import Settings, load
from lis_online.settings.problems import SECRET
from lis_online.settings.secrets import LARGEST, secret_keys

VALUES = {
    "kafka.password": "recognisable-kafka-password",
    "history.url": "postgresql+psycopg://lis:recognisable-history-password@db/lis",
    "http.token": "recognisable-http-token",
    "privacy.user_key": "recognisable-user-key",
    "mapping.registry.password": "recognisable-registry-password",
    "mapping.registry.token": "recognisable-registry-token",
}
TOGETHER = [name for name in VALUES if name != "mapping.registry.token"]
"""The secrets that one settings file may have: a registry is asked with a password or with a token."""


def variable(name: str) -> str:
    """Return a setting's environment variable."""
    return "LIS_" + name.upper().replace(".", "__")


def value(settings: Settings, name: str) -> str:
    """Return a secret."""
    found = attrgetter(name)(settings)
    assert isinstance(found, SecretStr)
    return found.get_secret_value()


@pytest.fixture
def sasl(monkeypatch: pytest.MonkeyPatch) -> None:
    """Set what a password of Kafka, and of a registry, needs beside it."""
    monkeypatch.setenv("LIS_MAPPING__REGISTRY__USERNAME", "lis")
    for key, one in {
        "SECURITY_PROTOCOL": "SASL_SSL",
        "SASL_MECHANISM": "SCRAM-SHA-512",
        "USERNAME": "lis",
    }.items():
        monkeypatch.setenv(f"LIS_KAFKA__{key}", one)


def test_list_of_secrets_is_whole() -> None:
    """Whatever is a secret by its type is one for messages and for files too."""
    assert sorted(secret_keys(Settings)) == sorted(SECRET) == sorted(VALUES)


@pytest.mark.usefixtures("sasl")
@pytest.mark.parametrize("end", ["", "\n", "\r\n"])
def test_every_secret_may_be_in_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, end: str) -> None:
    """An editor's last newline is not part of it; a settings file's own value is overridden."""
    config = tmp_path / "lis-online.toml"
    config.write_text('[history]\nurl = "postgresql+psycopg://lis@elsewhere/lis"\n')
    given = {name: VALUES[name] for name in TOGETHER}
    for name, secret in given.items():
        (tmp_path / name).write_text(secret + end, newline="")
        monkeypatch.setenv(variable(name) + "_FILE", str(tmp_path / name))
    settings = load(config)
    assert {name: value(settings, name) for name in given} == given
    assert not any(secret in settings.model_dump_json() + repr(settings) + str(settings) for secret in given.values())


def test_file_settings_that_are_no_secret_keep_their_meaning(monkeypatch: pytest.MonkeyPatch) -> None:
    """http.key_file is a path, not the file of a secret http.key."""
    monkeypatch.setenv("LIS_HTTP__KEY_FILE", "lis.key")
    monkeypatch.setenv("LIS_HTTP__CERTIFICATE_FILE", "lis.pem")
    assert load(None).http.key_file == "lis.key"
    monkeypatch.setenv("LIS_KAFKA__USERNAME_FILE", "x")
    with pytest.raises(SettingsError, match=r"kafka\.username_file: is not a setting"):
        load(None)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "must be a file that can be read: No such file or directory"),
        (b"", "must be a file with a secret in it, which is empty"),
        (b"\n", "must be a file with a secret in it, which is empty"),
        (b"\xffrecognisable", "must be a file of UTF-8"),
        (b"x" * (LARGEST + 1), f"must be a file of at most {LARGEST} bytes"),
    ],
)
def test_file_that_cannot_be_used_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes | None, said: str
) -> None:
    """The variable, the rule, the path; never what is in it."""
    file = tmp_path / "token"
    if content is not None:
        file.write_bytes(content)
    monkeypatch.setenv("LIS_HTTP__TOKEN_FILE", str(file))
    with pytest.raises(SettingsError) as refused:
        load(None)
    assert str(refused.value) == f"environment: LIS_HTTP__TOKEN_FILE: {said}, got {file}"


def test_a_secret_given_twice_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Which one holds would be a guess."""
    monkeypatch.setenv("LIS_HTTP__TOKEN", VALUES["http.token"])
    monkeypatch.setenv("LIS_HTTP__TOKEN_FILE", str(tmp_path / "none"))
    with pytest.raises(
        SettingsError, match=r"^environment: LIS_HTTP__TOKEN_FILE: must not be set where LIS_HTTP__TOKEN"
    ):
        load(None)


@pytest.mark.parametrize("name", VALUES)
def test_wrong_secret_is_not_repeated(name: str) -> None:
    """Whatever is wrong with it: its kind, its length, its letters."""
    *tables, key = name.split(".")
    for wrong in (["recognisable-list"], {"recognisable": "table"}, "recognis\nable", 7):
        table: dict[str, object] = {key: wrong}
        for outer in reversed(tables):
            table = {outer: table}
        try:
            settings = Settings.of(table)
        except SettingsError as refused:
            assert "recognis" not in str(refused)
        else:
            assert "recognis" not in repr(settings)
