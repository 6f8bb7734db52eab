"""Ports on loopback for what a demo starts."""

from __future__ import annotations

import random
import socket
from contextlib import suppress
from typing import Final

PORTS: Final = range(15_000, 32_000)
"""Below those that Linux gives to connections: none takes one that a worker is to come back to."""


def free_port() -> int:
    """Return a loopback port that is free now, and that nobody is given unasked."""
    while True:
        port = random.choice(PORTS)
        with socket.socket() as probe, suppress(OSError):
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))
            return port
