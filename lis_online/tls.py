"""TLS contexts from PEM files: TLS 1.2 or later, names and certificates checked."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import NoReturn

from lis_online.errors import SettingsError


def client_context(
    section: str, ca_file: str | None, certificate_file: str | None, key_file: str | None
) -> ssl.SSLContext:
    """Return the context of a client, which checks the server's certificate and name.

    section: the settings' table, for messages. ca_file: the authorities, those of the system where there is none.
    Raises SettingsError naming the file that cannot be used.
    """
    if ca_file is not None:
        _check_readable(f"{section}.ca_file", ca_file)
    try:
        context = ssl.create_default_context(cafile=ca_file)
    except ssl.SSLError as exc:
        raise SettingsError([(f"{section}.ca_file", f"must be a PEM file of certificates, got {ca_file}")]) from exc
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if certificate_file is not None and key_file is not None:
        _load_certificate(context, section, certificate_file, key_file)
    return context


def server_context(section: str, certificate_file: str, key_file: str) -> ssl.SSLContext:
    """Return the context of a server. The files are read now: a renewed certificate needs a restart.

    Raises SettingsError naming the file that cannot be used.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.options |= ssl.OP_NO_RENEGOTIATION
    _load_certificate(context, section, certificate_file, key_file)
    return context


def _load_certificate(context: ssl.SSLContext, section: str, certificate_file: str, key_file: str) -> None:
    for name, file in ((f"{section}.certificate_file", certificate_file), (f"{section}.key_file", key_file)):
        _check_readable(name, file)

    def refuse() -> NoReturn:  # OpenSSL would ask on the terminal
        raise SettingsError([(f"{section}.key_file", f"must be a key without a passphrase, got {key_file}")])

    try:
        context.load_cert_chain(certificate_file, key_file, refuse)
    except ssl.SSLError as exc:
        rule = f"must be PEM files of a certificate and its key, got {certificate_file} and {key_file}"
        raise SettingsError([(f"{section}.certificate_file and key_file", rule)]) from exc


def _check_readable(name: str, file: str) -> None:
    try:
        with Path(file).open("rb"):
            return
    except OSError as exc:
        raise SettingsError([(name, f"must be a file that can be read: {exc.strerror}, got {file}")]) from exc
