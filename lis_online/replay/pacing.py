"""How fast a recorded log is replayed: by its own event times, a number of times as fast, or at once."""

from __future__ import annotations

import time
from collections.abc import Callable

from lis_online.errors import UsageError

AS_FAST_AS_POSSIBLE = "max"


def parse_speed(text: str) -> float | None:
    """Return how many times as fast as it happened, None for as fast as possible.

    >>> parse_speed("100x"), parse_speed("0.5x"), parse_speed("max")
    (100.0, 0.5, None)
    """
    if text == AS_FAST_AS_POSSIBLE:
        return None
    try:
        speed = float(text.removesuffix("x"))
    except ValueError:
        speed = 0.0
    if not 0 < speed < float("inf"):
        raise UsageError(f'speed must be a number of times such as 100x, or "max", got {text!r}')
    return speed


class Pace:
    """The moment each record is due. The first event time seen is due at once.

    speed: times as fast as it happened, None for no waiting. clock: monotonic seconds; sleep: waits that
    many seconds. A record older than the one before it is due at once: logs are in order of arrival.
    """

    def __init__(
        self,
        speed: float | None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._speed = speed
        self._clock = clock
        self._sleep = sleep
        self._origin: tuple[int, float] | None = None

    def wait(self, ts: int | None) -> float:
        """Wait until the record is due; return the seconds it is late by, 0 when it was waited for.

        ts: its event time, ms; None is due at once.
        """
        if self._speed is None or ts is None:
            return 0.0
        if self._origin is None:
            self._origin = (ts, self._clock())
        first, began = self._origin
        early = (ts - first) / 1000 / self._speed - (self._clock() - began)
        if early > 0:
            self._sleep(early)
            return 0.0
        return -early
