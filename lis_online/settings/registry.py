"""Settings of the schema registry that messages in Avro or Protobuf are read with."""

from __future__ import annotations

from urllib.parse import urlsplit

from pydantic import SecretStr, field_validator, model_validator

from lis_online.settings.model import Section


class RegistrySettings(Section):
    """Where the schema registry is, and how to ask it."""

    url: str | None = None
    username: str | None = None
    password: SecretStr | None = None
    token: SecretStr | None = None
    ca_file: str | None = None
    certificate_file: str | None = None
    key_file: str | None = None

    @field_validator("url")
    @classmethod
    def _is_an_address(cls, url: str | None) -> str | None:
        if url is None:
            return None
        parts = urlsplit(url)
        if "@" in parts.netloc:
            raise ValueError("must have no user in it: username and password have their own settings, got one")
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
            raise ValueError(f"must be an address such as https://registry:8081, got {url!r}")
        return url

    @field_validator("token")
    @classmethod
    def _can_be_sent(cls, token: SecretStr | None) -> SecretStr | None:
        if token is not None and not all("!" <= c <= "~" for c in token.get_secret_value()):
            raise ValueError("must be ASCII without spaces, as a header carries it")
        return token

    @model_validator(mode="after")
    def _whole(self) -> RegistrySettings:
        if (self.username is None) != (self.password is None):
            found = "a password" if self.username is None else "a username"
            raise ValueError(f"username and password must be given together, got {found} alone")
        if bool(self.certificate_file) != bool(self.key_file):
            raise ValueError("certificate_file and key_file must be given together")
        if (self.ca_file or self.certificate_file) and not (self.url or "").startswith("https:"):
            raise ValueError(f"ca_file and certificate_file need a url of https, got {self.url}")
        return self
