"""Logging of a worker: one line per thing said, and no storms."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

CLIENT_LOGGERS = ("aiokafka", "kafka")
FRAMEWORK_LOGGERS = ("faust", "mode", "streams.transport", "alembic")

PER_MINUTE = 5
"""Records of one logging call that pass in a minute. Without a broker aiokafka logs 8,000 lines a second."""


class RateLimit(logging.Filter):
    """Lets so many records of each logging call pass per minute, then says how many it kept back."""

    def __init__(self, per_minute: int = PER_MINUTE, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._per_minute = per_minute
        self._clock = clock
        self._minutes: dict[tuple[str, int], tuple[int, int]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether the record passes; the first of a minute says how many of the last did not."""
        place, minute = (record.pathname, record.lineno), int(self._clock() // 60)
        last, seen = self._minutes.get(place, (minute, 0))
        if last != minute:
            kept_back, seen = max(0, seen - self._per_minute), 0
            if kept_back:
                record.msg, record.args = f"{record.getMessage()} ({kept_back} more like this were kept back)", None
        self._minutes[place] = (minute, seen + 1)
        return seen < self._per_minute


def _not_a_crash_report(record: logging.LogRecord) -> bool:
    """Drop what Faust says of a crash: the runner has said it, once, with its reason."""
    message = str(record.msg)
    return not any(said in message for said in ("Crashed reason", "We experienced a crash"))


def configure(level: int = logging.INFO) -> None:
    """Set up the root logger of a worker process, on stderr."""
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    handler.addFilter(_not_a_crash_report)
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for name in (*FRAMEWORK_LOGGERS, *CLIENT_LOGGERS):
        logging.getLogger(name).setLevel(logging.WARNING)
    # a timer that waits for a rebalance or for Kafka is late, and no news
    logging.getLogger("mode.timers").setLevel(logging.ERROR)
    # a filter of a logger does not see what its children log: it must sit on the handler, once for all
    limit = RateLimit()
    handler.addFilter(lambda record: record.name.partition(".")[0] not in CLIENT_LOGGERS or limit.filter(record))
