"""How long uvicorn waits for a request and for its answer to be read: by itself for ever, and it has 64 places."""

from __future__ import annotations

import asyncio
from typing import Final

from uvicorn.protocols.http.h11_impl import H11Protocol

WITHIN: Final = 10.0
"""Seconds from the first byte of a request, or from the connection, to the end of its head."""
TAKEN_WITHIN: Final = 180.0
"""Seconds from there to the end of the answer, read to its end: a long range takes one of them."""


class ImpatientProtocol(H11Protocol):
    """uvicorn's protocol over h11, which hangs up on who does not come to an end of asking."""

    within = WITHIN
    taken_within = TAKEN_WITHIN
    _patience: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for the first request."""
        super().connection_made(transport)
        self._wait(self.within)

    def data_received(self, data: bytes) -> None:
        """Read on; the time for a request that is not whole yet runs from its first byte."""
        answering = self._is_answering()
        super().data_received(data)
        if self._is_answering() and not answering:
            self._wait(self.taken_within)
        elif self._patience is None:
            self._wait(self.within)

    def on_response_complete(self) -> None:
        """Leave the time up to the next request to uvicorn's keep-alive."""
        self._stop_waiting()
        super().on_response_complete()
        if self._is_answering():  # the next one had come already
            self._wait(self.taken_within)

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no more."""
        self._stop_waiting()
        super().connection_lost(exc)

    def _is_answering(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def _wait(self, seconds: float) -> None:
        self._stop_waiting()
        self._patience = self.loop.call_later(seconds, self._hang_up)

    def _stop_waiting(self) -> None:
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None

    def _hang_up(self) -> None:
        self.transport.abort()
