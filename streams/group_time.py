"""How far event time has got among the join shards, read off the end of the rank log."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable
from typing import Final

from kafka import KafkaConsumer, TopicPartition
from kafka.errors import KafkaError

from lis_online.errors import BlockError, BrokerError
from lis_online.events import rank_log
from lis_online.events.topics import topic_names
from lis_online.records import MAX_TIME
from lis_online.replay.connection import check_connection, client_arguments
from lis_online.settings.model import KafkaSettings

logger = logging.getLogger(__name__)

LAST: Final = 16
"""Records of the rank log that are read: the newest of several shards."""

PATIENCE: Final = 5.0
"""Seconds that brokers may take to answer one question."""


def newest(values: Iterable[bytes]) -> int | None:
    """Return the highest watermark among records of the rank log, ms; None where none says one.

    A shard that has ended says nothing of time.

    >>> newest([rank_log.Control(rank_log.VERSION, []).encode()]) is None
    True
    """
    blocks = (rank_log.decode(value) for value in values)
    known = [b.watermark for b in blocks if isinstance(b, rank_log.Block) and 0 <= b.watermark < MAX_TIME]
    return max(known, default=None)


class GroupTime:
    """The time that the most advanced join shard of the rank log has passed, asked of the brokers now.

    The most advanced, not the slowest: whoever asks has nothing left to read, and what it will be sent is of the
    present, of which the most advanced shard is the nearest; the allowed lateness is already taken off.
    """

    def __init__(self, settings: KafkaSettings) -> None:
        self._settings = settings
        self._place = TopicPartition(topic_names(settings)["samples"], 0)

    async def get(self) -> int | None:
        """Return it, ms; None where the log is empty or the brokers do not answer."""
        try:
            return newest(await asyncio.to_thread(self._read))
        except (BrokerError, BlockError, KafkaError, OSError) as exc:
            logger.debug("the group's time is not known now: %r", exc)
            return None

    def _read(self) -> list[bytes]:
        check_connection(self._settings, PATIENCE)
        consumer = KafkaConsumer(
            **client_arguments(self._settings),
            client_id=f"{self._settings.prefix}-group-time",
            enable_auto_commit=False,  # no group: it owns nothing
            bootstrap_timeout_ms=PATIENCE * 1000,
        )
        try:
            return self._last(consumer)
        finally:
            consumer.close(autocommit=False, timeout_ms=PATIENCE * 1000)

    def _last(self, consumer: KafkaConsumer) -> list[bytes]:
        place = self._place
        begin = consumer.beginning_offsets([place], timeout_ms=PATIENCE * 1000)[place]
        end = consumer.end_offsets([place], timeout_ms=PATIENCE * 1000)[place]
        consumer.assign([place])
        consumer.seek(place, max(begin, end - LAST))
        values: list[bytes] = []
        while consumer.position(place) < end:
            records = consumer.poll(timeout_ms=PATIENCE * 1000).get(place, [])
            if not records:
                break
            values += [record.value for record in records if record.value is not None]
        return values
