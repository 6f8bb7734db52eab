"""A history that tells how long it took."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from lis_online.exporter.health import WorkerHealth
from streams.keeping import RowSink


class WatchedSink:
    """Passes rows on to a sink, and its times and failures to the worker's health. clock: monotonic seconds."""

    def __init__(self, sink: RowSink, health: WorkerHealth, clock: Callable[[], float] = time.monotonic) -> None:
        self._sink, self._health, self._clock = sink, health, clock
        health.begin_history()

    def write(self, rows: list[Any]) -> None:
        """Write all rows or none; durable on return. What the sink raises is counted and raised on."""
        began = self._clock()
        try:
            self._sink.write(rows)
        except Exception:
            self._health.unwritten()
            raise
        self._health.written(len(rows), self._clock() - began)
