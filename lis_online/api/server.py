"""The process that answers: uvicorn on one address, until it is told to end."""

from __future__ import annotations

import logging
import os
import signal
import socket
import threading
import time
from typing import Final

import uvicorn

from lis_online.access import address, check_access, listening_tls
from lis_online.api.app import build_app
from lis_online.api.limits import CONNECTIONS
from lis_online.api.patience import ImpatientProtocol
from lis_online.errors import UsageError
from lis_online.history.engine import opened
from lis_online.settings import Settings

logger = logging.getLogger(__name__)

MOST_OPEN: Final = 64
"""Connections at once: more are answered 503."""
KEEP_ALIVE: Final = 5  # s
GRACE: Final = 10  # s for answers that are under way when the process is told to end
LARGEST_HEAD: Final = 16_384  # bytes of a request


def serve(settings: Settings, host: str | None, port: int) -> None:
    """Answer until SIGTERM or Ctrl-C. host: `http.host` where there is none.

    Raises UsageError on an address that cannot be had, SettingsError on one that must not be.
    """
    http = settings.http if host is None else settings.http.model_copy(update={"host": host})
    check_access(http)
    tls = listening_tls(http)
    with opened(settings, CONNECTIONS) as engine, _bound(http.host, port) as listener:
        app = build_app(settings, engine, lambda: time.time_ns() // 1_000_000)
        config = uvicorn.Config(
            app,
            log_level="warning",
            server_header=False,
            limit_concurrency=MOST_OPEN,
            timeout_keep_alive=KEEP_ALIVE,
            timeout_graceful_shutdown=GRACE,
            h11_max_incomplete_event_size=LARGEST_HEAD,
            ws="none",
            http=ImpatientProtocol,
            ssl_context_factory=None if tls is None else lambda config, default: tls,
        )
        logger.info("answering at %s", address(http, listener.getsockname()[1]))
        _Server(config).run(sockets=[listener])


class _Server(uvicorn.Server):
    """uvicorn that ends like a command: Ctrl-C and SIGTERM are how it is told to, and no error."""

    def run(self, sockets: list[socket.socket] | None = None) -> None:
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, signal.default_int_handler)
        try:
            super().run(sockets)
        except KeyboardInterrupt:  # raised again by uvicorn once everything is closed
            return


def _bound(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=MOST_OPEN)
    except (OSError, UnicodeError) as exc:  # UnicodeError: a host that is no name
        number = getattr(exc, "errno", None)
        said = os.strerror(number) if number else str(exc)
        raise UsageError(f"--host and --port must be a free address: {said}, got {host}:{port}") from exc
