"""Addresses of servers: "host:port", of IPv6 "[::1]:port"."""

from __future__ import annotations

from typing import Final

DEFAULT_PORT: Final = 9092
"""Of a Kafka broker whose address names none."""


def split_address(address: str) -> tuple[str, int]:
    """Return host and port of "host:port" or "host". Raises ValueError where it is neither.

    >>> split_address("kafka:9093"), split_address("[::1]:9093"), split_address("kafka")
    (('kafka', 9093), ('::1', 9093), ('kafka', 9092))
    """
    host, colon, port = address.rpartition(":")
    if not colon or port.endswith("]"):
        host, port = address, str(DEFAULT_PORT)
    if not host.strip("[]") or any(c.isspace() for c in host) or "/" in host:
        raise ValueError(f"must be host:port, got {address[:60]!r}")
    if not (port.isascii() and port.isdigit() and 0 < int(port[:6]) < 65_536):
        raise ValueError(f"must be host:port, got {address[:60]!r}")
    return host.strip("[]"), int(port)
