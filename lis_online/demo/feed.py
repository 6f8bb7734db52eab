"""The simulated feed on its way into Kafka: fast until its clock reaches now, then at the speed of time."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

from lis_online.replay.pacing import Pace
from lis_online.replay.producer import Replay, Replayed, producer_of
from lis_online.settings import Settings
from lis_online.simulate.kinds import endless
from lis_online.simulate.parameters import CommonParameters


class Feed:
    """A thread that produces a world's events until it is stopped, then ends every partition."""

    def __init__(self, settings: Settings, world: CommonParameters, seed: int, start: int, speed: float) -> None:
        self.clock = start
        self.sent = 0
        self.failure: Exception | None = None
        self._settings = settings
        self._world, self._seed, self._start, self._speed = world, seed, start, speed
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="feed", daemon=True)

    def start(self) -> None:
        """Begin to send."""
        self._thread.start()

    def stop(self) -> None:
        """Send the end of every partition and return once Kafka has it."""
        self._stop.set()
        self._thread.join(30)

    def _run(self) -> None:
        producer = None
        try:
            producer = producer_of(self._settings.kafka)
            pace = Pace(self._speed, sleep=self._wait)
            Replay(self._settings.kafka, producer, pace).run(self._events(), finish=True, progress=self._show)
        except Exception as exc:  # shown by the demo, which then ends
            self.failure = exc
        finally:
            if producer is not None:
                producer.close(timeout=5)

    def _events(self) -> Iterator[tuple[str, bytes]]:
        for arrival, topic, value in endless(self._world, self._seed, self._start):
            ahead = arrival - time.time() * 1000
            if ahead > 0:
                self._wait(ahead / 1000)  # the feed's clock has reached now: it never passes it
            if self._stop.is_set():
                return
            self.clock = arrival
            yield topic, value

    def _wait(self, seconds: float) -> None:
        self._stop.wait(seconds)

    def _show(self, replayed: Replayed) -> None:
        self.sent = replayed.total
