"""The process that answers: uvicorn on one address, until it is told to end."""

from __future__ import annotations

import logging
import os
import socket
import time
from ipaddress import ip_address
from typing import Final

import uvicorn

from lis_online.api.app import build_app
from lis_online.api.limits import CONNECTIONS
from lis_online.errors import UsageError
from lis_online.history.engine import opened
from lis_online.settings import Settings

logger = logging.getLogger(__name__)

PORT: Final = 9465
MOST_OPEN: Final = 64
"""Connections at once: more are answered 503."""
KEEP_ALIVE: Final = 5  # s
GRACE: Final = 10  # s for answers that are under way when the process is told to end
EXPOSED: Final = (
    "%s answers everybody who reaches it, without a password: whoever can ask reads every experiment's results"
)


def serve(settings: Settings, host: str, port: int, insecure_bind: bool = False) -> None:
    """Answer until SIGTERM or Ctrl-C. Raises UsageError on an address that cannot be had or must not be."""
    check_host(host, insecure_bind)
    with opened(settings, CONNECTIONS) as engine, _bound(host, port) as listener:
        app = build_app(settings, engine, lambda: time.time_ns() // 1_000_000)
        config = uvicorn.Config(
            app,
            log_level="warning",
            server_header=False,
            limit_concurrency=MOST_OPEN,
            timeout_keep_alive=KEEP_ALIVE,
            timeout_graceful_shutdown=GRACE,
            h11_max_incomplete_event_size=16_384,
            ws="none",
            http="h11",
        )
        logger.info("answering at %s", address(host, listener))
        _Server(config).run(sockets=[listener])


class _Server(uvicorn.Server):
    """uvicorn that ends like a command: Ctrl-C is how it is told to, and no error."""

    def run(self, sockets: list[socket.socket] | None = None) -> None:
        try:
            super().run(sockets)
        except KeyboardInterrupt:  # raised again by uvicorn once everything is closed
            return


def check_host(host: str, insecure_bind: bool) -> None:
    """Refuse an address beyond this machine unless it is asked for in so many words, and then say so in the log."""
    if is_loopback(host):
        return
    if not insecure_bind:
        raise UsageError(
            f"--host must be an address of this machine alone, such as 127.0.0.1, got {host!r}: there is no password "
            "yet; put a proxy with one in front, or give --insecure-bind"
        )
    logger.warning(EXPOSED, host)


def is_loopback(host: str) -> bool:
    """Return whether an address is reached from this machine alone.

    >>> [is_loopback(host) for host in ("127.0.0.1", "::1", "localhost", "0.0.0.0", "10.0.0.5", "example.org")]
    [True, True, True, False, False, False]
    """
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def address(host: str, listener: socket.socket) -> str:
    """Return the address for a browser, with the port that it really has."""
    shown = f"[{host}]" if ":" in host else host
    return f"http://{shown}:{listener.getsockname()[1]}"


def _bound(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=MOST_OPEN)
    except OSError as exc:
        said = os.strerror(exc.errno) if exc.errno else str(exc)
        raise UsageError(f"--host and --port must be a free address: {said}, got {host}:{port}") from exc
