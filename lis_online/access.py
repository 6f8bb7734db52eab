"""Who may ask over HTTP: the rule of the address, and the token that a request carries."""

from __future__ import annotations

import base64
import binascii
import hmac
import logging
import ssl
from ipaddress import ip_address
from typing import Final

from lis_online.errors import SettingsError
from lis_online.settings.model import HttpSettings
from lis_online.tls import server_context

logger = logging.getLogger(__name__)

OPEN: Final = ("/healthz", "/readyz")
"""Paths that a supervisor asks without a token."""

CHALLENGES: Final = ('Bearer realm="lis-online"', 'Basic realm="lis-online", charset="UTF-8"')
"""What a 401 says in `WWW-Authenticate`, a header each, as Chromium wants them: programs send the token as Bearer, a
browser asks a person for a password."""

REFUSAL: Final = "this address asks for http.token, as Authorization: Bearer TOKEN or as the password of any user"

EXPOSED: Final = (
    "%s answers others than this machine %s (http.insecure): whoever reaches it reads every number of every experiment"
)


def check_access(http: HttpSettings) -> None:
    """Refuse an address beyond this machine without token and certificate, unless `http.insecure` is set.

    Raises SettingsError naming what is missing.
    """
    if is_loopback(http.host):
        return
    parts = {"http.token": http.token, "http.certificate_file and key_file": http.certificate_file}
    missing = [name for name, value in parts.items() if value is None]
    if not missing:
        return
    if not http.insecure:
        rule = (
            f"must be an address of this machine alone, such as 127.0.0.1, got {http.host!r} without "
            f"{' and '.join(missing)}: set them, or http.insecure where a proxy in front has them"
        )
        raise SettingsError([("http.host", rule)])
    lacks = {"http.token": "without a token", "http.certificate_file and key_file": "in plain text"}
    logger.warning(EXPOSED, http.host, " and ".join(lacks[name] for name in missing))


def is_loopback(host: str) -> bool:
    """Return whether an address is reached from this machine alone.

    >>> [is_loopback(host) for host in ("127.0.0.1", "::1", "localhost", "0.0.0.0", "10.0.0.5", "example.org", "")]
    [True, True, True, False, False, False, False]
    """
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def listening_tls(http: HttpSettings) -> ssl.SSLContext | None:
    """Return the TLS context to listen with, None for plain text. Raises SettingsError on files that cannot be used."""
    if http.certificate_file is None or http.key_file is None:
        return None
    return server_context("http", http.certificate_file, http.key_file)


def address(http: HttpSettings, port: int) -> str:
    """Return the address for a browser.

    >>> address(HttpSettings(host="::1"), 9464)
    'http://[::1]:9464'
    """
    host = f"[{http.host}]" if ":" in http.host else http.host
    return f"{'http' if http.certificate_file is None else 'https'}://{host}:{port}"


class Gate:
    """Lets requests pass that carry the token; all of them where there is none.

    >>> gate = Gate(HttpSettings(token="0123456789abcdef"))
    >>> gate.lets("/metrics", "Bearer 0123456789abcdef"), gate.lets("/metrics", ""), gate.lets("/healthz", "")
    (True, False, True)
    """

    def __init__(self, http: HttpSettings) -> None:
        self._token = None if http.token is None else http.token.get_secret_value().encode()

    def lets(self, path: str, authorization: str) -> bool:
        """Return whether a request may be answered. The time that it takes does not tell how much was right."""
        if self._token is None or path in OPEN:
            return True
        return hmac.compare_digest(_token_of(authorization), self._token)


def _token_of(authorization: str) -> bytes:
    """Return the token of the header, empty where it has none. What a browser asks for is a user and a password."""
    scheme, _, value = authorization.partition(" ")
    if scheme.lower() == "bearer":
        return value.strip().encode(errors="replace")
    if scheme.lower() == "basic":
        try:
            return base64.b64decode(value.strip(), validate=True).partition(b":")[2]
        except (binascii.Error, ValueError):
            return b""
    return b""
