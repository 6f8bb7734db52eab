"""The feed of a run: the demo's world, recorded once, and what can go wrong on its way to Kafka."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from random import Random
from typing import Final

from lis_online.events.topics import MAIN
from lis_online.replay.routing import route
from lis_online.simulate.recorded import generate
from lis_online.simulate.scenarios import scenario

PARTITIONS: Final = 3
HOUR: Final = 3_600_000

MALFORMED: Final = (b"not json", b'{"schema_version": 2}', b'{"schema_version": 1, "user_id": 7}')
"""Records that every run refuses: dead letters must survive faults too."""
MALFORMED_EVERY: Final = 1_500


@dataclass(frozen=True)
class Sending:
    """One record on its way. due: when it is sent, ms of event time; timestamp: Kafka's own, ms, None for the clock."""

    due: int
    topic: str
    partition: int
    key: bytes
    value: bytes
    ts: int
    timestamp: int | None = None


Feed = list[Sending]
Change = Callable[[Feed, Random], Feed]
"""What is done to a calm feed. The order of what stays in a partition is the order of `due`."""


def record(slates: int, seed: int) -> Feed:
    """Return the demo's feed, in order of arrival, with some malformed records in it."""
    found: Feed = []
    for due, topic, value in generate(scenario("demo"), slates, seed):
        found.append(_sending(due, topic, value))
        if len(found) % MALFORMED_EVERY == 0:
            bad = MALFORMED[len(found) // MALFORMED_EVERY % len(MALFORMED)]
            found += [_sending(due, main, bad) for main in MAIN]
    return found


def _sending(due: int, topic: str, value: bytes) -> Sending:
    target = route(topic, value, PARTITIONS)
    return Sending(due, topic, target.partition, target.key, value, due if target.ts is None else target.ts)


def _in_order(feed: Feed) -> Feed:
    return sorted(feed, key=lambda sending: sending.due)  # stable: what is due at once keeps its order


def unchanged(feed: Feed, chance: Random) -> Feed:
    """Return the feed as it is."""
    del chance
    return feed


def duplicated(feed: Feed, chance: Random) -> Feed:
    """Send three of ten records a second time, up to 2 s later: well within the lateness, so that none is late."""
    again = [replace(s, due=s.due + chance.randrange(2_000)) for s in feed if chance.random() < 0.3]
    return _in_order([*feed, *(s for s in again if s.value not in MALFORMED)])


def reordered(feed: Feed, chance: Random) -> Feed:
    """Shuffle impressions and feedback within the allowed lateness (5 s), so that none becomes late."""
    return _in_order([replace(s, due=s.ts + chance.randrange(4_900)) if s.topic in MAIN else s for s in feed])


def jumping_timestamps(feed: Feed, chance: Random) -> Feed:
    """Stamp one record in ten with a clock that is wrong by up to 50 minutes; `timestamp` is relative to now."""
    return [replace(s, timestamp=chance.randrange(-50, 50) * 60_000) if chance.random() < 0.1 else s for s in feed]


AHEAD: Final = 4_102_444_800_000
"""2100-01-01: the clock of a producer that has lost it, ms."""


def from_the_future(feed: Feed, chance: Random) -> Feed:
    """Add a copy of one impression and click in fifty whose own clock says 2100: all of them must be refused."""
    found: Feed = []
    for s in feed:
        found.append(s)
        if s.topic in MAIN and s.value not in MALFORMED and chance.random() < 0.02:
            value = s.value.replace(f'"ts":{s.ts}'.encode(), f'"ts":{AHEAD}'.encode(), 1)
            assert value != s.value
            found.append(replace(s, value=value))
    return found


def without_feedback(feed: Feed, chance: Random) -> Feed:
    """Let no feedback come in partition 0 after a third, while its impressions go on."""
    del chance
    return [s for s in feed if not (s.topic == "feedback" and s.partition == 0 and s.due > silence(feed))]


def without_partition(feed: Feed, chance: Random) -> Feed:
    """Let the users of partition 0 fall silent after a third: neither impressions nor feedback come there."""
    del chance
    return [s for s in feed if not (s.topic in MAIN and s.partition == 0 and s.due > silence(feed))]


def silence(feed: Feed) -> int:
    """Return when a partition falls silent, ms: after a third."""
    return feed[0].due + (feed[-1].due - feed[0].due) // 3


def held_back(feed: Feed, chance: Random) -> Feed:
    """Hold impressions and feedback of partition 0 back for a quarter of the feed, then send them at once."""
    del chance
    begin = silence(feed)
    end = begin + (feed[-1].due - feed[0].due) // 4

    def held(s: Sending) -> bool:
        return s.topic in MAIN and s.partition == 0 and begin <= s.due < end

    return _in_order([replace(s, due=end) if held(s) else s for s in feed])


def an_hour_behind(feed: Feed, chance: Random) -> Feed:
    """Let partition 0 fall behind after a third: everything in it comes an hour of event time late from then on."""
    del chance
    begin = silence(feed)
    return _in_order([replace(s, due=s.due + HOUR) if s.partition == 0 and s.due > begin else s for s in feed])
