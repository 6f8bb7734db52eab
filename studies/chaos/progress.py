"""How far a run has come: what is published, and whether everything that was sent is in the history for good."""

from __future__ import annotations

import threading
from typing import Final

from kafka import TopicPartition
from kafka.errors import KafkaError
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from lis_online.errors import BrokerError
from lis_online.events.topics import topic_names
from lis_online.history.engine import build_engine
from lis_online.replay.connection import admin_client
from lis_online.settings import Settings
from streams.apps import group_of
from streams.lag import ends
from streams.roles import JOIN, PUBLISH, RANK
from studies.chaos.sender import Sender

LOOK: Final = 0.5
"""Seconds between two looks at the history."""
STEADY: Final = 8.0
"""Seconds of the calm stretch that a run's usual lag is taken from."""
BUCKET: Final = 60_000
"""Length of the demo's buckets, ms."""


def drained(settings: Settings) -> bool:
    """Return whether each role has applied all that was sent to it, with a durable checkpoint behind it.

    In the order of the data's way: a role's output is complete once its input is done. Offsets are committed behind
    checkpoints, and these behind what was sent and written.
    """
    kafka, names = settings.kafka, topic_names(settings.kafka)
    try:
        for role in (JOIN, RANK, PUBLISH):
            count = kafka.partitions if role is JOIN else 1
            places = [(names[topic], partition) for topic in role.topics for partition in range(count)]
            logs = ends(kafka, places)
            with admin_client(kafka) as admin:
                committed = admin.list_group_offsets({group_of(role, settings): None})[group_of(role, settings)]
            for place, log in logs.items():
                at = committed.get(TopicPartition(*place))
                if log.end > log.begin and (at is None or at.offset < log.end):
                    return False
    except (KafkaError, BrokerError, OSError):
        return False
    return True


class Progress:
    """Watches how far behind the feed the published numbers are, in event time.

    The lag is the feed's clock less the end of the newest bucket in the history, ms. final: the end of the last
    bucket of the calm run, ms: there everything is published.
    """

    def __init__(self, database: str, sender: Sender, final: int) -> None:
        self.published = 0
        self._sender, self._final = sender, final
        self._engine = build_engine(database)
        self._lags: list[float] = []
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="progress", daemon=True)

    @property
    def lag(self) -> float:
        """The lag now; without end before the first bucket."""
        return self._sender.clock - self.published if self.published else float("inf")

    @property
    def complete(self) -> bool:
        """Whether the last bucket is published."""
        return self.published >= self._final

    @property
    def usual(self) -> float:
        """The longest lag of the first STEADY seconds, and a bucket: the history grows in steps of one."""
        return max(self._lags, default=float("inf")) + BUCKET

    def steady(self) -> bool:
        """Return whether the usual lag is known."""
        return len(self._lags) * LOOK >= STEADY

    def has_passed(self, time_ms: int) -> bool:
        """Return whether a bucket that ends later is published."""
        return self.published > time_ms or self.complete

    def __enter__(self) -> Progress:
        """Begin to watch."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop watching."""
        self._stop.set()
        self._thread.join()
        self._engine.dispose()

    def _watch(self) -> None:
        while not self._stop.wait(LOOK):
            try:
                with self._engine.connect() as connection:
                    found = connection.execute(text("SELECT max(bucket_end) FROM buckets")).scalar()
            except DBAPIError:
                continue
            if found is not None:
                self.published = round(found.timestamp() * 1000)
                if not self.steady():
                    self._lags.append(self.lag)
