"""The feed on its way into Kafka: a thread that keeps its pace through outages, each record once and in order."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from contextlib import closing
from typing import Final

from kafka import KafkaProducer

from lis_online.events.topics import MAIN, topic_names
from lis_online.events.wire import END_TICK
from lis_online.replay.connection import client_arguments
from lis_online.settings.model import KafkaSettings
from studies.chaos.feed import PARTITIONS, Sending

PATIENCE: Final = 3_600_000
"""Milliseconds an outage may last before a record counts as lost: longer than any fault."""

HURRY: Final = 3.0
"""How many times as fast the rest of a feed is sent: still as many slates a second as the demo has."""


class Sender:
    """Sends a feed at a number of times the speed of time (None: at once), and then the end of every partition.

    clock: event time of the newest record sent, ms; half: that of the middle of the feed.
    """

    def __init__(self, kafka: KafkaSettings, feed: Sequence[Sending], speed: float | None) -> None:
        self.sent = 0
        self.clock = feed[0].due
        self.half = (feed[0].due + feed[-1].due) // 2
        self.failure: BaseException | None = None
        self._feed, self._speed = feed, speed
        self._names = topic_names(kafka)
        self._kafka = kafka
        self._producer: KafkaProducer
        self._hurried = False
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="sender", daemon=True)

    @property
    def done(self) -> bool:
        """Whether all is sent and Kafka has it. Raises what kept it from that."""
        if self.failure is not None:
            raise self.failure
        return not self._thread.is_alive()

    def hurry(self) -> None:
        """Send the rest faster: nothing more is to happen while it is sent. Once, however often it is called."""
        if self._speed is not None and not self._hurried:
            self._hurried, self._speed = True, HURRY * self._speed

    def __enter__(self) -> Sender:
        """Begin to send."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop, wherever it is, and end it."""
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        try:
            self._producer = KafkaProducer(
                **client_arguments(self._kafka),
                linger_ms=20,
                delivery_timeout_ms=PATIENCE,
                max_block_ms=PATIENCE,
                allow_auto_create_topics=False,
            )
            with closing(self._producer):
                self._send_all()
                self._producer.flush()
        except BaseException as exc:  # told to whoever asks for `done`
            self.failure = exc

    def _send_all(self) -> None:
        at, last = time.monotonic(), self._feed[0].due
        for sending in self._feed:
            if self._speed is not None:
                at, last = at + (sending.due - last) / 1000 / self._speed, sending.due
                self._wait(at)
            if self._stop.is_set():
                return
            stamp = None if sending.timestamp is None else int(time.time() * 1000) + sending.timestamp
            self._put(sending.topic, sending.partition, sending.key, sending.value, stamp)
            self.sent += 1
            self.clock = max(self.clock, sending.due)
        for topic in MAIN:
            for partition in range(PARTITIONS):
                self._put(topic, partition, None, END_TICK, None)

    def _put(self, topic: str, partition: int, key: bytes | None, value: bytes, stamp: int | None) -> None:
        sent = self._producer.send(self._names[topic], value, key=key, partition=partition, timestamp_ms=stamp)
        sent.add_errback(self._note)

    def _note(self, exc: BaseException) -> None:
        self.failure = self.failure or exc

    def _wait(self, until: float) -> None:
        left = until - time.monotonic()
        if left > 0:
            self._stop.wait(left)
