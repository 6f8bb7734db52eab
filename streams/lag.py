"""Consumer lag, asked of the brokers on a thread of its own: also while a consumer is paused, stuck or gone."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Collection, Iterable, Mapping
from types import TracebackType
from typing import Final, NamedTuple

from kafka import KafkaConsumer, TopicPartition
from kafka.errors import KafkaError

from lis_online.errors import BrokerError
from lis_online.exporter.health import WorkerHealth
from lis_online.replay.connection import check_connection, client_arguments
from lis_online.settings.model import KafkaSettings

logger = logging.getLogger(__name__)

EVERY: Final = 15.0
"""Seconds between looks: no scrape needs it fresher."""

GLANCES: Final = 15
"""How often in between it sees whether there are other shards than those it asked for: these it asks for at once."""

PATIENCE: Final = 5.0
"""Seconds that brokers may take to answer one question."""


class Part(NamedTuple):
    """What a shard has applied of one partition. topic: Kafka's name; applied: the next offset it needs."""

    role: str
    topic: str
    partition: int
    applied: int


class Log(NamedTuple):
    """A partition's first offset and the one after its last."""

    begin: int
    end: int


Places = Collection[tuple[str, int]]
"""Topics and partitions."""

Logs = Mapping[tuple[str, int], Log]
"""By topic and partition."""


def lags(parts: Iterable[Part], logs: Logs) -> dict[tuple[str, int], int]:
    """Return, by role and partition, how many offsets that are still there are not applied.

    What retention has taken cannot be read any more and is not counted.

    >>> logs = {("impressions", 0): Log(10, 50), ("feedback", 0): Log(0, 5)}
    >>> lags([Part("join", "impressions", 0, 20), Part("join", "feedback", 0, 5)], logs)
    {('join', 0): 30}
    """
    found: dict[tuple[str, int], int] = {}
    for part in parts:
        log = logs[part.topic, part.partition]
        behind = max(0, log.end - max(log.begin, part.applied))
        found[part.role, part.partition] = found.get((part.role, part.partition), 0) + behind
    return found


def ends(settings: KafkaSettings, places: Places) -> dict[tuple[str, int], Log]:
    """Return begin and end of partitions, by topic and partition, as the brokers have them now.

    A connection for each question: one that is kept goes on knocking at a broker that is gone.
    Raises BrokerError, KafkaError or OSError.
    """
    check_connection(settings, PATIENCE)
    asked = [TopicPartition(*place) for place in places]
    consumer = KafkaConsumer(
        **client_arguments(settings),
        client_id=f"{settings.prefix}-lag",
        enable_auto_commit=False,  # no group: it reads nothing and owns nothing
        bootstrap_timeout_ms=PATIENCE * 1000,
    )
    try:
        begins = consumer.beginning_offsets(asked, timeout_ms=PATIENCE * 1000)
        found = consumer.end_offsets(asked, timeout_ms=PATIENCE * 1000)
    finally:
        consumer.close(autocommit=False, timeout_ms=PATIENCE * 1000)
    return {(place.topic, place.partition): Log(begins[place], found[place]) for place in asked}


def shards(parts: Iterable[Part]) -> set[tuple[str, int]]:
    """Return whose the parts are, by role and partition."""
    return {(part.role, part.partition) for part in parts}


class LagWatch:
    """Keeps the health's lags current, from `__enter__` to `__exit__`.

    parts: returns what the shards of this worker have applied now. ask: returns the logs of places, as `ends` does.
    Where the brokers do not answer, lags are not known, and it asks again the next time.
    """

    def __init__(
        self, health: WorkerHealth, parts: Callable[[], list[Part]], ask: Callable[[Places], Logs], every: float = EVERY
    ) -> None:
        self._health, self._parts, self._ask, self._every = health, parts, ask, every
        self._asked: set[tuple[str, int]] = set()
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run, name="lag", daemon=True)

    def look(self) -> None:
        """Ask once, and tell the health."""
        try:
            parts = self._parts()
            self._asked = shards(parts)
            logs = self._ask({(part.topic, part.partition) for part in parts}) if parts else {}
            self._health.lagged(lags(parts, logs))
        except (BrokerError, KafkaError, OSError) as exc:  # an outage: ask again the next time
            logger.debug("end offsets are not known now: %r", exc)
            self._health.lagged({})
        except Exception:  # lag is not worth a worker
            logger.exception("lag cannot be told")
            self._health.lagged({})

    def __enter__(self) -> LagWatch:
        """Begin to look."""
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop looking; a question to a broker that is gone may last for its patience."""
        self._end.set()
        self._thread.join(2 * PATIENCE)

    def _run(self) -> None:
        while not self._end.is_set():
            self.look()
            for _ in range(GLANCES):
                if self._end.wait(self._every / GLANCES) or shards(self._parts()) != self._asked:
                    break
