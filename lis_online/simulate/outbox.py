"""What is on its way: events that happened and have not arrived yet."""

from __future__ import annotations

from collections.abc import Sequence
from operator import itemgetter

import msgspec
import numpy as np

Event = tuple[int, str, bytes]
"""(arrival in ms since 1970, topic, JSON value)."""

JITTER = 800
"""An event arrives at most so much later than it happened, ms: below FIRST_CLICK."""


class Outbox:
    """Events that wait for their arrival."""

    def __init__(self, rng: np.random.Generator) -> None:
        self._rng = rng
        self._encoder = msgspec.json.Encoder()
        self._waiting: list[Event] = []

    def __len__(self) -> int:
        return len(self._waiting)

    def send(self, topic: str, ts: np.ndarray, values: Sequence[msgspec.Struct]) -> None:
        """Send values that happened at times; each travels a little while."""
        arrival = ts + self._rng.integers(0, JITTER, len(ts))
        encode = self._encoder.encode
        self._waiting += [(t, topic, encode(v)) for t, v in zip(arrival.tolist(), values, strict=True)]

    def put(self, topic: str, arrival: int, value: msgspec.Struct) -> None:
        """Send a value that arrives at a time."""
        self._waiting.append((arrival, topic, self._encoder.encode(value)))

    def arrived(self, end: int | None) -> list[Event]:
        """Return, and forget, what arrives before a time, in order of arrival; None: everything."""
        self._waiting.sort(key=itemgetter(0))
        cut = len(self._waiting)
        while end is not None and cut and self._waiting[cut - 1][0] >= end:
            cut -= 1
        events, self._waiting = self._waiting[:cut], self._waiting[cut:]
        return events
