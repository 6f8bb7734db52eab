"""The head of a request, read within a time and up to a size: who sends it slowly holds a place for so long only."""

from __future__ import annotations

import socket
import time
from http.client import LineTooLong
from typing import Final

WITHIN: Final = 10.0
"""Seconds from the connection to the end of the head."""
LARGEST: Final = 16_384
"""Bytes of a head: a browser's have a tenth of that."""
PIECE: Final = 4_096


class HeadReader:
    """What http.server reads a request's first line and headers from, in place of a file.

    A timeout of the socket alone starts anew with each byte. Raises TimeoutError when the time is up, LineTooLong when
    the head is too large.
    """

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._deadline = time.monotonic() + WITHIN
        self._left = LARGEST
        self._buffer = b""

    def readline(self, limit: int = -1) -> bytes:
        """Return the next line with its end; what there is where the other side has stopped sending."""
        while b"\n" not in self._buffer and self._fill():
            pass
        end = self._buffer.find(b"\n") + 1 or len(self._buffer)
        line, self._buffer = self._buffer[:end], self._buffer[end:]
        return line

    def _fill(self) -> bool:
        if self._left <= 0:
            raise LineTooLong("request head")
        self._connection.settimeout(max(0.001, self._deadline - time.monotonic()))
        piece = self._connection.recv(min(PIECE, self._left))
        self._left -= len(piece)
        self._buffer += piece
        return bool(piece)

    def close(self) -> None:
        """Close nothing: the connection is the server's."""

    @property
    def closed(self) -> bool:
        """Never: see `close`."""
        return False
